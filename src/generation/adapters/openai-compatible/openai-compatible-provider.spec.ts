import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FAKE_OPENAI_KEY } from '../../../../test/fakes/openai/fake-openai.js';
import { FakeImageServer } from '../../../../test/fakes/openai-compatible/fake-image-server.js';
import { describeProviderContract } from '../../../../test/fakes/provider-contract.js';
import { TRANSPORT_FAULTS } from '../../../../test/fakes/vendor/transport-fault.js';
import { type ProviderRequest } from '../../domain/provider.port.js';
import { ownServersSchema } from '../../registry/own-servers.js';
import { OpenAiCompatibleProvider } from './openai-compatible-provider.js';

const WEIGHTS = 'Qwen/Qwen-Image-Edit';
const PRICE = { family: 'free', source: 'own hardware', dateRead: '2026-11-22', verified: true };
const LORA = { listingId: 'brand-style@self-hosted', name: 'brand', path: '/loras/brand', scale: 0.8 };

function providerFor(
  fake: FakeImageServer,
  kind = 'vllm-omni',
  changes: object = {},
): OpenAiCompatibleProvider {
  const model = {
    servedModel: WEIGHTS,
    weights: WEIGHTS,
    listingId: 'qwen-image-edit@self-hosted',
    operations: ['generate', 'edit'],
    extraParameters: ['seed', 'num_inference_steps'],
    price: PRICE,
  };
  const styled = kind === 'plain' ? [] : [{ ...model, name: 'styled', lora: LORA }];
  const { openAiCompatible } = ownServersSchema.parse({
    openAiCompatible: [
      {
        name: 'gpu',
        kind,
        baseUrl: fake.baseUrl,
        privateNetwork: true,
        apiKey: FAKE_OPENAI_KEY,
        models: [{ ...model, name: 'plain' }, ...styled],
        ...changes,
      },
    ],
  });
  return new OpenAiCompatibleProvider({ servers: openAiCompatible, outbound: {}, requestDeadlineMs: 800 });
}

function request(extra: Partial<ProviderRequest> = {}): ProviderRequest {
  return {
    stepRunId: randomUUID(),
    operation: 'generate',
    endpoint: 'gpu/plain',
    parameters: { prompt: 'A SECRET bottle', seed: 7 },
    inputs: {},
    ...extra,
  };
}
const signal = (): AbortSignal => new AbortController().signal;

describeProviderContract('openai-compatible', async () => {
  const fake = await FakeImageServer.start();
  return {
    provider: providerFor(fake),
    validRequest: request(),
    refusedRequest: request({ parameters: { prompt: 'A SECRET', lora: 'SECRET' } }),
    secretText: 'SECRET',
    secretKey: FAKE_OPENAI_KEY,
    charges: () => fake.openai.ledger.charges.length,
    loseNextAnswer: () => fake.openai.ledger.plan({ fault: 'reset-after-accept' }),
    faults: {
      names: [...TRANSPORT_FAULTS, 'slow', 'empty', 'internal-output'],
      plan: (fault) => {
        const results = { slow: 'slow', empty: 'empty', 'internal-output': 'url' } as Record<string, string>;
        const result = results[fault];
        fake.openai.ledger.plan(
          result === undefined ? { fault: fault as never } : { result: result as never },
        );
      },
      attempts: () => fake.attempts().length,
    },
    stop: () => fake.stop(),
  };
});

