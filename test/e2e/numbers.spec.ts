import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  formWith,
  HARMLESS_FACTS,
  json,
  OWN_RIGHTS,
  postForm,
  productShot,
  runToEnd,
} from '../support/api.js';
import { dayAhead } from '../support/days-ahead.js';
import { Inspector } from '../support/inspector.js';
import { noisePicture } from '../support/pictures.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

/** Numbers that would be believed: what is misspelled, not there yet, or not stated is refused or unknown. */
let app: TestApplication;
let useCaseId: string;
let liveAsset: string;

beforeAll(async () => {
  app = await startTestApplication({
    FAL_KEY: 'key:secret',
    OPENAI_API_KEY: 'sk-nobody-will-be-called-here',
  });
  const inspector = await Inspector.open(app.database);
  const [row] = await inspector.query<{ id: string }>(`SELECT id FROM use_case WHERE name = 'hero-image'`);
  await inspector.close();
  useCaseId = `use_${row?.id.replaceAll('-', '')}`;
  liveAsset = (await runToEnd(app, productShot(app))).steps.at(-1)?.assetId ?? '';
});
afterAll(() => app.close());

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await app.request(path, init);
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return (await response.json()) as T;
}
const put = (body: unknown): RequestInit => ({ ...json(body), method: 'PUT' });
const TODAY = dayAhead(0);
const inUseCase = (path: string) => `/v1/use-cases/${useCaseId}/${path}`;

describe('outcomes', () => {
  interface Recorded {
    added: number;
    badLines: { line: number; problem: string }[];
  }
  const record = (...items: object[]) => ask<Recorded>(inUseCase('outcomes'), json({ items }));
  const row = (key: string, more: object) => ({ key, variant: 'new', impressions: 9, clicks: 1, ...more });

  it('of days to come, and of assets that were not there or are of the sandbox, are left out by name', async () => {
    const played = await runToEnd(app, productShot(app), app.instance.keys.test);
    const testAsset = played.steps.at(-1)?.assetId;
    const { added, badLines } = await record(
      row('today', { day: TODAY, assetId: liveAsset }),
      row('tomorrow elsewhere'.replace(' ', '-'), { day: dayAhead(2) }),
      row('before', { day: '2020-01-01', assetId: liveAsset }),
      row('played', { day: TODAY, assetId: testAsset }),
    );
    expect(added).toBe(1);
    expect(badLines).toEqual([
      { line: 2, problem: 'day: it is yet to come, and nothing has come of it' },
      { line: 3, problem: expect.stringMatching(/^day: the asset was made on 20\d\d-\d\d-\d\d or later$/) },
      { line: 4, problem: 'asset: it was made with a test key, and outcomes are of live assets' },
    ]);
  });

  it('of an uploaded file may be older than its upload', async () => {
    const declaration = { projectId: app.instance.projectId, rights: OWN_RIGHTS };
    const form = formWith(await noisePicture(), 'old.png', { declaration });
    const { id } = await ask<{ id: string }>('/v1/assets', postForm(form));
    const old = { variant: 'old', impressions: 80, clicks: 48 };
    expect(await record(row('upload', { ...old, day: '2020-01-01', assetId: id }))).toMatchObject({
      added: 1,
    });
    expect(await record(row('year-0', { day: '2020-01-01' }))).toMatchObject({ added: 1 });
    await expectProblem(
      await app.request(inUseCase('outcomes'), json({ items: [row('a', { day: '0000-01-01' })] })),
      'invalid_request',
    );
  });

  it('have no digits of US dollars taken for micro-USD', async () => {
    const csv = `key,variant,day,revenue_usd\nr,rich,${TODAY},1234567890\n`;
    const sent = { method: 'POST', body: csv, headers: { 'content-type': 'text/csv' } };
    expect(await ask(inUseCase('outcomes/import'), sent)).toMatchObject({
      added: 0,
      badLines: [{ line: 2, problem: expect.stringContaining('below 1000000000') }],
    });
  });

  it.each([
    ['key;variant;day\na;new;2026-11-01\n', 'separated by semicolons'],
    [Buffer.from('\ufeffkey,variant,day\n', 'utf16le'), 'not in UTF-8'],
  ])('are refused in a file that is no such CSV: %j', async (body, problem) => {
    const sent = { method: 'POST', body, headers: { 'content-type': 'text/csv' } };
    const { detail } = await expectProblem(
      await app.request(inUseCase('outcomes/import'), sent),
      'invalid_request',
    );
    expect(detail).toContain(problem);
  });
});

describe('an import', () => {
  it('is not kept busy by empty lines', async () => {
    const body = `key,variant,day\n${'\n'.repeat(250_000)}`;
    const sent = { method: 'POST', body, headers: { 'content-type': 'text/csv' } };
    await expectProblem(await app.request(inUseCase('outcomes/import'), sent), 'payload_too_large');
  });
});

