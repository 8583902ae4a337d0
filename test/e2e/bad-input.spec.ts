import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ErrorCode } from '../../src/shared/errors.js';
import { addPerson, HARMLESS_FACTS, json, productShot } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

type Json = Record<string, unknown>;

let app: TestApplication;
let inspector: Inspector;
let reviewerKey: string;

const NO_ASSET = `ast_${'0'.repeat(32)}`;
const ZERO = '0'.repeat(32);

/** A refusal leaves no row, no entry, no reservation and no used-up key. */
async function refuses(send: () => Promise<Response>, code: ErrorCode): Promise<void> {
  const before = await inspector.footprint();
  await expectProblem(await send(), code);
  expect(await inspector.footprint()).toEqual(before);
}

const post = (path: string, body: unknown, key?: string) => () =>
  app.request(path, { ...json(body), ...(key === undefined ? {} : { key }) });
const postRaw =
  (path: string, body: string | Uint8Array, contentType = 'application/json') =>
  () =>
    app.request(path, {
      method: 'POST',
      headers: { 'content-type': contentType, 'idempotency-key': randomUUID() },
      body: body as string | Uint8Array<ArrayBuffer>,
    });

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  reviewerKey = (await addPerson(app, ['reviewer'])).key;
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

/** Every route with a JSON body, and a body that only its ids keep from being accepted. */
const ROUTES: readonly [string, string, () => Json, 'owner' | 'reviewer'][] = [
  ['POST', '/v1/runs', () => productShot(app, { substitutes: {} }), 'owner'],
  ['POST', '/v1/pipelines', () => ({ name: 'mine', definition: { steps: [generateStep()] } }), 'owner'],
  ['POST', '/v1/projects', () => ({ name: 'A project' }), 'owner'],
  ['POST', `/v1/projects/prj_${ZERO}/use-cases`, () => ({ name: 'banner' }), 'owner'],
  ['POST', '/v1/principals', () => ({ kind: 'user', displayName: 'Somebody', roles: ['creator'] }), 'owner'],
  [
    'POST',
    '/v1/api-keys',
    () => ({ principalId: `prn_${ZERO}`, mode: 'test', expiresAt: '2027-01-01T00:00:00Z' }),
    'owner',
  ],
  ['PUT', '/v1/budget', () => ({ limitMicroUsd: '1' }), 'owner'],
  [
    'POST',
    '/v1/clearances',
    () => ({
      lineage: { components: [{ listingId: 'studio-scene@studio', role: 'generator', stepKey: 'a' }] },
      facts: HARMLESS_FACTS,
    }),
    'owner',
  ],
  [
    'POST',
    '/v1/waivers',
    () => ({
      clearanceId: `clr_${ZERO}`,
      reason: 'LEGAL_OPINION',
      comment: 'fine',
      expiresAt: '2027-01-01T00:00:00Z',
    }),
    'owner',
  ],
  ['POST', '/v1/reports', () => ({ kind: 'asset', format: 'pdf', assetId: NO_ASSET }), 'owner'],
  ['POST', `/v1/assets/${NO_ASSET}/reviews`, () => ({ decision: 'approve', comment: 'good' }), 'reviewer'],
  [
    'POST',
    `/v1/runs/run_${ZERO}/steps/generate/reconcile`,
    () => ({ outcome: 'accepted', upstreamId: 'abc', reason: 'seen there' }),
    'owner',
  ],
];

/** Values of every JSON type but the one that is right, and things that look right from afar. */
function wrongValuesFor(right: unknown): unknown[] {
  const all: [string, unknown[]][] = [
    ['string', ['', '\u0000', 'x\u0000y', '\ud800', '\u202egnp', 'x'.repeat(5000)]],
    ['number', [7, -1, 1.5]],
    ['boolean', [true]],
    ['array', [[], [[]], [null]]],
    ['object', [{}, { toString: 1 }]],
  ];
  const type = Array.isArray(right) ? 'array' : typeof right;
  const others = all.flatMap(([name, values]) => (name === type && type !== 'string' ? [] : values));
  return [null, ...others];
}

