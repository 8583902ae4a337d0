import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parsePublicId } from '../../src/shared/ids.js';
import { eventually } from '../support/eventually.js';
import { addPerson, formWith, json, postForm, RETOUCH } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { retouched } from '../support/pictures.js';
import { generate, type PipelineRun, PipelineRuns, SANDBOX } from '../support/pipeline-runs.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

let app: TestApplication;
let inspector: Inspector;
let runs: PipelineRuns;
let second: PipelineRuns;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  runs = new PipelineRuns(app);
  second = runs.as((await addPerson(app, ['creator', 'reviewer'], { mode: 'test' })).key);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

const statesOf = ({ steps }: PipelineRun) => Object.fromEntries(steps.map(({ key, state }) => [key, state]));

/** What is reserved and not settled or given back, over all runs. */
async function openReservations(): Promise<string[]> {
  const rows = await inspector.query<{ key: string }>(
    `SELECT s.key FROM step_run s WHERE s.state IN ('SUCCEEDED', 'FAILED', 'CANCELED') AND NOT EXISTS
       (SELECT 1 FROM money_movement m WHERE m.step_run_id = s.id AND m.kind <> 'reservation')`,
  );
  return rows.map(({ key }) => key);
}

describe('a list of variations', () => {
  const VARIATIONS = { combine: { prompt: ['red', 'blue', 'sandbox:fail-upstream'], seed: [1, 2] } };

  it('is made item by item; what fails is seen, and a person chooses among the rest', async () => {
    const id = await runs.start('ad-variations', {
      variations: [
        ...['red', 'blue', 'sandbox:fail-upstream'].map((prompt) => ({
          prompt,
          model: SANDBOX,
          width: 256,
          height: 256,
        })),
      ],
    });
    const { waitsFor } = await runs.stepIn(id, 'pick', 'WAITING');
    const half = await runs.get(id);
    expect(half.state).toBe('RUNNING');
    expect(half.progress).toMatchObject({
      total: 5,
      done: 3,
      percent: 60,
      counts: { SUCCEEDED: 2, FAILED: 1 },
    });
    const made = half.steps.flatMap(({ key, assetId }) =>
      key.startsWith('variant.') ? (assetId ?? []) : [],
    );
    expect(waitsFor).toMatchObject({ roles: ['creator', 'reviewer'], shown: made });
    const [lease] = await inspector.query(
      `SELECT lease_token FROM step_run WHERE state = 'WAITING' AND lease_token IS NOT NULL`,
    );
    expect(lease).toBeUndefined();

    const chosen = made[1] ?? '';
    await expectProblem(await runs.answer(id, 'pick', { outcome: 'approved' }), 'conflict');
    const foreign = (await runs.get(id)).id.replace('run_', 'ast_');
    await expectProblem(
      await runs.answer(id, 'pick', { outcome: 'chosen', assetId: foreign }),
      'invalid_request',
    );
    const answer = await second.answer(id, 'pick', {
      outcome: 'chosen',
      assetId: chosen,
      comment: 'the calm one',
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { state: 'SUCCEEDED', assetId: chosen },
    ]);
    await expectProblem(await runs.answer(id, 'pick', { outcome: 'chosen', assetId: chosen }), 'conflict');

    const run = await runs.ended(id);
    expect(run).toMatchObject({ state: 'PARTIALLY_SUCCEEDED', progress: { done: 5, percent: 100 } });
    const lineage = await (await app.request(`/v1/assets/${run.steps.at(-1)?.assetId}/lineage`)).text();
    expect(lineage).toContain(chosen);
    const pick = run.steps.find(({ key }) => key === 'pick');
    const [answered] = await runs.entries(pick?.id ?? '', 'step.answered');
    expect(answered?.data).toMatchObject({ outcome: 'chosen', shown: made, assetId: chosen });
    const authorship = await (await app.request(`/v1/assets/${run.steps.at(-1)?.assetId}/authorship`)).json();
    const { claimed, uncertain } = authorship as Record<
      'claimed' | 'uncertain',
      { contributionId: string }[]
    >;
    // One of several was chosen: by itself no arrangement of a larger work.
    expect(claimed).toEqual([]);
    expect(uncertain).toMatchObject([
      { assetId: chosen, actionType: 'SELECTION', basis: 'selection_coordination_arrangement' },
    ]);
    const [recorded] = await runs.entries(uncertain[0]?.contributionId ?? '', 'contribution.recorded');
    expect(recorded?.data).toMatchObject({
      actionType: 'SELECTION',
      shown: made,
      capture: 'automatic',
    });
  });

  it('of many is read by pages and by state, and its events are changes with numbers', async () => {
    const pipeline = await runs.define(
      generate('v', { prompt: { item: 'prompt' }, seed: { item: 'seed' } }, { each: { input: 'list' } }),
    );
    const id = await runs.start(pipeline, { list: VARIATIONS });
    const events = await (await app.request(`/v1/runs/${id}/events`, { key: app.instance.keys.test })).text();
    const last = events
      .split('\n\n')
      .filter((event) => event.startsWith('event: progress'))
      .at(-1);
    expect(JSON.parse(last?.split('data: ')[1] ?? '')).toMatchObject({
      total: 6,
      done: 6,
      percent: 100,
      counts: { SUCCEEDED: 4, FAILED: 2 },
      costMicroUsd: '0',
    });
    const page = (query: string) =>
      app.request(`/v1/runs/${id}/steps?${query}`).then(
        async (answer) =>
          (await answer.json()) as {
            items: { key: string }[];
            nextCursor: string | null;
          },
      );
    const first = await page('limit=4');
    expect(first.items.map(({ key }) => key)).toEqual(['v.1', 'v.2', 'v.3', 'v.4']);
    const rest = await page(`limit=4&cursor=${first.nextCursor}`);
    expect([rest.items.map(({ key }) => key), rest.nextCursor]).toEqual([['v.5', 'v.6'], null]);
    expect((await page('state=FAILED')).items.map(({ key }) => key)).toEqual(['v.5', 'v.6']);
    // A client that comes back gets what it has not seen.
    const ids = [...events.matchAll(/^id: (\d+)$/gm)].map(([, ordinal]) => ordinal ?? '');
    const again = await app.request(`/v1/runs/${id}/events`, {
      headers: { 'last-event-id': ids.at(-2) ?? '' },
    });
    expect([...(await again.text()).matchAll(/^id: (\d+)$/gm)].map(([, ordinal]) => ordinal)).toEqual([
      ids.at(-1),
    ]);
  });

  it('beyond the limit is refused before anything is reserved', async () => {
    const [before] = await inspector.query<{ count: string }>('SELECT count(*) FROM step_run');
    const items = Array.from({ length: 499 }, () => ({ prompt: 'x' }));
    const ten = Array.from({ length: 10 }, (_unused, index) => `${index}`);
    const combine = { prompt: ten, a: ten, b: ten, c: ten, d: ten, e: ten };
    for (const variations of [items, [...items, ...items], { combine }])
      await expectProblem(await runs.begin('ad-variations', { variations }), 'pipeline_too_large');
    expect(await inspector.query('SELECT count(*) FROM step_run')).toEqual([before]);
  });
});