describe('a return', () => {
  it('compares with no variant that is misspelled, and says where the control has nothing', async () => {
    const problem = await expectProblem(
      await app.request(inUseCase('return?control=odl')),
      'invalid_request',
    );
    expect(problem.detail).toContain('there is new, old');
    expect(problem).toMatchObject({ variants: ['new', 'old'] });
    expect(await ask(inUseCase('return?control=old'))).toMatchObject({
      notComparedBecause: 'There are no outcomes of the control "old" in the period.',
      variants: [{ variant: 'new', clickRateAgainstControl: null }],
    });
  });

  it('tells nobody apart by one click, and has the same differences as CSV', async () => {
    const rows = [
      { key: 'few', variant: 'few', day: '2021-01-01', impressions: 5, clicks: 1, conversions: 1 },
      { key: 'many', variant: 'many', day: '2021-01-01', impressions: 11_800, clicks: 177, conversions: 12 },
    ];
    await ask(inUseCase('outcomes'), json({ items: rows }));
    const period = 'from=2021-01-01&until=2021-01-01&control=many';
    const { variants } = await ask<{ variants: { conversionRateAgainstControl: Record<string, number> }[] }>(
      inUseCase(`return?${period}`),
    );
    expect(variants[0]).toMatchObject({
      variant: 'few',
      clickRateAgainstControl: {
        distinguishable: false,
        because: expect.stringContaining("Fisher's exact test p = 0.073, not below 0.05"),
      },
    });
    const csv = await (await app.request(inUseCase(`return/csv?${period}`))).text();
    const [names = [], few = []] = csv.split('\r\n').map((line) => line.split(','));
    const cell = (name: string) => few[names.indexOf(name)];
    const { difference, low95, high95 } = variants[0]?.conversionRateAgainstControl ?? {};
    expect(['', '_low95', '_high95'].map((end) => Number(cell(`conversion_rate_difference${end}`)))).toEqual([
      difference,
      low95,
      high95,
    ]);
    expect(cell('click_rate_distinguishable')).toBe('no');
  });

  it('says what is reserved and not settled, and draws it', async () => {
    const inputs = { prompt: 'a bottle', width: 1000, height: 1000, model: 'flux-1-schnell@fal' };
    await ask('/v1/runs', json(productShot(app, { inputs })));
    expect(await ask(inUseCase('return'))).toMatchObject({
      newWay: { openSteps: 1, openReservedMicroUsd: '3000' },
    });
    const chart = await (await app.request(inUseCase('return/chart'))).text();
    expect(chart).toContain('1 step is not settled yet: up to 0.003 USD more may be spent.');
  });

  it('does not thin its rate with days to come', async () => {
    await ask(
      inUseCase('baseline'),
      json({ costMicroUsd: '1000000', investmentMicroUsd: '9000000', source: 'x' }),
    );
    const time = async (until: string) =>
      (await ask<{ timeToReturn: unknown }>(inUseCase(`return?from=${TODAY}&until=${until}`))).timeToReturn;
    expect(await time(TODAY)).toMatchObject({ kind: 'projected' });
    expect(await time(dayAhead(365))).toEqual(await time(TODAY));
  });
});

describe('budgets', () => {
  it('have no soft limit above the hard one, and can be stopped at once all the same', async () => {
    const limits = { hardLimitMicroUsd: '5000', softLimitMicroUsd: '5001' };
    const target = { level: 'use_case', targetId: useCaseId, period: 'month' };
    const refused = await app.request('/v1/budgets', json({ ...target, ...limits }));
    expect((await expectProblem(refused, 'invalid_request')).detail).toContain('nobody would ever be told');
    const { items } = await ask<{ items: { id: string; level: string; period: string }[] }>('/v1/budgets');
    const total = items.find(({ level, period }) => level === 'organization' && period === 'total');
    await ask(
      `/v1/budgets/${total?.id}`,
      put({ hardLimitMicroUsd: '9000000', softLimitMicroUsd: '8000000' }),
    );
    expect(await ask('/v1/budget', put({ limitMicroUsd: '7000000' }))).toMatchObject({
      limitMicroUsd: '7000000',
      softLimitMicroUsd: '7000000',
    });
  });
});

