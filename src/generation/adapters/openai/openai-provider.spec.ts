import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FAKE_OPENAI_KEY, FakeOpenAi, type OpenAiPlan } from '../../../../test/fakes/openai/fake-openai.js';
import { describeProviderContract } from '../../../../test/fakes/provider-contract.js';
import { type ContractFault } from '../../../../test/fakes/provider-contract-faults.js';
import { TRANSPORT_FAULTS } from '../../../../test/fakes/vendor/transport-fault.js';
import { type CompletedStep, type FailedStep, type ProviderRequest } from '../../domain/provider.port.js';
import { OpenAiProvider } from './openai-provider.js';

const MODEL = 'gpt-image-2';

function request(extra: Partial<ProviderRequest> = {}): ProviderRequest {
  return {
    stepRunId: randomUUID(),
    operation: 'generate',
    endpoint: MODEL,
    parameters: { prompt: 'A SECRET bottle', size: '1024x1024', quality: 'medium' },
    inputs: {},
    ...extra,
  };
}

const providerFor = (fake: FakeOpenAi, apiKey = FAKE_OPENAI_KEY): OpenAiProvider =>
  new OpenAiProvider({
    apiKey,
    outbound: { allowedPrivateHosts: [fake.server.hostPort] },
    baseUrl: fake.baseUrl,
    requestDeadlineMs: 800,
  });
const signal = (): AbortSignal => new AbortController().signal;

const RESULTS: Partial<Record<ContractFault, OpenAiPlan>> = {
  slow: { result: 'slow' },
  empty: { result: 'empty' },
  'internal-output': { result: 'url' },
};

describeProviderContract('openai', async () => {
  const fake = await FakeOpenAi.start();
  return {
    provider: providerFor(fake),
    validRequest: request(),
    refusedRequest: request({ endpoint: 'gpt-image-0' }),
    secretText: 'SECRET',
    secretKey: FAKE_OPENAI_KEY,
    charges: () => fake.ledger.charges.length,
    loseNextAnswer: () => fake.ledger.plan({ fault: 'reset-after-accept' }),
    faults: {
      names: [...TRANSPORT_FAULTS, 'slow', 'empty', 'internal-output'],
      plan: (fault) => fake.ledger.plan(RESULTS[fault] ?? { fault: fault as never }),
      attempts: () => fake.ledger.attempts.length,
    },
    stop: () => fake.stop(),
  };
});

describe('OpenAiProvider against a working fake', () => {
  let fake: FakeOpenAi;
  let folder: string;
  beforeEach(async () => {
    fake = await FakeOpenAi.start();
    folder = await mkdtemp(join(tmpdir(), 'colophon-openai-'));
  });
  afterEach(async () => {
    await fake.stop();
    await rm(folder, { recursive: true });
  });

  function submit(
    plan: OpenAiPlan = {},
    extra: Partial<ProviderRequest> = {},
  ): Promise<CompletedStep | FailedStep> {
    fake.ledger.plan(plan);
    return providerFor(fake).submit(request(extra), signal());
  }

  async function picture(name: string) {
    const path = join(folder, name);
    await writeFile(path, name);
    return { path, mediaType: 'image/png', kind: 'image' as const, sha256: name.repeat(8) };
  }

  it('reports the tokens by modality, and asks for one picture without partial ones', async () => {
    const outcome = await submit();
    expect(outcome).toMatchObject({
      kind: 'completed',
      usage: { 'input-text-token': 12, 'output-image-token': 1056 },
      claims: { size: '1024x1024', quality: 'medium', format: 'png' },
    });
    const [attempt] = fake.ledger.attempts;
    expect(attempt?.fields).toEqual({
      prompt: 'A SECRET bottle',
      size: '1024x1024',
      quality: 'medium',
      model: MODEL,
      n: 1,
      stream: false,
    });
    expect(attempt?.headers['openai-organization']).toBeUndefined();
  });

  it('edits: pictures in order and the mask go along under their hashes', async () => {
    const inputs = { mask: await picture('m'), image_2: await picture('b'), image: await picture('a') };
    const outcome = await submit({}, { operation: 'edit', inputs });
    expect(outcome).toMatchObject({ kind: 'completed', usage: { 'input-image-token': 900 } });
    const [attempt] = fake.ledger.attempts;
    expect(attempt?.path).toBe('/v1/images/edits');
    expect(attempt?.files.map(({ field, name, bytes }) => [field, name, bytes.toString()])).toEqual([
      ['image[]', 'aaaaaaaa.png', 'a'],
      ['image[]', 'bbbbbbbb.png', 'b'],
      ['mask', 'mmmmmmmm.png', 'm'],
    ]);
  });

  it('takes whatever format comes; what it is, the bytes tell later', async () => {
    const outcome = await submit({ result: 'svg' }, { parameters: { prompt: 'x', output_format: 'svg' } });
    const [output] = outcome.kind === 'completed' ? outcome.outputs : [];
    expect(output?.kind === 'bytes' ? output.bytes.toString().slice(0, 4) : '').toBe('<svg');
  });

  it('a refusal by the content policy is definite, costs nothing, and says no word of the prompt', async () => {
    expect(await submit({ result: 'moderation' })).toEqual({
      kind: 'failed',
      code: 'upstream_error',
      reason: 'openai refused the request with status 400 (moderation_blocked)',
      contentRefusal: { word: 'moderation_blocked' },
    });
    expect(fake.ledger.charges).toEqual([]);
  });

  it.each([['empty'], ['url'], ['not-base64']] as const)(
    'an answer that is %s was billed and fails, with what was used',
    async (result) => {
      expect(await submit({ result })).toMatchObject({
        kind: 'failed',
        code: 'upstream_invalid',
        mayBeBilled: true,
        usage: { 'output-image-token': 1056 },
      });
    },
  );

  it('says nothing of usage when OpenAI does not', async () => {
    expect(await submit({ result: 'silent' })).toMatchObject({ kind: 'completed', usage: undefined });
  });

  it('counts a lost picture as billed when a person says that it was made', async () => {
    expect(await providerFor(fake).poll()).toMatchObject({ kind: 'failed', mayBeBilled: true });
  });

  it('keeps a wrong key out of the reason', async () => {
    const outcome = await providerFor(fake, 'sk-canary-0001').submit(request(), signal());
    expect(JSON.stringify(outcome)).not.toContain('canary');
    expect(outcome).toMatchObject({ reason: 'openai refused the request with status 401 (invalid_api_key)' });
  });

  it.each([
    ['a model that was switched off', { endpoint: 'gpt-image-1' }, '2026-10-23'],
    ['another model', { endpoint: 'dall-e-3' }, 'not one of the image models'],
    ['a stream of partial pictures', { parameters: { prompt: 'x', partial_images: 2 } }, 'not among those'],
    ['several pictures', { parameters: { prompt: 'x', n: 2 } }, 'n must be 1'],
    ['a picture to generate from', { inputs: { image: { kind: 'image' } } }, 'operation "edit"'],
    ['an edit of nothing', { operation: 'edit' }, 'needs a picture'],
    ['an edit of a video', { operation: 'edit', inputs: { image: { kind: 'video' } } }, 'is a video'],
    ['a video to make', { operation: 'generate-video' }, 'does not do'],
  ] as const)('refuses %s beforehand', (_name, extra, words) => {
    expect(providerFor(fake).problemWith({ ...request(), ...extra })).toContain(words);
  });
});
