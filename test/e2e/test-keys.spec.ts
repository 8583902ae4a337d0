import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../fakes/fal/fake-fal.js';
import {
  addPerson,
  formWith,
  json,
  OWN_RIGHTS,
  postForm,
  productShot,
  type RunAnswer,
} from '../support/api.js';
import { ContributorKey } from '../support/contributor-key.js';
import { Inspector } from '../support/inspector.js';
import { noisePicture } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';
import { IN_A_YEAR } from '../support/days-ahead.js';

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
          expiresAt: IN_A_YEAR,
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

  it('adds nobody to the organization, and takes no live key away', async () => {
    const admin = app.instance.keys;
    const person = json({ displayName: 'Second admin', roles: ['admin', 'legal'] });
    const { keyId } = (await (await app.request('/v1/me', { key: legal.live })).json()) as { keyId: string };
    const revoke = `/v1/api-keys/${keyId}/revoke`;
    const before = await everything();
    await expectProblem(await app.request('/v1/principals', { ...person, key: admin.test }), 'wrong_mode');
    await expectProblem(await app.request(revoke, { ...json({}), key: admin.test }), 'wrong_mode');
    expect(await everything()).toEqual(before);
    expect((await app.request('/v1/me', { key: legal.live })).status).toBe(200);
    const own = (await (await app.request('/v1/me', { key: legal.test })).json()) as { keyId: string };
    const revoked = await app.request(`/v1/api-keys/${own.keyId}/revoke`, { ...json({}), key: admin.test });
    expect(revoked.status).toBe(200);
  });

  it('tells nothing about a live step whose outcome nobody knows', async () => {
    await inspector.query(`UPDATE run SET state = 'NEEDS_RECONCILIATION' WHERE state = 'WAITING_FOR_WAIVER'`);
    await inspector.query(`UPDATE step_run SET state = 'OUTCOME_UNKNOWN' WHERE key = 'generate'`);
    const path = `/v1/runs/${run.id}/steps/generate/reconcile`;
    const said = json({ outcome: 'not_accepted', reason: 'I looked' });
    const before = await everything();
    await expectProblem(await app.request(path, { ...said, key: app.instance.keys.test }), 'wrong_mode');
    expect(await everything()).toEqual(before);
  });

  it('opens no live work to strangers, and stops no report that is made by itself', async () => {
    const { principalId } = (await (await app.request('/v1/me', { key: legal.live })).json()) as {
      principalId: string;
    };
    const test = await app.request('/v1/api-keys', json({ principalId, mode: 'test' }));
    const { key } = (await test.json()) as { key: string };
    const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
    const form = postForm(formWith(await noisePicture(), 'a.png', { declaration }));
    const { id: assetId } = (await (await app.request('/v1/assets', form)).json()) as { id: string };
    const ask = (path: string, body: object, by: string) => app.request(path, { ...json(body), key: by });
    const schedule = { kind: 'asset', assetId, format: 'json', cadence: 'monthly' };
    const made = await ask('/v1/report-schedules', schedule, legal.live);
    expect(made.status).toBe(201);
    const { id: scheduleId } = (await made.json()) as { id: string };
    const link = (await (await ask('/v1/share-links', { assetId }, legal.live)).json()) as { id: string };
    const before = await everything();
    for (const [path, body] of [
      ['/v1/share-links', { assetId }],
      [`/v1/share-links/${link.id}/revoke`, {}],
      ['/v1/report-schedules', schedule],
      [`/v1/report-schedules/${scheduleId}/pause`, {}],
      [`/v1/report-schedules/${scheduleId}/end`, {}],
    ] as const)
      await expectProblem(await ask(path, body, key), 'wrong_mode');
    const me = (await (await app.request('/v1/me')).json()) as {
      organizationId: string;
      principalId: string;
    };
    const registration = await new ContributorKey().registration(me);
    await expectProblem(await ask('/v1/signature-keys', registration, app.instance.keys.test), 'wrong_mode');
    expect(await everything()).toEqual(before);
  });

  it('makes no next version of a pipeline that live runs name, and does of one that none does', async () => {
    const steps = [
      { key: 'a', operation: 'generate', model: 'flux-1-schnell@fal', parameters: { prompt: 'x' } },
    ];
    const store = (name: string, key: string) =>
      app.request('/v1/pipelines', { ...json({ name, definition: { steps } }), key });
    expect((await store('used', app.instance.keys.test)).status).toBe(201);
    expect((await store('used', app.instance.keys.test)).status).toBe(201);
    const started = await app.request('/v1/runs', json(productShot(app, { pipeline: 'used', inputs: {} })));
    expect(started.status).toBe(202);
    const before = await everything();
    await expectProblem(await store('used', app.instance.keys.test), 'wrong_mode');
    expect(await everything()).toEqual(before);
    expect((await store('used', app.instance.keys.live)).status).toBe(201);
  });
});
