import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

interface Document {
  paths: Record<string, Record<string, unknown>>;
}

/** C2PA soft binding resolution is for readers of everybody; what it shows is tested in recovery.spec.ts. */
function isPublicResolution(path: string): boolean {
  return path.startsWith('/sbr/') || path === '/.well-known/c2pa-soft-binding-resolution';
}

describe('the contract', () => {
  let app: TestApplication;
  beforeAll(async () => {
    app = await startTestApplication();
  });
  afterAll(() => app.close());

  it('is the committed openapi.json; when it is not: npm run openapi', async () => {
    const served = (await (await app.request('/openapi.json', { key: null })).json()) as Document;
    const committed = JSON.parse(readFileSync(join(ROOT, 'openapi.json'), 'utf8')) as Document;
    expect(served).toEqual(committed);
  });

  it('asks for a key on every route that it describes, but public verification and resolution', async () => {
    const served = (await (await app.request('/openapi.json', { key: null })).json()) as Document;
    for (const [path, operations] of Object.entries(served.paths)) {
      for (const method of Object.keys(operations)) {
        const answer = await app.request(path.replaceAll(/\{\w+\}/g, 'x'), {
          method: method.toUpperCase(),
          key: null,
        });
        if (isPublicResolution(path)) {
          expect([path, answer.status === 401 || answer.status >= 500]).toEqual([path, false]);
          continue;
        }
        expect([path, method, answer.status]).toEqual([path, method, path === '/v1/verify' ? 415 : 401]);
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
      }
    }
  });

  it('is readable by people at /docs', async () => {
    const answer = await app.request('/docs', { key: null });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('swagger');
  });
});