describe('people in a pipeline', () => {
  const APPROVAL = {
    key: 'ok',
    operation: 'wait-for-approval',
    roles: ['creator', 'reviewer'],
    images: { image: { step: 'a' } },
  };

  it('approve with four eyes: not who started the run; a no ends it, and the rest is given back', async () => {
    const pipeline = await runs.define(generate('a', { prompt: 'x' }), APPROVAL, {
      key: 'b',
      operation: 'upscale',
      model: 'studio-upscale@studio',
      parameters: { factor: 2 },
      images: { image: { step: 'ok' } },
    });
    const yes = await runs.start(pipeline);
    const no = await runs.start(pipeline);
    await runs.stepIn(yes, 'ok', 'WAITING');
    await expectProblem(await runs.answer(yes, 'ok', { outcome: 'approved' }), 'four_eyes_required');
    await expectProblem(
      await runs.as(app.instance.keys.live).answer(yes, 'ok', { outcome: 'approved' }),
      'wrong_mode',
    );
    const program = await addPerson(app, ['creator', 'reviewer'], { mode: 'test', kind: 'service' });
    for (const outcome of ['approved', 'rejected'])
      await expectProblem(
        await runs.as(program.key).answer(yes, 'ok', { outcome, comment: 'x' }),
        'forbidden',
      );
    expect((await second.answer(yes, 'ok', { outcome: 'approved' })).status).toBe(200);
    await runs.stepIn(no, 'ok', 'WAITING');
    expect((await second.answer(no, 'ok', { outcome: 'rejected', comment: 'dull' })).status).toBe(200);
    expect(statesOf(await runs.ended(yes))).toEqual({ a: 'SUCCEEDED', ok: 'SUCCEEDED', b: 'SUCCEEDED' });
    const run = await runs.ended(no);
    expect([run.state, statesOf(run)]).toEqual(['FAILED', { a: 'SUCCEEDED', ok: 'FAILED', b: 'CANCELED' }]);
  });

  it('edit: a contribution to what is shown becomes the output, and nothing else does', async () => {
    const pipeline = await runs.define(
      generate('a', { prompt: 'x' }),
      { key: 'touch', operation: 'wait-for-edit', images: { image: { step: 'a' } } },
      {
        key: 'b',
        operation: 'upscale',
        model: 'studio-upscale@studio',
        parameters: { factor: 2 },
        images: { image: { step: 'touch' } },
      },
    );
    const id = await runs.start(pipeline);
    const shown = (await runs.stepIn(id, 'touch', 'WAITING')).waitsFor?.shown[0] ?? '';
    const key = app.instance.keys.test;
    const content = Buffer.from(
      await (await app.request(`/v1/assets/${shown}/content`, { key })).arrayBuffer(),
    );
    const form = formWith(await retouched(content), 'e.png', { contribution: RETOUCH });
    const edited = await app.request(`/v1/assets/${shown}/contributions`, { ...postForm(form), key });
    const { asset: version } = (await edited.json()) as { asset: { id: string } };
    const assetId = version.id;
    await expectProblem(
      await runs.answer(id, 'touch', { outcome: 'edited', assetId: shown }),
      'invalid_request',
    );
    expect((await runs.answer(id, 'touch', { outcome: 'edited', assetId })).status).toBe(200);
    const run = await runs.ended(id);
    expect(run.state).toBe('SUCCEEDED');
    const lineage = await (await app.request(`/v1/assets/${run.steps.at(-1)?.assetId}/lineage`)).text();
    expect(lineage).toContain(assetId);
  });

  it('have time until a deadline; then the step has failed and the run ends', async () => {
    const id = await runs.start(
      await runs.define(generate('a', { prompt: 'x' }), { ...APPROVAL, deadlineMinutes: 1 }),
    );
    const { id: stepId } = await runs.stepIn(id, 'ok', 'WAITING');
    await inspector.query(`UPDATE step_run SET waits_until = now() - interval '1 second' WHERE id = $1`, [
      parsePublicId('stepRun', stepId),
    ]);
    await expectProblem(await second.answer(id, 'ok', { outcome: 'approved' }), 'deadline_passed');
    // The wake-up that is due at the deadline is due now.
    await inspector.query(`UPDATE pgboss.job SET start_after = now() WHERE data->>'stepRunId' = $1`, [
      parsePublicId('stepRun', stepId),
    ]);
    const run = await runs.ended(id);
    expect([run.state, run.steps[1]?.error?.code]).toEqual(['FAILED', 'deadline_passed']);
  });
});

