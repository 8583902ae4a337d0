import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FAKE_GOOGLE_KEY, FakeGoogle, type GooglePlan } from '../../../../test/fakes/google/fake-google.js';
import { describeProviderContract } from '../../../../test/fakes/provider-contract.js';
import { type ContractFault } from '../../../../test/fakes/provider-contract-faults.js';
import { TRANSPORT_FAULTS } from '../../../../test/fakes/vendor/transport-fault.js';
import { type CompletedStep, type FailedStep, type ProviderRequest } from '../../domain/provider.port.js';
import { GoogleProvider } from './google-provider.js';

const IMAGE_MODEL = 'gemini-2.5-flash-image';
const VIDEO_MODEL = 'veo-3.1-generate-preview';

function request(extra: Partial<ProviderRequest> = {}): ProviderRequest {
  return {
    stepRunId: randomUUID(),
    operation: 'generate',
    endpoint: IMAGE_MODEL,
    parameters: { prompt: 'A SECRET bottle' },
    inputs: {},
    ...extra,
  };
}
const video = (extra: Partial<ProviderRequest> = {}) =>
  request({ operation: 'generate-video', endpoint: VIDEO_MODEL, ...extra });

const providerFor = (fake: FakeGoogle, apiKey = FAKE_GOOGLE_KEY): GoogleProvider =>
  new GoogleProvider({
    apiKey,
    outbound: { allowedPrivateHosts: [fake.server.hostPort] },
    baseUrl: fake.server.origin,
    imageDeadlineMs: 800,
    requestDeadlineMs: 800,
  });
const signal = (): AbortSignal => new AbortController().signal;

function contractFor(
  name: string,
  valid: ProviderRequest,
  results: Partial<Record<ContractFault, GooglePlan>>,
): void {
  describeProviderContract(name, async () => {
    const fake = await FakeGoogle.start();
    return {
      provider: providerFor(fake),
      validRequest: valid,
      refusedRequest: { ...valid, endpoint: valid.endpoint.replace(/-3.1|-2.5/, '-unknown') },
      secretText: 'SECRET',
      secretKey: FAKE_GOOGLE_KEY,
      charges: () => fake.ledger.charges.length,
      loseNextAnswer: () => fake.ledger.plan({ fault: 'reset-after-accept' }),
      faults: {
        names: [...TRANSPORT_FAULTS, ...(Object.keys(results) as ContractFault[])],
        plan: (fault) => fake.ledger.plan(results[fault] ?? { fault: fault as never }),
        attempts: () => fake.ledger.attempts.length,
      },
      stop: () => fake.stop(),
    };
  });
}

contractFor('google, pictures', request(), {
  slow: { result: 'slow' },
  failing: { result: 'blocked-image' },
  empty: { result: 'empty' },
});
contractFor('google, videos', video(), {
  slow: { pendingPolls: 20 },
  failing: { result: 'failed' },
  empty: { result: 'empty' },
  'internal-output': { result: 'internal-url' },
});