describe.each(ROUTES)('%s %s', (method, path, valid, who) => {
  const key = () => (who === 'reviewer' ? reviewerKey : app.instance.keys.live);
  const send = (body: unknown) => app.request(path, { ...json(body), method, key: key() });

  it('refuses every field with a value of a wrong type or of a hostile form', async () => {
    const before = await inspector.footprint();
    for (const [field, right] of Object.entries(valid())) {
      for (const wrong of wrongValuesFor(right)) {
        const { code } = await expectProblem(await send({ ...valid(), [field]: wrong }), 'invalid_request');
        expect(code).toBe('invalid_request');
      }
    }
    expect(await inspector.footprint()).toEqual(before);
  });

  it('refuses properties that are not its own, above all those that would say who and whose', async () => {
    const before = await inspector.footprint();
    for (const name of ['organization_id', 'organizationId', 'created_by', 'approved_at', 'log_index', 'x']) {
      await expectProblem(await send({ ...valid(), [name]: randomUUID() }), 'invalid_request');
    }
    const [first = ''] = Object.keys(valid());
    const twice = `{"${first}":${JSON.stringify(valid()[first])},${JSON.stringify(valid()).slice(1)}`;
    const problem = await expectProblem(
      await app.request(path, { ...json({}), method, body: twice, key: key() }),
      'invalid_request',
    );
    expect(problem['detail']).toContain('stands twice');
    const escaped = ['\\u005f_proto__', 'c\\u006Fnstructor'];
    for (const name of ['__proto__', 'constructor', 'prototype', ...escaped]) {
      const text = `{"${name}":{"roles":["admin"]},${JSON.stringify(valid()).slice(1)}`;
      await expectProblem(
        await app.request(path, { ...json({}), method, body: text, key: key() }),
        'invalid_request',
      );
    }
    expect(await inspector.footprint()).toEqual(before);
  });

  it('refuses a body that is no object, is missing, or is not JSON', async () => {
    const before = await inspector.footprint();
    for (const body of [null, [], 'text', 7, true, {}])
      await expectProblem(await send(body), 'invalid_request');
    await expectProblem(
      await app.request(path, { method, headers: { 'idempotency-key': 'k' }, key: key() }),
      'invalid_request',
    );
    await expectProblem(
      await app.request(path, { ...json({}), method, body: '{"a":NaN}', key: key() }),
      'invalid_json',
    );
    await expectProblem(
      await app.request(path, {
        method,
        body: 'a=1',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        key: key(),
      }),
      'unsupported_content_type',
    );
    expect(await inspector.footprint()).toEqual(before);
  });
});