describe('conditions', () => {
  it('skip a step, hand its input on, or branch on what became of another one', async () => {
    const upscale = (key: string, value: number, otherwise: string, step: string) => ({
      key,
      operation: 'upscale',
      model: 'studio-upscale@studio',
      parameters: { factor: 2 },
      images: { image: { step } },
      when: { step: 'a', fact: 'width', compare: 'below', value, otherwise },
    });
    const pipeline = await runs.define(
      generate('a', { prompt: 'x' }),
      generate('lost', { prompt: 'sandbox:fail-upstream' }, { onFailure: 'continue' }),
      upscale('small', 1000, 'skip', 'a'),
      upscale('tiny', 100, 'pass', 'a'),
      upscale('never', 100, 'skip', 'a'),
      upscale('after-never', 1000, 'skip', 'never'),
      upscale('after-tiny', 1000, 'skip', 'tiny'),
      generate(
        'instead',
        { prompt: 'y' },
        { when: { step: 'lost', fact: 'outcome', compare: 'equals', value: 'FAILED' } },
      ),
    );
    const run = await runs.ended(await runs.start(pipeline));
    expect([run.state, statesOf(run)]).toEqual([
      'PARTIALLY_SUCCEEDED',
      {
        a: 'SUCCEEDED',
        lost: 'FAILED',
        small: 'SUCCEEDED',
        tiny: 'SKIPPED',
        never: 'SKIPPED',
        'after-never': 'SKIPPED',
        'after-tiny': 'SUCCEEDED',
        instead: 'SUCCEEDED',
      },
    ]);
    const byKey = new Map(run.steps.map((step) => [step.key, step]));
    expect(byKey.get('tiny')?.assetId).toBe(byKey.get('a')?.assetId);
    expect(byKey.get('after-never')?.skipReason).toBe('input_missing');
    const [skipped] = await runs.entries(byKey.get('tiny')?.id ?? '', 'step.skipped');
    expect(skipped?.data).toMatchObject({ reason: 'condition', passedAssetId: byKey.get('a')?.assetId });
    expect(await openReservations()).toEqual([]);
  });
});

