import { readFileSync } from 'node:fs';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { AppModule } from '../../src/app.module.js';
import { parseEntry } from '../../src/audit/core/entry.js';
import { readConfiguration } from '../../src/config/configuration.js';
import { createApplication } from '../../src/http/create-application.js';
import { Metrics } from '../../src/http/metrics.js';
import { routesOf } from '../../src/http/route-table.js';
import { declaredRoutes, type DeclaredRoute, withRouteTables } from '../../src/http/unaudited-routes.js';
import { servicesForDocumentation } from '../../src/services-for-documentation.js';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../fakes/fal/fake-fal.js';
import { FAKE_REPLICATE_TOKEN, FakeReplicate } from '../fakes/replicate/fake-replicate.js';
import { addPerson } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { RouteCalls } from '../support/route-calls.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

/**
 * Which routes write into the log: asked of the router, never listed by hand. A new route without a declaration,
 * without a call in test/support/route-calls.ts, or whose call writes something else than it says, fails here.
 */

interface WrittenEntry {
  readonly id: string;
  readonly type: string;
  readonly actor: string;
  readonly entry: Buffer;
}

let fal: FakeFal;
let replicate: FakeReplicate;
let app: TestApplication;
let inspector: Inspector;
let calls: RouteCalls;
let keyId: string;
let publishedAt: number;

beforeAll(async () => {
  fal = await FakeFal.start();
  replicate = await FakeReplicate.start();
  // No worker and no sequencer of its own: every entry comes from a request of ours.
  app = await startTestApplication({
    COLOPHON_ROLES: 'http',
    COLOPHON_GATEWAY_WAIT_SECONDS: '0.2',
    FAL_KEY: FAKE_FAL_CREDENTIALS,
    FAL_BASE_URL: fal.origin,
    REPLICATE_API_TOKEN: FAKE_REPLICATE_TOKEN,
    REPLICATE_BASE_URL: replicate.baseUrl,
  });
  inspector = await Inspector.open(app.database);
  const roles = ['creator', 'reviewer', 'legal', 'asset_manager', 'auditor', 'admin'];
  const { key } = await addPerson(app, roles);
  ({ keyId } = (await (await app.request('/v1/me', { key })).json()) as { keyId: string });
  calls = new RouteCalls({ app, inspector, fal, replicate, key });
  await app.services.sequencer.runOnce();
  publishedAt = Date.now();
});
afterAll(async () => {
  await inspector.close();
  await app.close();
  await fal.stop();
  await replicate.stop();
});

/** The program's own routes, from its own router; nothing behind them. */
const routes: readonly DeclaredRoute[] = await (async () => {
  const module = AppModule.with(servicesForDocumentation(), pino({ level: 'silent' }), new Metrics());
  const bare: NestFastifyApplication = await createApplication(module, readConfiguration({}), new Metrics());
  await bare.init();
  return declaredRoutes(routesOf(bare));
})();
const nameOf = ({ method, path }: DeclaredRoute): string => `${method} ${path}`;
const audited = routes.flatMap((route) =>
  'writes' in route.declared ? [{ name: nameOf(route), types: route.declared.writes }] : [],
);
const unaudited = routes.flatMap((route) => ('writes' in route.declared ? [] : [nameOf(route)]));

const entries = (without: ReadonlySet<string> = new Set()): Promise<WrittenEntry[]> =>
  inspector.query(
    `SELECT * FROM (
       SELECT entry_id AS id, entry_type AS type, actor_id AS actor, entry FROM audit_entry
       UNION ALL SELECT entry_id, entry_type, actor_id, entry FROM audit_pending) AS each
      WHERE id <> ALL($1::uuid[]) ORDER BY id`,
    [[...without]],
  );
const entryIds = async (): Promise<ReadonlySet<string>> => {
  const rows = await inspector.query<{ id: string }>(
    'SELECT entry_id AS id FROM audit_entry UNION ALL SELECT entry_id FROM audit_pending',
  );
  return new Set(rows.map(({ id }) => id));
};

/** The answer, and what is in all logs together since the request was sent. */
async function entriesOf(
  send: () => Promise<Response>,
): Promise<{ status: number; headers: Headers; sizeBytes: number; written: WrittenEntry[] }> {
  const before = await entryIds();
  const response = await send();
  const { byteLength } = await response.arrayBuffer();
  const written = await entries(before);
  return { status: response.status, headers: response.headers, sizeBytes: byteLength, written };
}