describe('own prices', () => {
  const read = { source: 'contract 17', dateRead: '2026-11-01', verified: true };
  const perImage = { family: 'per-image', tiers: [{ microUsd: 5 }], ...read };
  const record = (more: object) =>
    app.request(
      '/v1/prices',
      json({ provider: 'fal', endpoint: 'x/y', validFrom: '2026-01-01', price: perImage, ...more }),
    );

  it.each([
    ['free at fal', { price: { family: 'free', ...read } }, 'price.family'],
    ['free at OpenAI', { provider: 'openai', price: { family: 'free', ...read } }, 'price.family'],
    ['read on a day to come', { price: { ...perImage, dateRead: '2999-01-01' } }, 'price.dateRead'],
    ['of a year that no calendar has', { validFrom: '0000-01-01' }, 'validFrom'],
  ])('are not %s', async (_name, more, path) => {
    const { errors } = await expectProblem(await record(more), 'invalid_request');
    expect(errors?.[0]?.path).toBe(path);
  });

  it('are free on own servers, and listed page by page with what became of them', async () => {
    const own = { provider: 'comfyui', endpoint: 'own/flow' };
    expect((await record({ ...own, price: { family: 'free', ...read } })).status).toBe(201);
    for (const validFrom of ['2026-01-01', '2026-02-01', '2026-02-01', '2998-01-01'])
      expect((await record({ validFrom })).status).toBe(201);
    const pages: { validFrom: string; state: string; endpoint: string }[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: typeof pages; nextCursor: string | null } = await ask(
        `/v1/prices/own?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      pages.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(
      pages
        .filter(({ endpoint }) => endpoint === 'x/y')
        .map(({ validFrom, state }) => `${validFrom} ${state}`),
    ).toEqual(['2998-01-01 to_come', '2026-02-01 in_force', '2026-02-01 replaced', '2026-01-01 past']);
  });
});

describe('what-if', () => {
  it('has no price of the sandbox, which makes nothing', async () => {
    const body = { month: TODAY.slice(0, 7), operation: 'generate', to: 'sandbox-generator@sandbox' };
    await expectProblem(await app.request(inUseCase('what-if'), json(body)), 'unknown_model');
  });
});

describe('the matrix', () => {
  const question = { operation: 'edit', facts: HARMLESS_FACTS, measure: { kind: 'own_votes' } };
  interface Matrix {
    inputPictures: number;
    items: { endpoint: string; price: { estimateMicroUsd: string | null; unknownBecause: string | null } }[];
  }
  const matrix = (more: object) => ask<Matrix>(inUseCase('matrix'), json({ ...question, ...more }));
  const priceOf = ({ items }: Matrix, endpoint: string) =>
    items.find((item) => item.endpoint === endpoint)?.price;
  const openAi = { quality: 'low', size: '1024x1024' };

  it('prices one file, and says so to whoever asks for four', async () => {
    for (const path of [inUseCase('matrix'), '/v1/routes']) {
      const rule = { kind: 'cheapest_above_floor', floor: 0 };
      const more = path === '/v1/routes' ? { useCaseId, rule } : {};
      const body = { ...question, operation: 'generate', parameters: { num_images: 4 }, ...more };
      const { detail } = await expectProblem(await app.request(path, json(body)), 'invalid_request');
      expect(detail).toContain('num_images must be 1: a step makes one file');
    }
  });

  it('counts the picture and the text that nobody stated', async () => {
    const asked = await matrix({ parameters: openAi });
    expect(asked.inputPictures).toBe(1);
    const estimate = async (more: object) =>
      Number(priceOf(await matrix({ parameters: openAi, ...more }), 'gpt-image-1.5')?.estimateMicroUsd);
    // 4,000 bytes of text at most, at 5 micro-USD each.
    expect((await estimate({})) - (await estimate({ textBytes: 0 }))).toBe(20_000);
    expect(await estimate({ inputPictures: 2 })).toBeGreaterThan(await estimate({}));
    await expectProblem(
      await app.request(inUseCase('matrix'), json({ ...question, inputPictures: 0 })),
      'invalid_request',
    );
  });

  it('knows no price by the megapixel without the size of what goes in', async () => {
    const price = {
      family: 'per-megapixel',
      firstMicroUsd: 3,
      furtherMicroUsd: 3,
      inputMicroUsd: 2,
      source: 'contract 17',
      dateRead: '2026-11-01',
      verified: true,
    };
    const endpoint = 'fal-ai/flux/schnell';
    await ask('/v1/prices', json({ provider: 'fal', endpoint, validFrom: '2026-01-01', price }));
    const generate = { operation: 'generate', inputPictures: 1, parameters: { width: 1000, height: 1000 } };
    const unknown = priceOf(await matrix(generate), endpoint);
    expect(unknown).toMatchObject({
      estimateMicroUsd: null,
      unknownBecause: expect.stringContaining('inputPictureSizes'),
    });
    const known = await matrix({ ...generate, inputPictureSizes: [{ width: 2000, height: 2000 }] });
    expect(priceOf(known, endpoint)).toMatchObject({ estimateMicroUsd: '11' });
  });
});