describe('OpenAiCompatibleProvider against a working fake', () => {
  let fake: FakeImageServer;
  beforeEach(async () => {
    fake = await FakeImageServer.start();
  });
  afterEach(() => fake.stop());

  it('passes on what the server is known to take, asks for bytes, and says which server it was', async () => {
    const outcome = await providerFor(fake).submit(request(), signal());
    expect(outcome).toMatchObject({ kind: 'completed', claims: { server: 'gpu', model: WEIGHTS } });
    expect(fake.attempts()[0]?.fields).toEqual({
      prompt: 'A SECRET bottle',
      seed: 7,
      model: WEIGHTS,
      n: 1,
      response_format: 'b64_json',
      stream: false,
    });
  });

  it('vLLM-Omni gets the LoRA of the endpoint with each request, and of no other', async () => {
    const provider = providerFor(fake);
    const outcome = await provider.submit(request({ endpoint: 'gpu/styled' }), signal());
    await provider.submit(request(), signal());
    expect(fake.attempts().map(({ fields }) => fields.lora)).toEqual([
      { name: 'brand', path: '/loras/brand', scale: 0.8 },
      undefined,
    ]);
    expect(outcome).toMatchObject({ claims: { lora: 'brand', loraScale: 0.8 } });
  });

  it('SGLang is switched for each picture, one at a time, however many come at once', async () => {
    const provider = providerFor(fake, 'sglang');
    const endpoints = ['gpu/styled', 'gpu/plain', 'gpu/styled', 'gpu/styled', 'gpu/plain'];
    const outcomes = await Promise.all(
      endpoints.map((endpoint) => provider.submit(request({ endpoint }), signal())),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(endpoints.map(() => 'completed'));
    expect(fake.madeWith).toEqual(['brand', '', 'brand', 'brand', '']);
  });

  it.each([
    ['vllm-omni', 'another model', { id: 'Other/Model', root: 'Other/Model' }],
    ['vllm-omni', 'other weights under the right name', { id: WEIGHTS, root: '/somewhere/else' }],
    ['plain', 'another model', { id: 'Other/Model', root: 'Other/Model' }],
    ['sglang', 'other weights', { id: WEIGHTS, root: '/somewhere/else' }],
  ])('%s with %s gets nothing', async (kind, _name, model) => {
    fake.model = model;
    expect(await providerFor(fake, kind).submit(request(), signal())).toEqual({
      kind: 'failed',
      code: 'upstream_error',
      reason: 'the server does not run the weights that the listing claims',
    });
    expect(fake.attempts()).toEqual([]);
  });

  it('SGLang that loads another LoRA than it was told gets nothing', async () => {
    fake.disobedient = true;
    const outcome = await providerFor(fake, 'sglang').submit(request({ endpoint: 'gpu/styled' }), signal());
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('does not run') });
    expect(fake.attempts()).toEqual([]);
  });

  it('a picture during which somebody switched is not taken: nobody knows what made it', async () => {
    fake.switchWhileWorking = true;
    const outcome = await providerFor(fake, 'sglang').submit(request(), signal());
    expect(outcome).toMatchObject({ kind: 'failed', code: 'upstream_invalid', mayBeBilled: true });
  });

  it('contacts a private network only where the operator says so', async () => {
    const outcome = await providerFor(fake, 'plain', { privateNetwork: false }).submit(request(), signal());
    expect(outcome).toMatchObject({ kind: 'failed', code: 'upstream_invalid' });
    expect(fake.attempts()).toEqual([]);
  });

  it('refuses marks in a text that load weights, unless the operator says that the server ignores them', () => {
    for (const parameters of [
      { prompt: 'x <lora:nc-style:1>' },
      { prompt: 'x', negative_prompt: '<LyCORIS:x>' },
    ])
      expect(providerFor(fake).problemWith(request({ parameters }))).toContain('was not cleared');
    const prompt = 'x <lora:nc-style:1>';
    const ignoring = providerFor(fake, 'plain', { ignoresWeightTags: true });
    expect(ignoring.problemWith(request({ parameters: { prompt } }))).toBeUndefined();
  });

  it.each([
    ['an endpoint that is not configured', { endpoint: 'gpu/other' }, 'no configured server'],
    [
      'a parameter that the server does not know',
      { parameters: { prompt: 'x', guidance_scale: 3 } },
      'known to take',
    ],
    ['a LoRA of the caller', { parameters: { prompt: 'x', lora: 'y' } }, 'weights that were not cleared'],
    ['an edit of nothing', { operation: 'edit' }, 'needs a picture'],
    ['no prompt', { parameters: {} }, 'needs a prompt'],
    ['a video', { operation: 'generate-video' }, 'does not do'],
  ] as const)('refuses %s beforehand', (_name, extra, words) => {
    expect(providerFor(fake).problemWith({ ...request(), ...extra })).toContain(words);
  });
});

describe('the file of own servers', () => {
  const model = {
    name: 'm',
    servedModel: 'x',
    listingId: 'a@self-hosted',
    operations: ['generate'],
    price: PRICE,
  };
  const base = { name: 's', baseUrl: 'http://10.0.0.5:8000/v1', models: [model] };
  it.each([
    ['a LoRA where none can be switched', { ...base, kind: 'plain', models: [{ ...model, lora: LORA }] }],
    ['SGLang without the weights', { ...base, kind: 'sglang' }],
    ['a model without a price', { ...base, kind: 'plain', models: [{ ...model, price: undefined }] }],
    ['another protocol', { ...base, kind: 'plain', baseUrl: 'file:///etc' }],
  ])('refuses %s', (_name, server) => {
    expect(ownServersSchema.safeParse({ openAiCompatible: [server] }).success).toBe(false);
  });

  it('refuses two servers of one name', () => {
    const server = { ...base, kind: 'plain' };
    expect(ownServersSchema.safeParse({ openAiCompatible: [server, server] }).success).toBe(false);
    expect(ownServersSchema.safeParse({ openAiCompatible: [server] }).success).toBe(true);
  });
});