describe('GoogleProvider against a working fake', () => {
  let fake: FakeGoogle;
  beforeEach(async () => {
    fake = await FakeGoogle.start();
  });
  afterEach(() => fake.stop());

  async function finish(plan: GooglePlan, asked = request()): Promise<CompletedStep | FailedStep> {
    fake.ledger.plan(plan);
    const submitted = await providerFor(fake).submit(asked, signal());
    if (submitted.kind !== 'accepted') return submitted;
    for (;;) {
      const job = { endpoint: asked.endpoint, upstreamId: submitted.upstreamId };
      const state = await providerFor(fake).poll(job, signal());
      if (state.kind !== 'running') return state;
    }
  }

  it('gives the picture without the drafts, the tokens by modality, and no signature of thoughts', async () => {
    const outcome = await finish({});
    expect(outcome).toMatchObject({
      kind: 'completed',
      usage: {
        'input-text-token': 7,
        'output-image-token': 1290,
        'output-text-token': 110,
        'output-thinking-token': 100,
      },
      claims: { modelVersion: IMAGE_MODEL, responseId: 'resp-1', finishReason: 'STOP' },
    });
    if (outcome.kind !== 'completed') return;
    expect(outcome.outputs).toHaveLength(1);
    expect(JSON.stringify(outcome.claims)).not.toContain('SECRET');
    expect(fake.ledger.attempts[0]?.body).toMatchObject({
      generationConfig: { responseModalities: ['IMAGE'] },
    });
  });

  it('a blocked prompt is a definite failure that costs nothing', async () => {
    expect(await finish({ result: 'blocked-prompt' })).toEqual({
      kind: 'failed',
      code: 'upstream_error',
      reason: 'google blocked the prompt (PROHIBITED_CONTENT)',
      contentRefusal: { word: 'PROHIBITED_CONTENT', at: 'prompt' },
    });
  });

  it.each([
    ['blocked-image', 'google ended without a picture (IMAGE_SAFETY)'],
    ['empty', 'the answer holds no picture'],
    ['draft-only', 'the answer holds no picture'],
  ] as const)('%s fails, and what was used is on the bill', async (result, reason) => {
    expect(await finish({ result })).toMatchObject({
      kind: 'failed',
      reason,
      mayBeBilled: true,
      usage: { 'input-text-token': 7 },
    });
  });

  it('sends pictures in order before the prompt', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'colophon-google-'));
    const inputs: Record<string, ProviderRequest['inputs'][string]> = {};
    for (const name of ['style', 'image']) {
      const path = join(folder, name);
      await writeFile(path, name);
      inputs[name] = { path, mediaType: 'image/png', kind: 'image', sha256: name };
    }
    await finish({}, request({ operation: 'edit', inputs }));
    const [content] = fake.ledger.attempts[0]?.body.contents as {
      parts: { inlineData?: { data: string } }[];
    }[];
    const sent = content?.parts.map(({ inlineData }) =>
      Buffer.from(inlineData?.data ?? '', 'base64').toString(),
    );
    expect(sent).toEqual(['image', 'style', '']);
    await rm(folder, { recursive: true });
  });

  it('fetches a video with the key, and only from the host that the key belongs to', async () => {
    const outcome = await finish({}, video());
    const [output] = outcome.kind === 'completed' ? outcome.outputs : [];
    expect(output).toEqual({
      kind: 'url',
      url: `${fake.server.origin}/v1beta/files/abc123:download?alt=media`,
      headers: { 'x-goog-api-key': FAKE_GOOGLE_KEY },
    });
    const foreign = await finish({ result: 'foreign-url' }, video());
    expect(foreign).toMatchObject({ kind: 'failed', code: 'upstream_invalid' });
    expect(JSON.stringify(foreign)).not.toContain(FAKE_GOOGLE_KEY);
  });

  it.each([
    ['failed', 'the video failed on google (code 13)'],
    ['filtered', 'google filtered the video'],
    ['empty', 'the answer holds no video'],
  ] as const)('a video that is %s is a definite failure', async (result, reason) => {
    expect(await finish({ result }, video())).toMatchObject({ kind: 'failed', reason });
  });

  it('keeps a wrong key out of the reason', async () => {
    const outcome = await providerFor(fake, 'canary-0002').submit(request(), signal());
    expect(outcome).toMatchObject({ reason: 'google refused the request with status 401 (UNAUTHENTICATED)' });
    expect(JSON.stringify(outcome)).not.toContain('canary');
  });

  it.each([
    ['Imagen', { endpoint: 'imagen-4.0-generate-001' }, 'Vertex AI only'],
    ['another address', { endpoint: 'gemini-image/../../files' }, 'not an image or video model'],
    ['a text model', { endpoint: 'gemini-3-pro' }, 'not an image or video model'],
    ['an edit of nothing', { operation: 'edit' }, 'needs a picture'],
    ['a video by an image model', { operation: 'generate-video' }, 'does not do'],
    ['tools', { parameters: { prompt: 'x', tools: 'search' } }, 'not among those'],
    ['an odd size', { parameters: { prompt: 'x', imageSize: '8K' } }, 'parameters.imageSize'],
    ['a video as input', { operation: 'edit', inputs: { image: { kind: 'video' } } }, 'is a video'],
  ] as const)('refuses %s beforehand', (_name, extra, words) => {
    expect(providerFor(fake).problemWith({ ...request(), ...extra })).toContain(words);
  });
});
