import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { reconcile } from '../../src/cli/reconcile.js';
import { HARMLESS_FACTS, json, productShot, runToEnd } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { parsePublicId } from '../../src/shared/ids.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

/** A model of fal that waits for a waiver: its money is reserved, and nothing is ever sent. */
const PAID = 'flux-1-schnell@fal';
const CEILING_MODEL = 'qwen-image@fal';

let app: TestApplication;
let inspector: Inspector;
let useCaseId: string;

beforeAll(async () => {
  app = await startTestApplication({
    FAL_KEY: 'key:secret',
    COLOPHON_UNKNOWN_PRICE_CEILING_MICRO_USD: '90000',
  });
  inspector = await Inspector.open(app.database);
  const [row] = await inspector.query<{ id: string }>(`SELECT id FROM use_case WHERE name = 'hero-image'`);
  useCaseId = `use_${row?.id.replaceAll('-', '')}`;
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

const paidShot = (model = PAID) =>
  productShot(app, { inputs: { prompt: 'a bottle', width: 1000, height: 1000, model } });
async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await app.request(path, init);
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return (await response.json()) as T;
}
const put = (body: unknown): RequestInit => ({ ...json(body), method: 'PUT' });

interface Accepted {
  id: string;
  steps: { key: string; reservedMicroUsd: string }[];
  warnings: { code: string; level?: string; stepKey?: string }[];
}
const start = (body: unknown) => ask<Accepted>('/v1/runs', json(body));
async function reservedBy({ id }: Accepted): Promise<string | undefined> {
  const { steps } = await ask<Accepted>(`/v1/runs/${id}`);
  return steps.find(({ key }) => key === 'generate')?.reservedMicroUsd;
}

describe('budgets over HTTP', () => {
  it('warn, refuse with what is left, and can be raised', async () => {
    const limits = { softLimitMicroUsd: '2000', hardLimitMicroUsd: '5000' };
    const target = { level: 'use_case', targetId: useCaseId, period: 'month' };
    const budget = await ask<{ id: string }>('/v1/budgets', json({ ...target, ...limits }));
    const first = await start(paidShot());
    expect(first.warnings).toMatchObject([{ code: 'soft_limit_exceeded', level: 'use_case' }]);

    const refused = await app.request('/v1/runs', json(paidShot()));
    const problem = await expectProblem(refused, 'budget_exceeded');
    expect(problem).toMatchObject({
      neededMicroUsd: '3000',
      budgets: [{ id: budget.id, level: 'use_case', remainingMicroUsd: '2000', state: 'above_soft_limit' }],
    });
    await expectProblem(
      await app.request(`/v1/budgets/${budget.id}`, put({ hardLimitMicroUsd: '2999' })),
      'conflict',
    );
    await ask(`/v1/budgets/${budget.id}`, put({ hardLimitMicroUsd: '9000000' }));
    expect((await start(paidShot())).warnings).toEqual([]);
    const metrics = await (await app.request('/metrics', { key: null })).text();
    expect(metrics).toContain('colophon_budget_refusals{level="use_case"} 1');
    expect(metrics).toContain('colophon_budget_soft_limit_crossings{level="use_case"} 1');
  });
});

describe('prices', () => {
  it('are the organization’s own from the day on; what nobody knows is reserved as a ceiling, and said', async () => {
    const price = {
      family: 'per-image',
      tiers: [{ microUsd: 1_234 }],
      sameFor: { traits: ['size'], source: 'contract 17' },
      source: 'contract 17',
      dateRead: '2026-11-01',
      verified: true,
    };
    const row = { provider: 'fal', endpoint: 'fal-ai/flux/schnell', validFrom: '2026-01-01', price };
    await ask('/v1/prices', json(row));
    const own = await start(paidShot());
    expect(await reservedBy(own)).toBe('1234');
    await ask('/v1/prices', json({ ...row, validFrom: '2999-01-01' }));
    const { items: today } = await ask<{ items: { endpoint: string; validFrom: string }[] }>('/v1/prices');
    expect(today.find(({ endpoint }) => endpoint === row.endpoint)).toMatchObject({
      origin: 'organization',
      validFrom: '2026-01-01',
    });
    const { items: recorded } = await ask<{ items: unknown[] }>('/v1/prices/own');
    expect(recorded).toMatchObject([{ validFrom: '2999-01-01' }, { validFrom: '2026-01-01', price }]);
    await ask('/v1/prices', json({ ...row, price: null }));
    const book = await start(paidShot());
    expect(await reservedBy(book)).toBe('3000');

    const unknown = await start(paidShot(CEILING_MODEL));
    expect(await reservedBy(unknown)).toBe('90000');
    expect(unknown.warnings).toMatchObject([{ code: 'price_unknown_ceiling_reserved', stepKey: 'generate' }]);
    const { items } = await ask<{ items: { endpoint: string; known: boolean; origin: string }[] }>(
      '/v1/prices',
    );
    expect(items.find(({ endpoint }) => endpoint === 'fal-ai/qwen-image')).toMatchObject({
      known: false,
      origin: 'ceiling',
    });
  });
});

describe('the choice of a model', () => {
  const question = { operation: 'generate', facts: HARMLESS_FACTS, measure: { kind: 'own_votes' } };
  const route = (rule: unknown) =>
    ask<{ id: string; chosen: { model: string } | null; excluded: { model: string; because: string }[] }>(
      '/v1/routes',
      json({ ...question, useCaseId, rule }),
    );

  it('rests on own votes, excludes what is not cleared, and binds the run that names it', async () => {
    const floor = { kind: 'cheapest_above_floor', floor: 0.1 };
    const none = await route(floor);
    expect(none.chosen).toBeNull();
    expect(none.excluded.find(({ model }) => model === PAID)?.because).toContain('waits for a waiver');

    const run = await runToEnd(app, productShot(app));
    const assetId = run.steps.at(-1)?.assetId ?? '';
    await ask(`/v1/assets/${assetId}/votes`, json({ vote: 'reject' }));
    await ask(`/v1/assets/${assetId}/votes`, json({ vote: 'accept' }));
    const quality = await ask<{ items: unknown[] }>(`/v1/use-cases/${useCaseId}/quality`);
    expect(quality.items).toMatchObject([
      { model: 'studio-scene@studio', accepted: { successes: 1, trials: 1 }, preferred: null },
    ]);

    const chosen = await route(floor);
    expect(chosen.chosen).toMatchObject({ model: 'studio-scene@studio' });
    const followed = await start({ ...productShot(app), routeId: chosen.id });
    expect(followed).toMatchObject({ routeId: chosen.id });
    const elsewhere = { ...HARMLESS_FACTS, audienceCountries: ['CN'] };
    const departed = await expectProblem(
      await app.request('/v1/runs', json({ ...productShot(app, { facts: elsewhere }), routeId: chosen.id })),
      'conflict',
    );
    expect(departed.detail).toContain('chosen for other facts: audienceCountries');
    const square = await ask<{ id: string; parameters: object; facts: object }>(
      '/v1/routes',
      json({ ...question, parameters: { width: 64, prompt: 'kept nowhere' }, useCaseId, rule: floor }),
    );
    expect(square).toMatchObject({ parameters: { width: 64 }, facts: HARMLESS_FACTS });
    expect(JSON.stringify(square)).not.toContain('kept nowhere');
    const wide = productShot(app, { inputs: { prompt: 'a bottle', width: 128, height: 64 } });
    await expectProblem(await app.request('/v1/runs', json({ ...wide, routeId: square.id })), 'conflict');
    await expectProblem(
      await app.request('/v1/runs', json({ ...paidShot(), routeId: chosen.id })),
      'conflict',
    );
  });

  it('is laid out as a matrix with unknowns as null, by one board', async () => {
    const measure = { kind: 'board', board: 'lmarena-text-to-image' };
    const { items } = await ask<{ items: { model: string }[] }>(
      `/v1/use-cases/${useCaseId}/matrix`,
      json({ ...question, parameters: { width: 1000, height: 1000 }, measure }),
    );
    expect(items.find(({ model }) => model === PAID)).toMatchObject({
      price: { estimateMicroUsd: '3000', verified: false },
      quality: null,
      clearance: { decision: 'review' },
    });
    expect(items.find(({ model }) => model === CEILING_MODEL)).toMatchObject({
      price: { estimateMicroUsd: null },
    });
  });

  it('prices the month again with another model, and lists what it cannot price', async () => {
    const month = new Date().toISOString().slice(0, 7);
    const what = (to: string) =>
      ask<Record<string, unknown>>(
        `/v1/use-cases/${useCaseId}/what-if`,
        json({ month, operation: 'generate', from: 'studio-scene@studio', to }),
      );
    expect(await what(PAID)).toMatchObject({
      repriced: 1,
      recordedMicroUsd: '0',
      sameMicroUsd: '0',
      otherMicroUsd: '3000',
      differenceMicroUsd: '3000',
      failed: { steps: 0 },
    });
    expect(await what('studio-scene@studio')).toMatchObject({ repriced: 1, differenceMicroUsd: '0' });
    expect(await what(CEILING_MODEL)).toMatchObject({
      repriced: 0,
      otherMicroUsd: '0',
      unknown: { steps: 1 },
    });
  });
});

describe('the return of a use case', () => {
  const CSV = [
    'key,variant,asset,day,impressions,clicks,conversions,revenue_usd',
    'a,old,,2026-11-01,80,48,,',
    'b,new,,2026-11-01,70,56,3,12.5',
    'c,=cmd,,2026-11-01,70,56,3,12.5',
    'd,new,ast_00000000000000000000000000000000,2026-11-01,1,1,1,1',
    '',
  ].join('\r\n');
  const send = (csv: string) =>
    ask<Record<string, unknown>>(`/v1/use-cases/${useCaseId}/outcomes/import`, {
      method: 'POST',
      body: csv,
      headers: { 'content-type': 'text/csv' },
    });

  it('takes a file twice without counting it twice, reports bad lines, and keeps corrections', async () => {
    expect(await send(CSV)).toMatchObject({
      added: 2,
      unchanged: 0,
      refused: 2,
      badLines: [
        { line: 4, problem: expect.stringContaining('variant') },
        { line: 5, problem: 'asset: there is no asset with this id' },
      ],
    });
    expect(await send(CSV)).toMatchObject({ added: 0, corrected: 0, unchanged: 2, refused: 2 });
    expect(await send(CSV.replace('56,3,12.5', '56,4,12.5'))).toMatchObject({ corrected: 1, unchanged: 1 });
    const rows = await inspector.query('SELECT 1 FROM outcome');
    expect(rows).toHaveLength(3);
    await expectProblem(
      await app.request(`/v1/use-cases/${useCaseId}/outcomes/import`, {
        method: 'POST',
        body: 'name\n1\n',
        headers: { 'content-type': 'text/csv' },
      }),
      'invalid_request',
    );
  });

  it('is shown as JSON, CSV and SVG; what nobody declared is null until somebody does', async () => {
    const today = new Date().toISOString().slice(0, 10);
    const path = `/v1/use-cases/${useCaseId}/return`;
    const period = `?from=2026-11-01&until=${today}&control=old`;
    const before = await ask<Record<string, unknown>>(`${path}${period}`);
    expect(before).toMatchObject({ baseline: null, savedMicroUsd: null, timeToReturn: { kind: 'unknown' } });
    const baseline = { costMicroUsd: '50000000', minutes: 240, investmentMicroUsd: '1', source: 'invoices' };
    await ask(`/v1/use-cases/${useCaseId}/baseline`, json(baseline));
    const after = await ask<Record<string, unknown>>(`${path}${period}`);
    expect(after).toMatchObject({
      baseline: { source: 'invoices' },
      timeToReturn: { kind: 'reached', on: today },
      variants: [
        { variant: 'new', clickRateAgainstControl: { distinguishable: true } },
        { variant: 'old', conversions: null, revenueMicroUsd: null, clickRateAgainstControl: null },
      ],
    });
    const csv = await (await app.request(`${path}/csv${period}`)).text();
    expect(csv.split('\r\n')[2]).toMatch(/^old,1,1,80,48,,,0\.6,/);
    const chart = await app.request(`${path}/chart${period}`);
    expect(chart.headers.get('content-type')).toContain('image/svg+xml');
    expect(await chart.text()).toContain('old</tspan> (control)');
  });
});

describe('reconciliation', () => {
  const command = async (...argv: string[]) => {
    const lines: string[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
    const code = await reconcile([...argv, '--url', app.url], { COLOPHON_API_KEY: app.instance.keys.live });
    log.mockRestore();
    return { code, text: lines.join('\n') };
  };

  it('lists a lost step, asks the vendor, and is settled once with a reason', async () => {
    const run = await start(paidShot());
    const id = parsePublicId('run', run.id);
    await inspector.query(
      `UPDATE step_run SET state = 'OUTCOME_UNKNOWN' WHERE run_id = $1 AND key = 'generate'`,
      [id],
    );
    await inspector.query(`UPDATE run SET state = 'NEEDS_RECONCILIATION' WHERE id = $1`, [id]);
    const open = await command('list', '--ask');
    expect(open.code).toBe(1);
    expect(open.text).toContain('outcome_unknown');
    expect(open.text).toContain('cannot_be_asked');

    const settle = ['settle', run.id, 'generate', '--outcome', 'charged', '--cost', '4000'];
    expect(await command(...settle, '--reason', 'on the invoice')).toMatchObject({ code: 0 });
    const again = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    expect(await command(...settle, '--reason', 'on the invoice')).toMatchObject({ code: 2 });
    again.mockRestore();
    expect(await command('list')).toEqual({ code: 0, text: 'Nothing is open.' });
    const metrics = await (await app.request('/metrics', { key: null })).text();
    expect(metrics).toContain('colophon_settlements_above_reservation 1');
  });

  it('compares counters with the ledger, and names a difference', async () => {
    expect((await command('check')).code).toBe(0);
    await inspector.query(
      `UPDATE budget SET spent_micro_usd = spent_micro_usd + 7 WHERE scope = 'organization'`,
    );
    const { code, text } = await command('check');
    expect(code).toBe(1);
    expect(text).toMatch(/organization: spent is \d+ micro-USD, the ledger says \d+/);
  });
});