/** Nobody publishes here by himself, and a log that is not published for two minutes takes nothing more. */
beforeEach(async () => {
  if (Date.now() - publishedAt < 30_000) return;
  await app.services.sequencer.runOnce();
  publishedAt = Date.now();
});

const sorted = (types: Iterable<string>): string[] => [...types].sort();

describe('the published list', () => {
  it('is what the routes say; when it is not: node dist/src/main.js --route-tables docs/unaudited-routes.md', () => {
    const page = readFileSync(new URL('../../docs/unaudited-routes.md', import.meta.url), 'utf8');
    expect(page).toBe(withRouteTables(page, routes));
  });

  it('is complete: every route has a call here, and there is no call without a route', () => {
    expect(routes.length).toBeGreaterThan(50);
    expect(Object.keys(calls.audited).sort()).toEqual(audited.map(({ name }) => name).sort());
    expect(Object.keys(calls.unaudited).sort()).toEqual([...unaudited].sort());
  });
});

describe('a route that changes or reveals something writes what it says, and nothing else', () => {
  it.each(audited)('$name: $types', async ({ name, types: [always = '', ...sometimes] }) => {
    const seen = new Set<string>();
    for (const { send, status, writes, actor = keyId } of (await calls.audited[name]?.()) ?? []) {
      const answer = await entriesOf(send);
      expect({ status: answer.status, written: sorted(answer.written.map(({ type }) => type)) }).toEqual({
        status,
        written: sorted(writes),
      });
      // A route that answers several kinds of questions writes one of several.
      const main = writes.some((type) => type === always) ? always : writes[0];
      const ours = answer.written.find(({ type }) => type === main);
      expect(ours?.actor).toBe(actor);
      // In the log as strangers read it.
      for (const { entry } of answer.written) expect(() => parseEntry(entry)).not.toThrow();
      for (const type of writes) seen.add(type);
    }
    expect(sorted(seen)).toEqual(sorted([always, ...sometimes]));
  });
});

describe('a route on the published list writes nothing', () => {
  it.each(unaudited)('%s', async (name) => {
    const call = await calls.unaudited[name]?.();
    const answer = await entriesOf(() => call?.send() ?? Promise.reject(new Error('no call')));
    expect({ status: answer.status, written: answer.written.map(({ type }) => type) }).toEqual({
      status: call?.status,
      written: [],
    });
  });
});

