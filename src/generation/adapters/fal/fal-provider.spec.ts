import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../../../../test/fakes/fal/fake-fal.js';
import { type FaultPlanInput, RESULT_TROUBLES } from '../../../../test/fakes/fal/fault-plan.js';
import { describeProviderContract } from '../../../../test/fakes/provider-contract.js';
import { type ContractFault } from '../../../../test/fakes/provider-contract-faults.js';
import { type Download, downloadToFile } from '../../../outbound/download-to-file.js';
import {
  type AcceptedStep,
  type CompletedStep,
  type FailedStep,
  OutcomeUnknownError,
  type ProviderInput,
  type ProviderRequest,
  type RunningStep,
} from '../../domain/provider.port.js';
import { FalProvider, type FalProviderOptions } from './fal-provider.js';

const ENDPOINT = 'fal-ai/flux/schnell';
const PROMPT = 'A SECRET bottle of perfume';

function request(extra: Partial<ProviderRequest> = {}): ProviderRequest {
  const parameters = { prompt: PROMPT, image_size: { width: 64, height: 48 }, num_images: 1 };
  return {
    stepRunId: randomUUID(),
    operation: 'generate',
    endpoint: ENDPOINT,
    parameters,
    inputs: {},
    ...extra,
  };
}

function providerFor(fake: FakeFal, extra: Partial<FalProviderOptions> = {}): FalProvider {
  return new FalProvider({
    credentials: FAKE_FAL_CREDENTIALS,
    outbound: { allowedPrivateHosts: [fake.hostPort] },
    baseUrlOverride: fake.origin,
    requestDeadlineMs: 5000,
    ...extra,
  });
}

/** The faults of the contract as plans of this fake; it has more of its own, below. */
const FAL_FAULTS: Partial<Record<ContractFault, FaultPlanInput>> = {
  '429': { submit: '429' },
  '500-before-accept': { submit: '500' },
  'reset-before-accept': { submit: 'reset-before-accept' },
  'hang-after-accept': { submit: 'hang-after-accept' },
  'reset-after-accept': { submit: 'reset-after-accept' },
  '502-after-accept': { submit: '502' },
  'garbage-after-accept': { submit: 'garbage-after-accept' },
  slow: { pendingPolls: 20 },
  failing: { result: 'model-error' },
  empty: { result: 'empty' },
  'internal-output': { result: 'internal-url' },
};

const signal = (): AbortSignal => new AbortController().signal;

describeProviderContract('fal', async () => {
  const fake = await FakeFal.start();
  return {
    provider: providerFor(fake, { requestDeadlineMs: 1000 }),
    validRequest: request(),
    refusedRequest: request({ endpoint: 'fal-ai/unknown-model' }),
    secretText: 'SECRET',
    secretKey: FAKE_FAL_CREDENTIALS,
    charges: () => fake.ledger().length,
    loseNextAnswer: () => fake.plan({ submit: 'hang-after-accept' }),
    faults: {
      names: Object.keys(FAL_FAULTS) as ContractFault[],
      plan: (fault) => fake.plan(FAL_FAULTS[fault] ?? {}),
      attempts: () => fake.attempts().length,
    },
    stop: () => fake.stop(),
  };
});