describe('after a certain failure', () => {
  it('another model stands in, and run, log and manifest say which and why', async () => {
    const pipeline = await runs.define(
      generate(
        'a',
        { prompt: 'sandbox:refuse-content' },
        {
          fallbacks: [{ model: 'flux-1-schnell@fal', parameters: { prompt: 'ok', width: 256, height: 256 } }],
        },
      ),
    );
    const started = (await (await runs.begin(pipeline)).json()) as { id: string; state: string };
    // The fallback was cleared with the rest: its license is the one that sends to review.
    expect(started.state).toBe('WAITING_FOR_WAIVER');
    const only = await runs.define(
      generate(
        'a',
        { prompt: 'sandbox:refuse-content' },
        { fallbacks: [{ model: SANDBOX, parameters: { prompt: 'ok', width: 256, height: 256 } }] },
      ),
    );
    const run = await runs.ended(await runs.start(only));
    expect(run).toMatchObject({
      state: 'SUCCEEDED',
      steps: [{ fallback: { insteadOf: SANDBOX, reason: 'upstream_error' }, error: null }],
    });
    const [step] = run.steps;
    const entries = await runs.entries(step?.id ?? '');
    expect(entries.map(({ type }) => type)).toEqual([
      'step.submitted',
      'step.attempt_failed',
      'step.submitted',
      'step.settled',
    ]);
    expect(entries[1]?.data).toMatchObject({
      code: 'upstream_error',
      next: 'fallback',
      nextListingId: SANDBOX,
    });
    const manifest = await (await app.request(`/v1/assets/${step?.assetId}/manifest`)).text();
    expect(JSON.stringify(JSON.parse(manifest))).toContain(
      JSON.stringify({ insteadOf: SANDBOX, reason: 'upstream_error' }).slice(1, -1),
    );
  });

  it('the dossier of what was made knows both to whom requests went', async () => {
    const scene = 'studio-scene@studio';
    const pipeline = await runs.define(
      generate(
        'a',
        { prompt: 'sandbox:refuse-content' },
        { fallbacks: [{ model: scene, parameters: { prompt: 'ok' } }] },
      ),
    );
    const { steps } = await runs.ended(await runs.start(pipeline));
    const { key } = await addPerson(app, ['legal']);
    const body = { kind: 'asset', format: 'json', assetId: steps[0]?.assetId };
    const asked = (await (await app.request('/v1/reports', { ...json(body), key })).json()) as { id: string };
    await eventually('the report is done', async () => {
      const view = await (await app.request(`/v1/reports/${asked.id}`, { key })).json();
      return (view as { state: string }).state === 'DONE' || undefined;
    });
    const dossier = (await (await app.request(`/v1/reports/${asked.id}/content`, { key })).json()) as {
      runs: { sentTo: unknown[] }[];
    };
    expect(dossier.runs.map(({ sentTo }) => sentTo)).toEqual([
      [
        { provider: 'sandbox', listingId: SANDBOX },
        { provider: 'studio', listingId: scene },
      ],
    ]);
  });

  it('the same model is asked again later; until then nothing is sent, and a cancellation ends it', async () => {
    const pipeline = await runs.define(
      generate('a', { prompt: 'sandbox:busy' }, { retry: { attempts: 2, backoffSeconds: 600 } }),
    );
    const id = await runs.start(pipeline);
    const step = await eventually('a retry is due', async () => {
      const [first] = (await runs.get(id)).steps;
      return first?.retry ? first : undefined;
    });
    const stepId = parsePublicId('stepRun', step.id);
    // Woken too early, again and again: it waits for its time.
    const { organizationId } = app.instance;
    const waited = parsePublicId('organization', organizationId) ?? '';
    for (let turn = 0; turn < 3; turn++) await app.services.advanceStep.advance(waited, stepId ?? '');
    const due = (await runs.get(id)).steps[0];
    expect(due).toMatchObject({ state: 'RESERVED', retry: { attempts: 1, reason: 'upstream_error' } });
    await inspector.query(`UPDATE step_run SET retry_at = now() WHERE id = $1`, [stepId]);
    await app.services.advanceStep.advance(waited, stepId ?? '');
    expect((await runs.get(id)).steps[0]).toMatchObject({ state: 'RESERVED', retry: { attempts: 2 } });
    expect((await runs.entries(due?.id ?? '', 'step.submitted')).length).toBe(2);
    await runs.post(`/v1/runs/${id}/cancel`);
    expect(statesOf(await runs.ended(id))).toEqual({ a: 'CANCELED' });
    expect(await openReservations()).toEqual([]);
  });

  it('a run is gone on with: what was made stays, what cost nothing is tried again, once', async () => {
    const pipeline = await runs.define(
      generate('v', { prompt: { item: 'prompt' } }, { each: { input: 'list' } }),
      { key: 'pick', operation: 'choose', images: { image: { step: 'v' } } },
    );
    const id = await runs.start(pipeline, {
      list: [{ prompt: 'a' }, { prompt: 'sandbox:fail-upstream' }, { prompt: 'sandbox:garbage' }],
    });
    const shown = (await runs.stepIn(id, 'pick', 'WAITING')).waitsFor?.shown ?? [];
    await expectProblem(await runs.post(`/v1/runs/${id}/resume`), 'run_not_resumable');
    await runs.answer(id, 'pick', { outcome: 'chosen', assetId: shown[0] });
    const failed = await runs.ended(id);
    expect(failed.state).toBe('PARTIALLY_SUCCEEDED');
    await expectProblem(await second.post(`/v1/runs/${id}/resume`), 'forbidden');
    const resumed = (await (await runs.post(`/v1/runs/${id}/resume`)).json()) as PipelineRun;
    expect(resumed.resumes).toBe(id);
    const run = await runs.ended(resumed.id);
    // The third one was answered, and with that perhaps paid: it is not asked again.
    expect(run.steps.map(({ key, state, skipReason }) => [key, state, skipReason])).toEqual([
      ['v.1', 'SKIPPED', 'substituted'],
      ['v.2', 'FAILED', null],
      ['v.3', 'SKIPPED', 'failed_before'],
      ['pick', 'SKIPPED', 'substituted'],
    ]);
    expect(run.steps[0]?.assetId).toBe(failed.steps[0]?.assetId);
    expect((await runs.get(id)).resumedBy).toBe(resumed.id);
    await expectProblem(await runs.post(`/v1/runs/${id}/resume`), 'run_not_resumable');
    const [accepted] = await runs.entries(resumed.id, 'run.accepted');
    expect(accepted?.data.resumes).toBe(id);
  });
});

