import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HARMLESS_FACTS, json } from '../support/api.js';
import { JobWorld } from '../support/job-world.js';
import { type PipelineRun, type StepAnswer } from '../support/pipeline-runs.js';

/** Two hundred variations of one brief as one run: for a test key, and at a vendor. */

const VARIATIONS = 200;
const MODEL = 'brand-look.v1@fal';
const PRICE_MICRO_USD = 5_000;

let world: JobWorld;
let useCaseId: string;

beforeAll(async () => {
  world = await JobWorld.start();
  const [row] = await world.inspector.query<{ id: string }>(
    `SELECT id FROM use_case WHERE name = 'hero-image'`,
  );
  useCaseId = `use_${row?.id.replaceAll('-', '')}`;
});
afterAll(() => world.close());

interface Told {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: { stepKey?: string; state?: string; done?: number; total?: number; costMicroUsd?: string };
}

function eventsIn(text: string): Told[] {
  return text.split('\n\n').flatMap((block) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const data = field('data');
    return data === undefined
      ? []
      : [{ id: field('id'), event: field('event') ?? '', data: JSON.parse(data) as Told['data'] }];
  });
}

async function ask<T>(path: string, init: RequestInit & { key?: string } = {}): Promise<T> {
  const answer = await world.app.request(path, init);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Reads the stream until so many changes of steps have come, then hangs up as a client does that loses its network. */
async function firstEvents(runId: string, key: string, count: number): Promise<string> {
  const answer = await world.app.request(`/v1/runs/${runId}/events`, { key });
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (
    eventsIn(text.slice(0, text.lastIndexOf('\n\n') + 2)).filter(({ id }) => id !== undefined).length < count
  ) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text.slice(0, text.lastIndexOf('\n\n') + 2);
}

/** What a run of that size must show: nothing twice, nothing missing, and sums that agree. */
async function follow(runId: string, key: string): Promise<{ run: PipelineRun; steps: StepAnswer[] }> {
  const early = eventsIn(await firstEvents(runId, key, 50)).filter(({ id }) => id !== undefined);
  const last = early.at(-1)?.id ?? '0';
  const rest = await world.app.request(`/v1/runs/${runId}/events`, {
    key,
    headers: { 'last-event-id': last },
  });
  const later = eventsIn(await rest.text());
  const changes = [...early, ...later.filter(({ id }) => id !== undefined)];
  const ids = changes.map(({ id }) => Number(id));
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  const ended = changes.filter(({ event, data }) => event === 'step' && data.state === 'SUCCEEDED');
  expect(new Set(ended.map(({ data }) => data.stepKey)).size).toBe(VARIATIONS);
  expect(ended).toHaveLength(VARIATIONS);
  expect(later.filter(({ event }) => event === 'progress').at(-1)?.data).toMatchObject({
    done: VARIATIONS,
    total: VARIATIONS,
  });
  const steps: StepAnswer[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: StepAnswer[]; nextCursor: string | null } = await ask(
      `/v1/runs/${runId}/steps?limit=100${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      { key },
    );
    steps.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(steps.map(({ key: name }) => name)).toEqual(
    Array.from({ length: VARIATIONS }, (_, index) => `variant.${index + 1}`),
  );
  expect(new Set(steps.map(({ assetId }) => assetId)).size).toBe(VARIATIONS);
  return { run: await ask<PipelineRun>(`/v1/runs/${runId}`, { key }), steps };
}

async function start(model: string, key: string): Promise<string> {
  const name = `brief-${key === world.app.instance.keys.test ? 'test' : 'live'}`;
  const steps = [
    {
      key: 'variant',
      operation: 'generate',
      model,
      each: { input: 'variations' },
      parameters: { prompt: { item: 'prompt' }, seed: { item: 'seed' } },
    },
  ];
  await ask('/v1/pipelines', json({ name, definition: { steps } }));
  const { projectId } = world.app.instance;
  const combine = {
    prompt: ['a bottle on stone', 'a bottle on linen', 'a bottle in snow', 'a bottle at dusk'],
    seed: Array.from({ length: VARIATIONS / 4 }, (_, index) => index),
  };
  const body = { projectId, useCase: 'hero-image', pipeline: name, inputs: { variations: { combine } } };
  return (await ask<{ id: string }>('/v1/runs', { ...json({ ...body, facts: HARMLESS_FACTS }), key })).id;
}

const tookSeconds = async (runId: string): Promise<number> => {
  const uuid = runId.replace(/^run_/, '');
  const [row] = await world.inspector.query<{ seconds: number }>(
    `SELECT extract(epoch FROM finished_at - created_at)::float8 AS seconds FROM run
      WHERE replace(id::text, '-', '') = $1`,
    [uuid],
  );
  return row?.seconds ?? 0;
};

describe(`${VARIATIONS} variations of one brief`, () => {
  it('run for a test key, and can be followed', async () => {
    const { test } = world.app.instance.keys;
    const id = await start('sandbox-generator@sandbox', test);
    const { run } = await follow(id, test);
    expect(run).toMatchObject({
      state: 'SUCCEEDED',
      progress: { total: VARIATIONS, done: VARIATIONS, percent: 100, costMicroUsd: '0' },
    });
    process.stdout.write(`sandbox: ${(await tookSeconds(id)).toFixed(1)} s\n`);
  }, 600_000);

  it('run at a vendor: each charged once, settled, and compared with each other', async () => {
    const { live } = world.app.instance.keys;
    const id = await start(MODEL, live);
    const { run, steps } = await follow(id, live);
    const cost = String(VARIATIONS * PRICE_MICRO_USD);
    expect(run).toMatchObject({ state: 'SUCCEEDED', progress: { percent: 100, costMicroUsd: cost } });
    expect(world.fal.ledger()).toHaveLength(VARIATIONS);
    const [settled] = await world.inspector.query<{ count: number; sum: string }>(
      `SELECT count(*)::int AS count, sum(amount_micro_usd) AS sum FROM money_movement WHERE kind = 'settlement'
         AND step_run_id IN (SELECT id FROM step_run WHERE provider = 'fal')`,
    );
    expect(settled).toEqual({ count: VARIATIONS, sum: cost });
    process.stdout.write(`fake vendor: ${(await tookSeconds(id)).toFixed(1)} s\n`);

    const day = new Date().toISOString().slice(0, 10);
    const items = steps.map(({ assetId }, index) => ({
      key: `row-${index}`,
      variant: `v${String(index).padStart(3, '0')}`,
      assetId,
      day,
      impressions: 10_000,
      clicks: 100 + index,
      conversions: 10,
      revenueMicroUsd: '5000000',
    }));
    await ask(`/v1/use-cases/${useCaseId}/outcomes`, json({ items }));
    const path = `/v1/use-cases/${useCaseId}/return`;
    const report = await ask<{
      variants: { variant: string; clickRateAgainstControl: { distinguishable: boolean } | null }[];
    }>(`${path}?control=v000`);
    expect(report.variants).toHaveLength(VARIATIONS);
    const of = (name: string) => report.variants.find(({ variant }) => variant === name);
    expect(of('v199')?.clickRateAgainstControl).toMatchObject({ distinguishable: true });
    expect(of('v001')?.clickRateAgainstControl).toMatchObject({ distinguishable: false });
    const csv = await (await world.app.request(`${path}/csv?control=v000`)).text();
    expect(csv.trim().split('\r\n')).toHaveLength(VARIATIONS + 1);
    const chart = await (await world.app.request(`${path}/chart?control=v000`)).text();
    expect(chart).toContain('</svg>');
  }, 600_000);
});