describe('P3: while the log cannot be written, no such route changes or sends anything', () => {
  /** Not one of the errors of a database that is down: the right to write was taken away. */
  async function withBrokenLog<T>(work: () => Promise<T>): Promise<T> {
    await inspector.query(`
      CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'permission denied for the log' USING ERRCODE = '42501'; END $$`);
    for (const table of ['audit_entry', 'audit_pending'])
      await inspector.query(
        `CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION public.refuse()`,
      );
    try {
      return await work();
    } finally {
      await inspector.query(
        'DROP TRIGGER refuse ON audit_entry; DROP TRIGGER refuse ON audit_pending; DROP FUNCTION public.refuse()',
      );
    }
  }

  /** No result, and the reason as the last line. */
  async function expectRefusedInStream(response: Response): Promise<void> {
    const lines = (await response.text()).trim().split('\n');
    const last = JSON.parse(lines.at(-1) ?? '') as { error?: { code: string } };
    expect(last.error?.code).toBe('audit_unavailable');
    expect(lines.filter((line) => line.startsWith('{"result"'))).toEqual([]);
  }

  it.each(audited)('$name', async ({ name }) => {
    for (const { send, status, refusesInStream } of (await calls.audited[name]?.()) ?? []) {
      // A key of a request whose outcome is unclear stays taken for a minute: the only row that may be new.
      const footprint = async () => ({ ...(await inspector.footprint()), idempotency_key: undefined });
      const before = await footprint();
      await withBrokenLog(async () => {
        if (refusesInStream) await expectRefusedInStream(await send());
        // Soft binding resolution and the gateway have errors of their own forms.
        else if (/ \/(sbr|gateway)\//.test(name)) expect((await send()).status).toBe(503);
        else await expectProblem(await send(), 'audit_unavailable');
      });
      expect(await footprint()).toEqual(before);
      const again = await send();
      await again.arrayBuffer();
      expect(again.status).toBe(status);
    }
  });
});

describe('what is read', () => {
  const dataOf = ({ entry }: WrittenEntry) => (JSON.parse(entry.toString()) as { data: unknown }).data;

  it('is named by its hash: the file that was served, and the manifest in it', async () => {
    const id = await calls.upload();
    const asset = (await (await app.request(`/v1/assets/${id}`)).json()) as { sha256: string };
    for (const what of ['content', 'manifest']) {
      const { written } = await entriesOf(() => app.request(`/v1/assets/${id}/${what}`));
      expect(written.map(dataOf)).toEqual([{ assetId: id, sha256: asset.sha256, what, mode: 'live' }]);
    }
  });

  it('counts each time that bytes are sent, a part of a file too', async () => {
    for (const [path, givesParts] of [
      [`/v1/assets/${await calls.upload()}/content`, true],
      [`/v1/reports/${await calls.report()}/content`, false],
    ] as const) {
      for (const range of [undefined, 'bytes=0-9', 'bytes=0-9']) {
        const headers: Record<string, string> = range === undefined ? {} : { range };
        const answer = await entriesOf(() => app.request(path, { headers }));
        expect(answer.status).toBe(givesParts && range !== undefined ? 206 : 200);
        expect(answer.headers.get('accept-ranges')).toBe(givesParts ? 'bytes' : 'none');
        expect(answer.sizeBytes).toBe(Number(answer.headers.get('content-length')));
        expect(answer.written).toHaveLength(1);
      }
    }
  });

  it('is not written down when no byte is sent: HEAD, and content that the reader holds already', async () => {
    const hold = await calls.audited['GET /v1/legal-holds/{id}']?.();
    expect(hold).toHaveLength(1);
    const [asset, report] = [`/v1/assets/${await calls.upload()}`, await calls.report()];
    for (const path of [`${asset}/content`, `/v1/reports/${report}/content`]) {
      const full = await entriesOf(() => app.request(path));
      const etag = full.headers.get('etag') ?? '';
      const head = await entriesOf(() => app.request(path, { method: 'HEAD' }));
      expect([head.status, head.sizeBytes, head.written]).toEqual([200, 0, []]);
      expect(head.headers.get('content-length')).toBe(String(full.sizeBytes));
      const held = await entriesOf(() => app.request(path, { headers: { 'if-none-match': etag } }));
      expect([held.status, held.sizeBytes, held.written]).toEqual([304, 0, []]);
      const other = await entriesOf(() => app.request(path, { headers: { 'if-none-match': '"other"' } }));
      expect([other.status, other.written.length]).toEqual([200, 1]);
    }
    // An export waits for what is not published yet, and nobody else publishes here.
    await app.services.sequencer.runOnce();
    for (const path of [
      `${asset}/manifest`,
      '/v1/legal-holds',
      '/v1/audit/export',
      '/v1/audit/export?format=csv',
      '/v1/audit/archive',
    ]) {
      const head = await entriesOf(() => app.request(path, { method: 'HEAD' }));
      expect([head.status, head.sizeBytes, head.written]).toEqual([200, 0, []]);
    }
  });

  it('is committed before the answer begins', async () => {
    const [asset, report] = [await calls.upload(), await calls.report()];
    for (const path of [
      `/v1/assets/${asset}/content`,
      `/v1/assets/${asset}/manifest`,
      `/v1/reports/${report}/content`,
    ]) {
      await inspector.query('BEGIN; LOCK TABLE audit_log IN EXCLUSIVE MODE');
      let begun = false;
      const response = app.request(path).finally(() => (begun = true));
      await eventually('the entry waits for the log', async () => {
        const waiting = await inspector.query(
          `SELECT 1 FROM pg_locks WHERE relation = 'audit_log'::regclass AND NOT granted`,
        );
        return waiting.length > 0 || undefined;
      });
      expect(begun).toBe(false);
      await inspector.query('COMMIT');
      expect((await response).status).toBe(200);
    }
  });

  it('is not in the dossier: who looked at an asset says nothing of how it was made', async () => {
    const id = await calls.upload();
    await (await app.request(`/v1/assets/${id}/content`)).arrayBuffer();
    const report = await app.request(`/v1/reports/${await calls.report(id)}/content`);
    const dossier = (await report.json()) as { log: { entries: { type: string }[] } };
    expect(dossier.log.entries.map(({ type }) => type)).toEqual(['asset.received', 'asset.signed']);
  });
});