describe('templates', () => {
  const models = (...inputs: string[]) => Object.fromEntries(inputs.map((input) => [input, SANDBOX]));
  const small = { prompt: 'a bottle', width: 256, height: 256 };

  it.each([
    [
      'product-photography',
      { ...small, setting: 'on sand', ...models('model', 'placeModel') },
      ['image/png'],
    ],
    ['style-lora', { ...small, ...models('model') }, ['image/png']],
    [
      'branded-film',
      {
        ...small,
        motion: 'turn',
        script: 'Hello',
        music: 'calm',
        ...models('model', 'motionModel', 'voiceModel', 'musicModel'),
      },
      ['video/mp4', 'audio/wav'],
    ],
    ['game-asset', { ...small, ...models('model', 'shapeModel') }, ['model/gltf-binary']],
  ])('%s runs with a test key from beginning to end', async (name, inputs, mediaTypes) => {
    const run = await runs.ended(await runs.start(name, inputs));
    expect([run.state, run.steps.filter(({ error }) => error)]).toEqual(['SUCCEEDED', []]);
    const assets = await Promise.all(
      run.steps.map(async ({ assetId }) => (await app.request(`/v1/assets/${assetId}`)).json()),
    );
    const made = assets.map((asset) => (asset as { mediaType: string }).mediaType);
    for (const mediaType of mediaTypes) expect(made).toContain(mediaType);
  });

  it('recolor makes one photograph in several colors', async () => {
    const source = await runs.ended(await runs.start('style-lora', { ...small, ...models('model') }));
    const colors = [{ color: '#b4232f' }, { color: '#2f6fb4' }];
    const run = await runs.ended(await runs.start('recolor', { photo: source.steps[0]?.assetId, colors }));
    expect(statesOf(run)).toEqual({ 'recolor.1': 'SUCCEEDED', 'recolor.2': 'SUCCEEDED' });
  });
});

