import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalJson, type JsonValue } from '../../src/shared/canonical-json.js';
import { parsePublicId } from '../../src/shared/ids.js';
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
import { Inspector } from '../support/inspector.js';
import { noisePicture } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';
import { IN_A_YEAR } from '../support/days-ahead.js';

interface StoredInput {
  facts: { generatedOn: string };
  lineage: { inputs: { expiresAt: string | null }[] };
}
const OVER = [{ because: 'day', ruleId: 'input-expiry' }];

let fake: FakeFal;
let app: TestApplication;
let inspector: Inspector;
let legal: string;
let photo: string;

beforeAll(async () => {
  fake = await FakeFal.start();
  // Without a worker at first: a run can wait between its acceptance and its first step.
  app = await startTestApplication({
    COLOPHON_ROLES: 'http,sequencer',
    FAL_KEY: FAKE_FAL_CREDENTIALS,
    FAL_BASE_URL: fake.origin,
  });
  inspector = await Inspector.open(app.database);
  legal = (await addPerson(app, ['legal'])).key;
  const declaration = {
    projectId: app.instance.projectId,
    rights: { ...OWN_RIGHTS, expiresAt: '2099-12-31' },
  };
  const form = formWith(await noisePicture(), 'photo.png', { declaration });
  const uploaded = await app.request('/v1/assets', postForm(form));
  expect(uploaded.status).toBe(201);
  photo = ((await uploaded.json()) as { id: string }).id;
  const steps = [
    {
      key: 'recolor',
      operation: 'recolor',
      model: 'studio-recolor@studio',
      parameters: { targetColor: '#ff0000' },
      images: { image: { input: 'photo' } },
    },
    // Its clearance is "review": it runs on a waiver only.
    {
      key: 'generate',
      operation: 'generate',
      model: 'flux-1-schnell@fal',
      parameters: { prompt: 'x' },
      images: {},
    },
  ];
  expect((await app.request('/v1/pipelines', json({ name: 'two', definition: { steps } }))).status).toBe(201);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
  await fake.stop();
});

async function waitingRun(): Promise<RunAnswer> {
  const started = await app.request(
    '/v1/runs',
    json(productShot(app, { pipeline: 'two', inputs: { photo } })),
  );
  const run = (await started.json()) as RunAnswer;
  expect([started.status, run.state]).toEqual([202, 'WAITING_FOR_WAIVER']);
  return run;
}

const view = async (id: string): Promise<RunAnswer> =>
  (await (await app.request(`/v1/runs/${id}`)).json()) as RunAnswer;
const waive = ({ clearanceId }: RunAnswer) =>
  app.request('/v1/waivers', {
    ...json({ clearanceId, reason: 'LEGAL_OPINION', comment: 'x', expiresAt: IN_A_YEAR }),
    key: legal,
  });
async function standingOf({ clearanceId }: RunAnswer): Promise<{ kind: string; changes: unknown[] }> {
  const answer = await app.request(`/v1/clearances/${clearanceId}`);
  return ((await answer.json()) as { standing: { kind: string; changes: unknown[] } }).standing;
}

/** As if it had been decided in January, and the right in the photograph had ended with that month. */
async function letTheRightEnd({ clearanceId }: RunAnswer): Promise<void> {
  const id = parsePublicId('clearance', clearanceId);
  const [row] = await inspector.query<{ input: Buffer }>('SELECT input FROM clearance WHERE id = $1', [id]);
  const input = JSON.parse(row?.input.toString('utf8') ?? '') as StoredInput;
  input.facts.generatedOn = '2026-01-01';
  for (const each of input.lineage.inputs) each.expiresAt = '2026-01-31';
  await inspector.query('BEGIN');
  await inspector.query('ALTER TABLE clearance DISABLE TRIGGER append_only_row');
  await inspector.query('UPDATE clearance SET input = $2 WHERE id = $1', [
    id,
    canonicalJson(input as unknown as JsonValue),
  ]);
  await inspector.query('ALTER TABLE clearance ENABLE ALWAYS TRIGGER append_only_row');
  await inspector.query('COMMIT');
}

describe('a run that waited for a person beyond the last day of a right', () => {
  it('says so, takes no waiver for what is over, and is decided again', async () => {
    const run = await waitingRun();
    expect(await standingOf(run)).toMatchObject({ kind: 'open', changes: [] });
    await letTheRightEnd(run);
    expect(await standingOf(run)).toMatchObject({ kind: 'reopened', changes: OVER });
    const refused = await waive(run);
    expect(await refused.clone().json()).toMatchObject({ reopened: OVER });
    await expectProblem(refused, 'conflict');
    const again = await app.request(`/v1/clearances/${run.clearanceId}/decide-again`, {
      ...json({}),
      key: legal,
    });
    expect(again.status).toBe(201);
    expect(await again.json()).toMatchObject({
      decision: 'deny',
      findings: expect.arrayContaining([
        expect.objectContaining({ ruleId: 'input-expiry', severity: 'deny' }),
      ]),
      startedRunIds: [],
    });
    expect((await view(run.id)).state).toBe('WAITING_FOR_WAIVER');
    expect((await standingOf(run)).kind).toBe('denied');
  });

  it('is not sent although it was waived in time, and its end does not reopen what is finished', async () => {
    const run = await waitingRun();
    expect((await waive(run)).status).toBe(201);
    expect((await view(run.id)).state).toBe('RUNNING');
    expect((await standingOf(run)).kind).toBe('holds');
    await letTheRightEnd(run);
    expect(await standingOf(run)).toMatchObject({ kind: 'reopened', changes: OVER });
    await app.services.stepWorker.start();
    await (await app.request(`/v1/runs/${run.id}/events`)).text();
    const ended = await view(run.id);
    expect(ended.state).toBe('FAILED');
    const outcomes = ended.steps.map(({ state, error }) => [state, error?.code]);
    expect(outcomes).toContainEqual(['FAILED', 'clearance_under_review']);
    expect(ended.steps.map(({ assetId }) => assetId)).toEqual([null, null]);
    expect(fake.attempts()).toEqual([]);
    expect(await standingOf(run)).toMatchObject({ kind: 'holds', changes: [] });
  });
});