describe('bodies', () => {
  it.each([
    ['100,000 arrays in each other', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['100,000 objects in each other', '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000)],
    ['5,000 arrays in each other', '['.repeat(5_000) + ']'.repeat(5_000)],
    ['100,000 arrays that never close', '['.repeat(100_000)],
  ])('refuses %s', async (_what, body) => {
    const response = await postRaw('/v1/projects', body)();
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    await refuses(
      postRaw('/v1/runs', `{"facts":${body}}`),
      ((await response.json()) as { code: ErrorCode }).code,
    );
  });

  it('refuses 2 MB', async () => {
    const large = post('/v1/projects', { name: 'x'.repeat(2 * 1024 * 1024) });
    await refuses(large, 'payload_too_large');
    expect(((await (await large()).json()) as { detail: string }).detail).toContain('up to 1048576 bytes');
  });

  it('refuses bytes that are not UTF-8 instead of storing something else', async () => {
    const invalid = Buffer.concat([
      Buffer.from('{"name":"a'),
      Buffer.from([0xc3, 0x28, 0xff]),
      Buffer.from('"}'),
    ]);
    await refuses(postRaw('/v1/projects', invalid), 'invalid_json');
    await refuses(postRaw('/v1/projects', Buffer.from('{"name":"abc"}', 'utf16le')), 'invalid_json');
  });

  it('refuses numbers that JSON does not know and that no computer holds', async () => {
    const withWidth = (width: string) =>
      JSON.stringify(productShot(app)).replace('"width":256', `"width":${width}`);
    await refuses(postRaw('/v1/runs', withWidth('NaN')), 'invalid_json');
    await refuses(postRaw('/v1/runs', withWidth('Infinity')), 'invalid_json');
    await refuses(postRaw('/v1/runs', withWidth('1e400')), 'invalid_request');
  });

  it.each(['text/plain', 'application/xml', 'text/json; charset=utf-8'])(
    'refuses JSON that is sent as %s',
    async (contentType) => {
      await refuses(postRaw('/v1/projects', '{"name":"A"}', contentType), 'unsupported_content_type');
    },
  );
});

describe('runs', () => {
  const run = (changes: Json) => post('/v1/runs', productShot(app, changes));
  const inputs = (changes: Json) => run({ inputs: { prompt: 'x', width: 256, height: 256, ...changes } });

  it.each([
    ['a pipeline that does not exist', { pipeline: 'no-such-pipeline' }, 'unknown_pipeline'],
    ['a version that does not exist', { pipeline: 'product-shot@99' }, 'unknown_pipeline'],
    ['a version beyond what a database holds', { pipeline: 'product-shot@99999999999' }, 'invalid_request'],
    ['a version that is no number', { pipeline: 'product-shot@latest' }, 'invalid_request'],
    ['two versions', { pipeline: 'product-shot@1@2' }, 'invalid_request'],
    ['a use case that does not exist', { useCase: 'no-such-use-case' }, 'not_found'],
    ['a project that does not exist', { projectId: `prj_${ZERO}` }, 'not_found'],
    ['a substitute for a step that does not exist', { substitutes: { nope: NO_ASSET } }, 'invalid_request'],
    ['a substitute that does not exist', { substitutes: { generate: NO_ASSET } }, 'invalid_request'],
  ] as const)('refuses %s', async (_what, changes, code) => {
    await refuses(run(changes), code);
  });

  it.each(['no-such-model@nowhere', 'flux', '../../etc/passwd', "x' OR 1=1 --", 'constructor'])(
    'refuses the unknown model %j',
    async (model) => {
      await refuses(inputs({ model }), 'unknown_model');
    },
  );

  it('refuses inputs that the pipeline does not have, that are missing, or that are no text one can store', async () => {
    await refuses(inputs({ promt: 'misspelled' }), 'invalid_request');
    await refuses(post('/v1/runs', { ...productShot(app), inputs: {} }), 'invalid_request');
    await refuses(inputs({ prompt: 'a\u0000b' }), 'invalid_request');
    await refuses(inputs({ prompt: 'a\ud800b' }), 'invalid_request');
    await refuses(inputs({ prompt: '\u202ereversed' }), 'invalid_request');
    await refuses(inputs({ palette: ['#fff', '\ud800'] }), 'invalid_request');
    await refuses(inputs({ palette: ['#fff', '\u0000'] }), 'invalid_request');
    await refuses(inputs({ toString: 'x' }), 'invalid_request');
    await refuses(inputs({ model: 7 }), 'invalid_request');
  });

  it.each([1e9, 1e150, 1e308])('reserves no money for a picture of %d pixels side length', async (side) => {
    const response = await inputs({ model: 'flux-1-schnell@fal', width: side, height: side })();
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
  });

  it('fails a run whose picture is impossible, and leaves nothing reserved and nothing to read', async () => {
    const started = await inputs({ width: 1e9, height: 1e9 })();
    if (started.status !== 202) {
      await expectProblem(started, 'invalid_request');
      return;
    }
    const { id } = (await started.json()) as { id: string };
    await (await app.request(`/v1/runs/${id}/events`)).text();
    const ended = (await (await app.request(`/v1/runs/${id}`)).json()) as {
      state: string;
      steps: { state: string; assetId: string | null; error: { code: string } | null }[];
    };
    expect(ended.state).toBe('FAILED');
    expect(ended.steps[0]?.error?.code).toBe('invalid_request');
    expect(ended.steps.every(({ assetId }) => assetId === null)).toBe(true);
    expect((await inspector.footprint()).reserved_micro_usd).toBe(0);
  });
});

function generateStep(key = 'generate'): Json {
  return {
    key,
    operation: 'generate',
    model: 'studio-scene@studio',
    parameters: { prompt: { input: 'prompt' } },
    images: {},
  };
}
function cropStep(key: string, from: string): Json {
  return {
    key,
    operation: 'crop',
    model: 'studio-crop@studio',
    parameters: { left: 0, top: 0, width: 9, height: 9 },
    images: { image: { step: from } },
  };
}

describe('pipelines', () => {
  const create = (steps: unknown[]) => post('/v1/pipelines', { name: 'mine', definition: { steps } });

  it.each([
    ['a step that waits for itself', () => [cropStep('a', 'a')], 'pipeline_cyclic'],
    ['two steps that wait for each other', () => [cropStep('a', 'b'), cropStep('b', 'a')], 'pipeline_cyclic'],
    [
      'a cycle of three behind a good step',
      () => [generateStep('z'), cropStep('a', 'c'), cropStep('b', 'a'), cropStep('c', 'b')],
      'pipeline_cyclic',
    ],
    ['41 steps', () => Array.from({ length: 41 }, (_, i) => generateStep(`s${i}`)), 'pipeline_too_large'],
    ['two steps with one key', () => [generateStep(), generateStep()], 'pipeline_invalid'],
    ['a step that does not exist', () => [cropStep('a', 'nope')], 'pipeline_invalid'],
    ['no step', () => [], 'invalid_request'],
    ['an operation that does not exist', () => [{ ...generateStep(), operation: 'exec' }], 'invalid_request'],
    ['a key that is a path', () => [generateStep('../a')], 'invalid_request'],
    ['text that is no text', () => [{ ...generateStep(), parameters: { a: '\ud800' } }], 'invalid_request'],
    ['NUL in text', () => [{ ...generateStep(), parameters: { a: ['\u0000'] } }], 'invalid_request'],
  ] as const)('refuses %s', async (_what, steps, code) => {
    await refuses(create(steps()), code);
  });

  it('refuses the name of a built-in pipeline', async () => {
    await refuses(
      post('/v1/pipelines', { name: 'product-shot', definition: { steps: [generateStep()] } }),
      'conflict',
    );
  });

  it('takes 40 steps, and a step that is named like a property of every object', async () => {
    const steps = Array.from({ length: 40 }, (_, i) => generateStep(`s${i}`));
    expect((await create(steps)()).status).toBe(201);
    const odd = { ...generateStep('constructor'), parameters: { prompt: { input: 'toString' } } };
    const created = await post('/v1/pipelines', { name: 'odd', definition: { steps: [odd] } })();
    expect(created.status).toBe(201);
    await refuses(post('/v1/runs', productShot(app, { pipeline: 'odd', inputs: {} })), 'invalid_request');
    const image = { ...cropStep('a', 'b'), images: { image: { input: 'valueOf' } } };
    await post('/v1/pipelines', { name: 'odd-image', definition: { steps: [image] } })();
    await refuses(
      post('/v1/runs', productShot(app, { pipeline: 'odd-image', inputs: {} })),
      'invalid_request',
    );
  });
});

describe('addresses and queries', () => {
  const get = (path: string) => () => app.request(path);

  it.each(['/nothing', '/v1/nothing', '/v1/runs/a/b/c/d', '/logs', '/v2/runs'])(
    'answers 404 at %s',
    async (path) => {
      await refuses(get(path), 'not_found');
    },
  );

  it('answers 404 at an address that leads out of the pages', async () => {
    // Not by fetch, which would make it shorter.
    const request = httpRequest(new URL(app.url), { path: '/docs/../../etc/passwd' }).end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(404);
  });

  it('names its own id of each call, by which an operator finds it', async () => {
    const response = await app.request('/v1/nothing');
    const { requestId } = (await response.json()) as { requestId: string };
    expect(response.headers.get('x-request-id')).toBe(requestId);
  });

  it.each([
    ['DELETE', '/v1/runs'],
    ['PUT', '/v1/assets'],
    ['PATCH', '/v1/pipelines'],
    ['POST', '/v1/models/changes'],
  ])('knows no %s at %s', async (method, path) => {
    const response = await app.request(path, { method });
    const problem = (await response.json()) as { code: string };
    expect([404, 405]).toContain(response.status);
    expect(['not_found', 'method_not_allowed']).toContain(problem.code);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });

  it.each(['/v1/runs', '/v1/assets', '/v1/models', '/v1/projects', '/v1/audit/entries'])(
    'refuses limits and cursors that %s did not give out',
    async (path) => {
      for (const limit of ['0', '-1', '201', 'abc', '', '1.5', '1e1000', 'NaN', '1&limit=2'])
        await refuses(get(`${path}?limit=${limit}`), 'invalid_request');
      await refuses(get(`${path}?organization_id=x`), 'invalid_request');
      await refuses(get(`${path}?cursor=${'x'.repeat(201)}`), 'invalid_request');
      if (path === '/v1/projects') return;
      for (const cursor of ['x', '%27', Buffer.from("' OR 1=1 --").toString('base64url')])
        await refuses(get(`${path}?cursor=${cursor}`), 'invalid_cursor');
    },
  );

  it.each([
    ['/v1/audit/entries?type=%00', 'invalid_request'],
    ['/v1/audit/entries?subject=a%00b', 'invalid_request'],
    ['/v1/runs?cursor=%00', 'invalid_request'],
    ['/v1/clearances/reopened?licenseKey=a%00b', 'invalid_request'],
    [`/v1/use-cases/use_${ZERO}/return?control=%00`, 'invalid_request'],
    [`/v1/use-cases/use_${ZERO}/return/csv?control=%00`, 'invalid_request'],
    [`/v1/use-cases/use_${ZERO}/return/chart?control=%00`, 'invalid_request'],
    ['/v1/runs?%00=x', 'invalid_request'],
    ['/v1/audit/entries/-1', 'not_found'],
    ['/v1/audit/entries/1e3', 'not_found'],
    ['/v1/audit/entries/999999999999999', 'not_found'],
    ['/v1/audit/entries/999999999999999/proof', 'not_found'],
    ['/v1/audit/entries/99999999999999999999', 'not_found'],
    ['/v1/models/%00/terms', 'not_found'],
    ['/v1/models/..%2f..%2fetc%2fpasswd/terms', 'not_found'],
    ['/v1/runs/%00', 'not_found'],
    ['/v1/runs/run_%zz', 'invalid_request'],
    [`/v1/runs/${'x'.repeat(400)}`, 'not_found'],
  ] as const)('refuses %s with %s', async (path, code) => {
    await refuses(get(path), code);
  });

  it('refuses to revoke a key whose id cannot exist', async () => {
    for (const id of ['%00', 'x', "'", '..%2f'])
      await refuses(post(`/v1/api-keys/${id}/revoke`, {}), 'not_found');
  });
});

describe('methods', () => {
  it.each([
    ['DELETE', '/v1/runs', 'GET, HEAD, POST'],
    ['PUT', '/v1/assets', 'GET, HEAD, POST'],
    ['PATCH', '/v1/pipelines', 'GET, HEAD, POST'],
    ['POST', '/v1/models/changes', 'GET, HEAD'],
    ['GET', '/v1/verify', 'POST'],
    ['DELETE', `/v1/assets/${NO_ASSET}?force=true`, 'GET, HEAD'],
    ['DELETE', '/v1/assets/no-such-id', 'GET, HEAD'],
    ['DELETE', '/healthz', 'GET, HEAD'],
  ])('answers %s %s with the methods that are known there: %s', async (method, path, allow) => {
    let allowed = '';
    const send = async (): Promise<Response> => {
      const response = await app.request(path, { method });
      allowed = response.headers.get('allow') ?? '';
      return response;
    };
    await refuses(send, 'method_not_allowed');
    expect(allowed.split(', ').sort()).toEqual(allow.split(', '));
  });

  it('tells a stranger no more than the published description does', async () => {
    const known = await app.request('/v1/budget', { method: 'DELETE', key: null });
    await expectProblem(known, 'method_not_allowed');
    await expectProblem(await app.request('/v1/nothing', { method: 'DELETE', key: null }), 'not_found');
  });
});

describe('forms', () => {
  it.each(ROUTES)('are refused as such by %s %s, which takes JSON', async (method, path, valid) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(valid())) form.set(name, JSON.stringify(value));
    form.set('file', new Blob(['bytes']), 'a.png');
    await refuses(
      () => app.request(path, { method, body: form, headers: { 'idempotency-key': randomUUID() } }),
      'unsupported_content_type',
    );
  });

  it('are refused as such by routes that take no body', async () => {
    for (const path of [`/v1/assets/${NO_ASSET}/release`, `/v1/runs/run_${ZERO}/cancel`]) {
      const form = new FormData();
      form.set('file', new Blob(['bytes']), 'a.png');
      await refuses(() => app.request(path, { method: 'POST', body: form }), 'unsupported_content_type');
    }
  });
});