describe('the import of a workflow of fal', () => {
  const workflow = {
    input: { id: 'input', type: 'input', depends: [], input: { prompt: '' } },
    node_1: {
      id: 'node_1',
      type: 'run',
      depends: ['input'],
      app: 'fal-ai/flux/schnell',
      input: { prompt: '$input.prompt' },
    },
    output: { id: 'output', type: 'display', depends: ['node_1'], fields: { image: '$node_1.images.0.url' } },
  };
  const body = { name: 'from-fal', format: 'fal-workflow', workflow };

  it('stores it as a pipeline that is cleared like any other', async () => {
    const live = runs.as(app.instance.keys.live);
    const stored = await live.post('/v1/pipelines/import', body);
    expect([stored.status, await stored.json()]).toMatchObject([
      201,
      {
        name: 'from-fal',
        version: 1,
        definition: { steps: [{ key: 'node-1', model: 'flux-1-schnell@fal' }] },
      },
    ]);
    const started = (await (await runs.begin('from-fal', { prompt: 'x' })).json()) as { state: string };
    expect(started.state).toBe('WAITING_FOR_WAIVER');
  });

  it('refuses what it cannot translate, with the place', async () => {
    const node_1 = { ...workflow.node_1, app: 'fal-ai/unheard-of' };
    const live = runs.as(app.instance.keys.live);
    const answer = await live.post('/v1/pipelines/import', { ...body, workflow: { ...workflow, node_1 } });
    expect([answer.status, await answer.json()]).toMatchObject([
      422,
      { code: 'pipeline_invalid', errors: [{ path: 'node_1.app' }] },
    ]);
  });
});
