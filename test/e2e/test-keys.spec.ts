import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../fakes/fal/fake-fal.js';
import { addPerson, json, productShot, type RunAnswer } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

const NEW_LIMIT = { limitMicroUsd: '123456789' };

let fake: FakeFal;
let app: TestApplication;
let inspector: Inspector;
let legal: { test: string; live: string };

beforeAll(async () => {
  fake = await FakeFal.start();
  // No worker: what a refused request would have set going is seen in the ledger.
  app = await startTestApplication({
    COLOPHON_ROLES: 'http,sequencer',
    FAL_KEY: FAKE_FAL_CREDENTIALS,
    FAL_BASE_URL: fake.origin,
  });
  inspector = await Inspector.open(app.database);
  const { principalId, key } = await addPerson(app, ['legal']);
  const second = await app.request('/v1/api-keys', json({ principalId, mode: 'test' }));
  legal = { live: key, test: ((await second.json()) as { key: string }).key };
});
afterAll(async () => {
  await inspector.close();
  await app.close();
  await fake.stop();
});

/** A run on a model that is cleared only with a waiver: it waits, with its money reserved. */
async function waitingRun(key: string): Promise<RunAnswer> {
  const body = productShot(app, { inputs: { prompt: 'x', model: 'flux-1-schnell@fal' } });
  const started = await app.request('/v1/runs', { ...json(body), key });
  expect(started.status).toBe(202);
  const run = (await started.json()) as RunAnswer;
  expect(run.state).toBe('WAITING_FOR_WAIVER');
  return run;
}

const view = async (id: string): Promise<RunAnswer> =>
  (await (await app.request(`/v1/runs/${id}`)).json()) as RunAnswer;

/** Rows and money, and the states that no count shows. */
async function everything(): Promise<Record<string, unknown>> {
  return {
    rows: await inspector.footprint(),
    runs: await inspector.query('SELECT id, state, cancel_requested_at FROM run ORDER BY id'),
    steps: await inspector.query('SELECT id, state FROM step_run ORDER BY id'),
    budgets: await inspector.query('SELECT * FROM budget ORDER BY organization_id, scope'),
    jobs: await inspector.query('SELECT id FROM pgboss.job ORDER BY id'),
  };
}

describe('a test key, which may lie in a notebook or a build log, with every role', () => {
  let run: RunAnswer;
  beforeEach(async () => {
    run = await waitingRun(app.instance.keys.live);
  });

  it('does not set what may be spent; the live key of the same person does', async () => {
    const setBudget = (key: string) => app.request('/v1/budget', { ...json(NEW_LIMIT), method: 'PUT', key });
    const before = await everything();
    await expectProblem(await setBudget(app.instance.keys.test), 'wrong_mode');
    expect(await everything()).toEqual(before);
    expect(await (await setBudget(app.instance.keys.live)).json()).toMatchObject(NEW_LIMIT);
  });

  it('does not cancel a live run, and does cancel one of its own', async () => {
    const cancel = (id: string, key: string) => app.request(`/v1/runs/${id}/cancel`, { ...json({}), key });
    const before = await everything();
    await expectProblem(await cancel(run.id, app.instance.keys.test), 'wrong_mode');
    expect(await everything()).toEqual(before);
    const sandboxed = await waitingRun(app.instance.keys.test);
    expect((await cancel(sandboxed.id, app.instance.keys.test)).status).toBe(200);
    expect((await view(sandboxed.id)).state).toBe('CANCELED');
    expect((await cancel(run.id, app.instance.keys.live)).status).toBe(200);
    expect((await view(run.id)).state).toBe('CANCELED');
  });

  it('does not approve a waiver for which a live run waits', async () => {
    const waive = (key: string) =>
      app.request('/v1/waivers', {
        ...json({
          clearanceId: run.clearanceId,
          reason: 'LEGAL_OPINION',
          comment: 'x',
          expiresAt: '2099-01-01T00:00:00Z',
        }),
        key,
      });
    const before = await everything();
    await expectProblem(await waive(legal.test), 'wrong_mode');
    expect(await everything()).toEqual(before);
    expect(fake.attempts()).toEqual([]);
    expect((await waive(legal.live)).status).toBe(201);
    expect((await view(run.id)).state).toBe('RUNNING');
  });

  it('does not decide again what a live run rests on, waiting, canceled or not', async () => {
    const text = '@id("now") @severity("review") @message("Look.") forbid (principal, action, resource);';
    const policy = { ...json({ text }), method: 'PUT', key: legal.live };
    expect((await app.request('/v1/policies', policy)).status).toBe(200);
    const again = (key: string) =>
      app.request(`/v1/clearances/${run.clearanceId}/decide-again`, { ...json({}), key });
    const before = await everything();
    await expectProblem(await again(app.instance.keys.test), 'wrong_mode');
    await expectProblem(await again(legal.test), 'wrong_mode');
    const canceled = await app.request(`/v1/runs/${run.id}/cancel`, {
      ...json({}),
      key: app.instance.keys.live,
    });
    expect(canceled.status).toBe(200);
    await expectProblem(await again(app.instance.keys.test), 'wrong_mode');
    const rows = ({ rows }: Awaited<ReturnType<typeof everything>>) =>
      (rows as Record<string, number>).clearance;
    expect(rows(await everything())).toBe(rows(before));
    expect((await again(legal.live)).status).toBe(201);
  });
});
