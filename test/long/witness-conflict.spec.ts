import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeWitness } from '../fakes/witness/fake-witness.js';
import { addPerson, json } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

interface Standing {
  readonly witness: string;
  readonly conflict: string | null;
}

const CLEAR = '/v1/audit/witnesses/clear-conflict';

let app: TestApplication;
let witness: FakeWitness;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'colophon-conflict-'));
  witness = await FakeWitness.start({ name: 'witness.example/w1' });
  writeFileSync(join(folder, 'policy'), `${witness.policyLine('w1')}\nquorum w1\n`);
  witness.misbehave('claims-larger');
  app = await startTestApplication({
    COLOPHON_WITNESS_POLICY: join(folder, 'policy'),
    COLOPHON_ANCHOR_INTERVAL_SECONDS: '1',
  });
  witness.addLog(app.instance.log.vkey);
});
afterAll(async () => {
  await app.close();
  await witness.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function standing(): Promise<Standing | undefined> {
  const answer = await app.request('/v1/audit/witnesses');
  return ((await answer.json()) as { items: Standing[] }).items[0];
}
const isReady = async (): Promise<boolean> => (await app.request('/readyz', { key: null })).status === 200;
const clear = (body: object, key?: string) =>
  app.request(CLEAR, { ...json(body), ...(key === undefined ? {} : { key }) });

describe('a witness that claims another history', () => {
  it('stops the log, and is shown with its words', async () => {
    const { conflict } = await eventually('the conflict is known', async () => {
      const found = await standing();
      return found?.conflict == null ? undefined : found;
    });
    expect(conflict).toContain('knows another history of this log');
    expect(await isReady()).toBe(false);
  });

  it('is set aside by an administrator alone, with a live key, and by its name', async () => {
    const body = { witness: (await standing())?.witness };
    const { key } = await addPerson(app, ['legal', 'auditor']);
    await expectProblem(await clear(body, key), 'forbidden');
    await expectProblem(await clear(body, app.instance.keys.test), 'wrong_mode');
    await expectProblem(await clear({ witness: 'witness.example/w2+00000000' }), 'not_found');
    await expectProblem(await clear({ witness: 'a name' }), 'invalid_request');
    expect((await standing())?.conflict).not.toBeNull();
  });

  it('set aside while it still claims so, it stops the log again; when it has come to its senses, the log goes on', async () => {
    const body = { witness: (await standing())?.witness };
    expect((await clear(body)).status).toBe(200);
    await eventually('it was asked again', async () => (await standing())?.conflict ?? undefined);
    witness.misbehave(undefined);
    const answer = (await (await clear(body)).json()) as { entryId: string };
    const entry = await app.request(`/v1/audit/entries/${answer.entryId}?state=witnessed`, {
      headers: { prefer: 'wait=20' },
    });
    expect(await entry.json()).toMatchObject({
      state: 'witnessed',
      entry: { type: 'log.conflict_cleared', data: body },
    });
    expect(await standing()).toMatchObject({ conflict: null });
    expect(await isReady()).toBe(true);
    await expectProblem(await clear(body), 'not_found');
  });
});