describe('FalProvider against a working fake', () => {
  let fake: FakeFal;
  let folder: string;

  beforeEach(async () => {
    fake = await FakeFal.start();
    folder = await mkdtemp(join(tmpdir(), 'colophon-fal-'));
  });
  afterEach(async () => {
    await fake.stop();
    await rm(folder, { recursive: true });
  });

  async function accepted(
    plan: FaultPlanInput = {},
    extra: Partial<ProviderRequest> = {},
  ): Promise<AcceptedStep> {
    fake.plan(plan);
    const outcome = await providerFor(fake).submit(request(extra), signal());
    if (outcome.kind !== 'accepted') throw new Error(JSON.stringify(outcome));
    return outcome;
  }

  async function pollAll(upstreamId: string): Promise<(CompletedStep | RunningStep | FailedStep)[]> {
    const states = [];
    for (let poll = 0; poll < 20; poll += 1) {
      const state = await providerFor(fake).poll({ endpoint: ENDPOINT, upstreamId }, signal());
      states.push(state);
      if (state.kind !== 'running') return states;
    }
    throw new Error('the job did not end');
  }

  async function finalState(
    plan: FaultPlanInput,
  ): Promise<CompletedStep | RunningStep | FailedStep | undefined> {
    const { upstreamId } = await accepted({ pendingPolls: 0, ...plan });
    return (await pollAll(upstreamId)).at(-1);
  }

  async function capture(state: CompletedStep | RunningStep | FailedStep | undefined): Promise<Download> {
    const output = state?.kind === 'completed' ? state.outputs[0] : undefined;
    if (output?.kind !== 'url') throw new Error('no address');
    return downloadToFile({
      url: output.url,
      allowedPrivateHosts: [fake.hostPort],
      maxResponseBytes: 1_000_000,
      deadlineMs: 400,
      destinationPath: join(folder, 'output'),
    });
  }

  it('generates a picture that can be captured, with units and claims', async () => {
    const { upstreamId } = await accepted({ pendingPolls: 2, billableUnits: 3.008 });
    const states = await pollAll(upstreamId);
    expect(states.map(({ kind }) => kind)).toEqual(['running', 'running', 'completed']);
    const last = states.at(-1);
    expect(last).toMatchObject({
      usage: { unit: 3.008 },
      claims: {
        requestId: upstreamId,
        endpoint: ENDPOINT,
        seed: 42,
        servedFrom: 'fake-runner-1',
        inferenceSeconds: 0.25,
      },
    });
    expect(JSON.stringify(last)).not.toContain('SECRET');
    const file = await capture(last);
    expect(file.declaredMediaType).toBe('image/png');
    expect(await sharp(join(folder, 'output')).metadata()).toMatchObject({
      format: 'png',
      width: 64,
      height: 48,
    });
    expect(fake.ledger()).toMatchObject([{ endpoint: ENDPOINT, requestId: upstreamId, units: 3.008 }]);
  });

  it('sends the headers that forbid fallback, repetition and long storage, and the webhook of the step', async () => {
    const step = request();
    const webhookUrl = (stepRunId: string): URL =>
      new URL(`https://gateway.example/webhooks/fal/${stepRunId}?a=1&b=2`);
    fake.plan({ webhook: 'none' });
    await providerFor(fake, { webhookUrl }).submit(step, signal());
    expect(fake.attempts()[0]?.headers).toMatchObject({
      authorization: `Key ${FAKE_FAL_CREDENTIALS}`,
      'x-app-fal-disable-fallback': 'true',
      'x-fal-no-retry': '1',
      'x-fal-object-lifecycle-preference': '{"expiration_duration_seconds":3600}',
    });
    expect(fake.ledger()[0]?.stepRunId).toBe(step.stepRunId);
  });

  it('is charged as other processes can read it, by plans that other processes set', async () => {
    const plans = JSON.stringify([{ webhook: 'none', billableUnits: 2 }]);
    expect((await fetch(`${fake.origin}/__plans`, { method: 'POST', body: plans })).status).toBe(200);
    await providerFor(fake).submit(request(), signal());
    expect(await (await fetch(`${fake.origin}/__ledger`)).json()).toMatchObject([
      { endpoint: ENDPOINT, units: 2 },
    ]);
  });

  describe('submit', () => {
    it.each(['500', '502', 'reset-after-accept', 'reset-before-accept', 'garbage-after-accept'] as const)(
      '%s leaves the outcome unknown after a single request',
      async (submit) => {
        fake.plan({ submit });
        await expect(providerFor(fake).submit(request(), signal())).rejects.toBeInstanceOf(
          OutcomeUnknownError,
        );
        expect(fake.attempts()).toHaveLength(1);
        expect(fake.ledger().length).toBeLessThanOrEqual(1);
      },
    );

    it('does not wait for ever and does not ask twice when fal accepts and then says nothing', async () => {
      fake.plan({ submit: 'hang-after-accept' });
      const provider = providerFor(fake, { requestDeadlineMs: 200 });
      await expect(provider.submit(request(), signal())).rejects.toBeInstanceOf(OutcomeUnknownError);
      expect([fake.attempts().length, fake.ledger().length]).toEqual([1, 1]);
    });

    it('leaves the outcome unknown when the worker stops in the middle', async () => {
      fake.plan({ submit: 'hang-after-accept' });
      const controller = new AbortController();
      const submit = providerFor(fake).submit(request(), controller.signal);
      const settled = expect(submit).rejects.toBeInstanceOf(OutcomeUnknownError);
      while (fake.ledger().length === 0) await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      await settled;
      expect([fake.attempts().length, fake.ledger().length]).toEqual([1, 1]);
    });

    it.each(['422', '429'] as const)('%s is a definite refusal after a single request', async (submit) => {
      fake.plan({ submit });
      const outcome = await providerFor(fake).submit(request(), signal());
      expect(outcome).toMatchObject({ kind: 'failed', code: 'upstream_error' });
      expect(JSON.stringify(outcome)).toContain(submit);
      expect(JSON.stringify(outcome)).not.toContain('SECRET');
      expect([fake.attempts().length, fake.ledger().length]).toEqual([1, 0]);
    });

    it('names the kind of a refusal, never its text', async () => {
      fake.plan({ submit: '422' });
      const outcome = await providerFor(fake).submit(request(), signal());
      expect(outcome).toMatchObject({
        reason: 'fal refused the request with status 422 (value_error at body.image_size)',
      });
    });

    it('fails definitely with wrong credentials', async () => {
      const outcome = await providerFor(fake, { credentials: 'stolen' }).submit(request(), signal());
      expect(outcome).toMatchObject({ kind: 'failed', reason: 'fal refused the request with status 401' });
      expect(JSON.stringify(outcome)).not.toContain('stolen');
    });

    it('fails definitely when nothing can have been sent', async () => {
      const blocked = await providerFor(fake, { outbound: {} }).submit(request(), signal());
      expect(blocked).toMatchObject({ kind: 'failed', code: 'upstream_error' });
      await fake.stop();
      const refused = await providerFor(fake).submit(request(), signal());
      expect(refused).toMatchObject({ kind: 'failed', code: 'upstream_error' });
      fake = await FakeFal.start();
      expect(fake.attempts()).toHaveLength(0);
    });

    it.each([
      ['a URL for a model', { endpoint: 'https://fal.run/fal-ai/flux' }],
      ['a path that climbs', { endpoint: 'fal-ai/../tokens' }],
      ['a workflow of several models', { endpoint: 'workflows/owner/name' }],
      [
        'an address among the parameters',
        { parameters: { prompt: 'x', image_url: 'https://169.254.169.254/' } },
      ],
    ])('asks fal nothing for %s', async (_name, extra) => {
      expect(await providerFor(fake).submit(request(extra), signal())).toMatchObject({ kind: 'failed' });
      expect(fake.attempts()).toHaveLength(0);
    });
  });

  describe('input pictures', () => {
    async function picture(): Promise<ProviderInput> {
      const path = join(folder, 'input.png');
      const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
        .png()
        .toBuffer();
      await writeFile(path, bytes);
      return {
        path,
        mediaType: 'image/png',
        kind: 'image',
        sha256: createHash('sha256').update(bytes).digest('hex'),
      };
    }

    it('are uploaded for an hour and named by address', async () => {
      const image = await picture();
      await accepted({}, { parameters: { prompt: 'x' }, inputs: { image_url: image, image_urls: image } });
      const upload = fake.uploads()[0];
      expect(upload?.lifecycle).toBe('{"expiration_duration_seconds":3600}');
      expect(
        createHash('sha256')
          .update(upload?.bytes ?? '')
          .digest('hex'),
      ).toBe(image.sha256);
      const input = fake.attempts()[0]?.input as Record<string, unknown>;
      expect(input['image_url']).toContain(`/${image.sha256}`);
      expect(input['image_urls']).toEqual([expect.stringContaining(`/${image.sha256}`)]);
    });

    it('that cannot be uploaded or read fail the step before anything is spent', async () => {
      const image = await picture();
      const inputs = { image_url: image };
      const denied = await providerFor(fake, { credentials: 'wrong' }).submit(request({ inputs }), signal());
      expect(denied).toMatchObject({
        kind: 'failed',
        reason: 'fal refused an input file with status 401',
      });
      await rm(image.path);
      const missing = await providerFor(fake).submit(request({ inputs }), signal());
      expect(missing).toMatchObject({ kind: 'failed', reason: 'an input file could not be read' });
      expect([fake.attempts().length, fake.ledger().length]).toEqual([0, 0]);
    });
  });

  describe('poll', () => {
    it.each([
      ['empty', 'upstream_invalid'],
      ['internal-url', 'upstream_invalid'],
      ['model-mismatch', 'upstream_invalid'],
      ['content-refused', 'upstream_error'],
      ['model-error', 'upstream_error'],
    ] as const)('takes a result of the kind %s for a failure: %s', async (result, code) => {
      const state = await finalState({ result });
      expect(state).toMatchObject({ kind: 'failed', code });
      expect(JSON.stringify(state)).not.toContain('SECRET');
      expect(fake.ledger()).toHaveLength(1);
    });

    it.each(RESULT_TROUBLES)(
      'asks again for a result that is there when the answer is %s',
      async (trouble) => {
        const { upstreamId } = await accepted({ pendingPolls: 0, beforeResult: [trouble, trouble] });
        const job = { endpoint: ENDPOINT, upstreamId };
        const troubled = { code: expect.stringMatching(/^upstream_(?:error|invalid)$/) as unknown };
        await expect(providerFor(fake).poll(job, signal())).rejects.toMatchObject(troubled);
        await expect(providerFor(fake).poll(job, signal())).rejects.toMatchObject(troubled);
        expect(await providerFor(fake).poll(job, signal())).toMatchObject({ kind: 'completed' });
      },
    );

    it('names the model mismatch and the refused content', async () => {
      expect(await finalState({ result: 'model-mismatch' })).toMatchObject({
        reason: expect.stringContaining('model mismatch'),
      });
      expect(await finalState({ result: 'content-refused' })).toMatchObject({
        reason: 'fal ended the job with status 422 (content_policy_violation at body.prompt)',
      });
    });

    it('returns a picture inside the answer as bytes', async () => {
      const state = await finalState({ result: 'data-uri' });
      const output = state?.kind === 'completed' ? state.outputs[0] : undefined;
      expect(output?.kind === 'bytes' ? (await sharp(output.bytes).metadata()).format : undefined).toBe(
        'png',
      );
    });

    it.each(['NaN', '-1', 'free', 0])(
      'takes nonsense in the bill (%s) for silence',
      async (billableUnits) => {
        expect(await finalState({ billableUnits })).toMatchObject({
          kind: 'completed',
          usage: undefined,
        });
      },
    );

    it('reports a canceled job as failed', async () => {
      const { upstreamId } = await accepted({ pendingPolls: 5 });
      await providerFor(fake).cancel({ endpoint: ENDPOINT, upstreamId }, signal());
      expect((await pollAll(upstreamId)).at(-1)).toMatchObject({
        kind: 'failed',
        reason: 'the job failed on fal (client_cancelled)',
      });
    });

    it('throws, to be asked again, when fal cannot be reached or does not know the job yet', async () => {
      const job = { endpoint: ENDPOINT, upstreamId: randomUUID() };
      await expect(providerFor(fake).poll(job, signal())).rejects.toMatchObject({ code: 'upstream_error' });
      await expect(providerFor(fake, { outbound: {} }).poll(job, signal())).rejects.toMatchObject({
        code: 'url_blocked',
      });
      await expect(providerFor(fake).poll({ ...job, upstreamId: '../x' }, signal())).rejects.toThrow(
        TypeError,
      );
    });
  });

  describe('the file that a result names', () => {
    it.each([
      ['endless-body', 'upstream_invalid'],
      ['slow-loris', 'upstream_timeout'],
      ['redirect-to-metadata', 'url_blocked'],
    ] as const)('%s is not captured: %s', async (result, code) => {
      await expect(capture(await finalState({ result }))).rejects.toMatchObject({ code });
      expect(fake.ledger()).toHaveLength(1);
    });

    it.each(['garbage-png', 'truncated-png', 'wrong-content-type'] as const)(
      '%s is captured as it is, for the media check to refuse',
      async (result) => {
        expect((await capture(await finalState({ result }))).declaredMediaType).toBe('image/png');
        await expect(
          sharp(join(folder, 'output'), { failOn: 'truncated' }).raw().toBuffer(),
        ).rejects.toThrow();
      },
    );
  });
});
