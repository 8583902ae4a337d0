import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { addPerson, json, productShot, type RunAnswer } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

let app: TestApplication;
let inspector: Inspector;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

const start = (key: string, changes: Record<string, unknown> = {}, apiKey = app.instance.keys.live) =>
  app.request('/v1/runs', {
    ...json(
      productShot(app, { pipeline: 'shot', inputs: { prompt: 'x', width: 256, height: 256 }, ...changes }),
      {
        'idempotency-key': key,
      },
    ),
    key: apiKey,
  });
const runCount = async () => (await inspector.footprint()).run ?? 0;
const toEnd = async (id: string) => (await app.request(`/v1/runs/${id}/events`)).text();

beforeAll(async () => {
  const steps = [
    {
      key: 'generate',
      operation: 'generate',
      model: 'studio-scene@studio',
      parameters: { prompt: { input: 'prompt' }, width: { input: 'width' }, height: { input: 'height' } },
      images: {},
    },
  ];
  const created = await app.request('/v1/pipelines', json({ name: 'shot', definition: { steps } }));
  expect(created.status).toBe(201);
});

describe('Idempotency-Key', () => {
  it('is required wherever something is spent or signed', async () => {
    const without = (path: string, body: unknown) =>
      app.request(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
    const before = await inspector.footprint();
    await expectProblem(await without('/v1/runs', productShot(app)), 'idempotency_key_required');
    const assetId = `ast_${'0'.repeat(32)}`;
    const report = { kind: 'asset', format: 'json', assetId };
    await expectProblem(await without('/v1/reports', report), 'idempotency_key_required');
    expect(await inspector.footprint()).toEqual(before);
  });

  it.each([
    ['empty', ''],
    ['of 256 characters', 'k'.repeat(256)],
    ['with a tab', 'a\tb'],
    ['with a letter beyond ASCII', 'schl\u00fcssel'],
  ])('is refused when it is %s', async (_what, key) => {
    const before = await inspector.footprint();
    await expectProblem(await start(key), 'invalid_idempotency_key');
    expect(await inspector.footprint()).toEqual(before);
  });

  it('gives the first answer again, byte by byte, and starts nothing', async () => {
    const key = 'k'.repeat(255);
    const first = await start(key);
    expect(first.status).toBe(202);
    const text = await first.text();
    await toEnd((JSON.parse(text) as RunAnswer).id);
    const before = await inspector.footprint();
    const second = await start(key);
    expect([second.status, await second.text()]).toEqual([202, text]);
    expect(await inspector.footprint()).toEqual(before);
  });

  it('cannot be used for another body, another route, or by another person', async () => {
    const key = randomUUID();
    const { id } = (await (await start(key)).json()) as RunAnswer;
    await toEnd(id);
    const other = await addPerson(app, ['creator', 'legal']);
    const before = await inspector.footprint();
    await expectProblem(await start(key, { useCase: 'feed-thumbnail' }), 'idempotency_key_reused');
    await expectProblem(await start(key, {}, other.key), 'idempotency_key_reused');
    const report = { kind: 'asset', format: 'json', assetId: `ast_${'0'.repeat(32)}` };
    await expectProblem(
      await app.request('/v1/reports', json(report, { 'idempotency-key': key })),
      'idempotency_key_reused',
    );
    expect(await inspector.footprint()).toEqual(before);
  });

  it('is free again after a refusal, so that the request can be corrected', async () => {
    const key = randomUUID();
    await expectProblem(await start(key, { pipeline: 'no-such' }), 'unknown_pipeline');
    const corrected = await start(key);
    expect(corrected.status).toBe(202);
    await toEnd(((await corrected.json()) as RunAnswer).id);
  });

  it('gives the refusal of the licenses again, recorded once', async () => {
    const key = randomUUID();
    const denied = {
      pipeline: 'product-shot',
      inputs: { prompt: 'x', model: 'hunyuan-image-3.0@fal' },
      facts: { purpose: 'commercial', audienceCountries: ['DE'], organizationRevenueUsd: 1_000_000 },
    };
    const first = await start(key, denied);
    const problem = await expectProblem(first.clone(), 'clearance_denied');
    const before = await inspector.footprint();
    const second = await start(key, denied);
    expect(await second.text()).toBe(await first.text());
    expect(problem.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await inspector.footprint()).toEqual(before);
  });

  it('starts one run for twenty requests at once', async () => {
    const key = randomUUID();
    const before = await runCount();
    const answers = await Promise.all(Array.from({ length: 20 }, () => start(key)));
    const accepted = answers.filter(({ status }) => status === 202);
    expect(accepted.length).toBeGreaterThanOrEqual(1);
    const ids = await Promise.all(accepted.map(async (answer) => ((await answer.json()) as RunAnswer).id));
    expect(new Set(ids).size).toBe(1);
    for (const refused of answers.filter(({ status }) => status !== 202)) {
      expect(refused.headers.get('retry-after')).toBe('1');
      await expectProblem(refused, 'idempotency_in_flight');
    }
    expect(await runCount()).toBe(before + 1);
    await toEnd(ids[0] ?? '');
  });

  it('starts one run even when the first request outlives its lock and a retry overtakes it', async () => {
    const key = randomUUID();
    const before = await runCount();
    const blocker = await Inspector.open(app.database);
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE run IN SHARE MODE');
    const waitForBlocked = async (count: number) => {
      for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
        const [row] = await inspector.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        if ((row?.n ?? 0) >= count) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`no ${count} requests are waiting`);
    };
    const first = start(key);
    await waitForBlocked(1);
    await expectProblem(await start(key), 'idempotency_in_flight');
    await inspector.query(`UPDATE idempotency_key SET locked_until = now() - interval '1 s' WHERE key = $1`, [
      key,
    ]);
    const second = start(key);
    await waitForBlocked(2);
    await blocker.query('COMMIT');
    await blocker.close();
    const answers = await Promise.all([first, second]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect(await runCount()).toBe(before + 1);
    const winner = answers.find(({ status }) => status === 202);
    const { id } = (await winner?.json()) as RunAnswer;
    await toEnd(id);
    expect(((await (await start(key)).json()) as RunAnswer).id).toBe(id);
  });
});
