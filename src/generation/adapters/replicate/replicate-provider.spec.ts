import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeProviderContract } from '../../../../test/fakes/provider-contract.js';
import { type ContractFault } from '../../../../test/fakes/provider-contract-faults.js';
import {
  FAKE_DEPLOYED,
  FAKE_REPLICATE_TOKEN,
  FakeReplicate,
  type ReplicatePlan,
} from '../../../../test/fakes/replicate/fake-replicate.js';
import { TRANSPORT_FAULTS } from '../../../../test/fakes/vendor/transport-fault.js';
import {
  type CompletedStep,
  type FailedStep,
  OutcomeUnknownError,
  type ProviderRequest,
} from '../../domain/provider.port.js';
import { ReplicateProvider, type ReplicateProviderOptions } from './replicate-provider.js';

const ENDPOINT = 'black-forest-labs/flux-schnell';
const DEPLOYMENT = 'deployments/own/shots';
const VERSION = `someone/model:${'a'.repeat(64)}`;

function request(extra: Partial<ProviderRequest> = {}): ProviderRequest {
  return {
    stepRunId: randomUUID(),
    operation: 'generate',
    endpoint: ENDPOINT,
    parameters: { prompt: 'A SECRET bottle', num_outputs: 1 },
    inputs: {},
    ...extra,
  };
}

function providerFor(fake: FakeReplicate, extra: Partial<ReplicateProviderOptions> = {}): ReplicateProvider {
  return new ReplicateProvider({
    token: FAKE_REPLICATE_TOKEN,
    outbound: { allowedPrivateHosts: [fake.server.hostPort] },
    baseUrl: fake.baseUrl,
    requestDeadlineMs: 800,
    deployedModels: { [DEPLOYMENT]: FAKE_DEPLOYED },
    webhookUrl: (stepRunId) => new URL(`https://gateway.example/v1/webhooks/replicate/${stepRunId}`),
    ...extra,
  });
}

const signal = (): AbortSignal => new AbortController().signal;

const RESULTS: Partial<Record<ContractFault, ReplicatePlan>> = {
  slow: { pendingPolls: 20 },
  failing: { result: 'failed' },
  empty: { result: 'empty' },
  'internal-output': { result: 'internal-url' },
};

describeProviderContract('replicate', async () => {
  const fake = await FakeReplicate.start();
  return {
    provider: providerFor(fake),
    validRequest: request(),
    refusedRequest: request({ endpoint: 'someone/unknown' }),
    secretText: 'SECRET',
    secretKey: FAKE_REPLICATE_TOKEN,
    charges: () => fake.ledger.charges.length,
    loseNextAnswer: () => fake.ledger.plan({ fault: 'reset-after-accept' }),
    faults: {
      names: [...TRANSPORT_FAULTS, 'slow', 'failing', 'empty', 'internal-output'],
      plan: (fault) => fake.ledger.plan(RESULTS[fault] ?? { fault: fault as never }),
      attempts: () => fake.ledger.attempts.length,
    },
    stop: () => fake.stop(),
  };
});

describe('ReplicateProvider against a working fake', () => {
  let fake: FakeReplicate;
  beforeEach(async () => {
    fake = await FakeReplicate.start();
  });
  afterEach(() => fake.stop());

  async function finish(
    plan: ReplicatePlan,
    extra: Partial<ProviderRequest> = {},
  ): Promise<CompletedStep | FailedStep> {
    fake.ledger.plan(plan);
    const sent = request(extra);
    const submitted = await providerFor(fake).submit(sent, signal());
    if (submitted.kind !== 'accepted') return submitted;
    for (;;) {
      const job = { endpoint: sent.endpoint, upstreamId: submitted.upstreamId };
      const state = await providerFor(fake).poll(job, signal());
      if (state.kind !== 'running') return state;
    }
  }

  it('reports what replicate counted, and names the prediction, never the prompt', async () => {
    const state = await finish({});
    expect(state).toMatchObject({
      kind: 'completed',
      usage: { image: 1, 'compute-second': 0.75 },
      claims: { model: ENDPOINT, predictSeconds: 0.75 },
    });
    expect(JSON.stringify(state)).not.toContain('SECRET');
  });

  it.each([
    [ENDPOINT, `/v1/models/${ENDPOINT}/predictions`],
    [VERSION, '/v1/predictions'],
    [DEPLOYMENT, `/v1/${DEPLOYMENT}/predictions`],
  ])('asks %s at its own address', async (endpoint, path) => {
    await providerFor(fake).submit(request({ endpoint }), signal());
    expect(fake.ledger.attempts[0]?.path).toBe(path);
  });

  it.each([
    ['failed', 'upstream_error', true],
    ['canceled', 'upstream_error', undefined],
    ['aborted', 'upstream_timeout', undefined],
    ['removed', 'upstream_invalid', undefined],
    ['other-model', 'upstream_invalid', true],
    ['text', 'upstream_invalid', undefined],
  ] as const)('a prediction that is %s fails: %s', async (result, code, mayBeBilled) => {
    const state = await finish({ result });
    expect(state).toMatchObject({ kind: 'failed', code });
    expect((state as FailedStep).mayBeBilled).toBe(mayBeBilled);
    expect(JSON.stringify(state)).not.toContain('SECRET');
  });

  it.each<[string, { model: string | undefined; version: string | undefined }, string]>([
    ['what was cleared', FAKE_DEPLOYED, 'completed'],
    ['another model', { ...FAKE_DEPLOYED, model: 'someone/else' }, 'failed'],
    ['another version', { ...FAKE_DEPLOYED, version: 'hidden' }, 'failed'],
    ['it does not say which model', { ...FAKE_DEPLOYED, model: undefined }, 'failed'],
    ['it does not say which version', { ...FAKE_DEPLOYED, version: undefined }, 'failed'],
  ])('of a deployment that runs %s', async (_name, deployed, kind) => {
    fake.deployed = deployed;
    const state = await finish({}, { endpoint: DEPLOYMENT });
    expect(state.kind).toBe(kind);
    if (state.kind === 'failed')
      expect(state).toMatchObject({ code: 'upstream_invalid', mayBeBilled: true, usage: { image: 1 } });
  });

  it('finds a lost submit on a later page, and follows no address of the list', async () => {
    fake.pageSize = 2;
    const lost = request();
    fake.ledger.plan({ fault: 'hang-after-accept' });
    await expect(providerFor(fake, { requestDeadlineMs: 100 }).submit(lost, signal())).rejects.toBeInstanceOf(
      OutcomeUnknownError,
    );
    for (let other = 0; other < 5; other += 1) await providerFor(fake).submit(request(), signal());
    expect(await providerFor(fake).findLost(lost, signal())).toEqual({
      kind: 'found',
      upstreamId: fake.ledger.charges[0],
    });
  });

  it('finds nothing without a public address: nothing in the list could be recognized', async () => {
    const provider = new ReplicateProvider({
      token: FAKE_REPLICATE_TOKEN,
      outbound: { allowedPrivateHosts: [fake.server.hostPort] },
      baseUrl: fake.baseUrl,
    });
    const step = request();
    await provider.submit(step, signal());
    expect(await provider.findLost(step, signal())).toEqual({ kind: 'not-found' });
  });

  it('ends a job that is canceled', async () => {
    fake.ledger.plan({ pendingPolls: 5 });
    const submitted = await providerFor(fake).submit(request(), signal());
    if (submitted.kind !== 'accepted') throw new Error('not accepted');
    const job = { endpoint: ENDPOINT, upstreamId: submitted.upstreamId };
    await providerFor(fake).cancel(job, signal());
    expect(await providerFor(fake).poll(job, signal())).toMatchObject({
      kind: 'failed',
      reason: 'the prediction was canceled on replicate',
    });
  });

  it('uploads input files under their hash, and sends nothing when that fails', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'colophon-replicate-'));
    const path = join(folder, 'input');
    await writeFile(path, 'bytes');
    const sha256 = createHash('sha256').update('bytes').digest('hex');
    const inputs = { image: { path, mediaType: 'image/png', kind: 'image' as const, sha256 } };
    await providerFor(fake).submit(request({ inputs }), signal());
    expect(fake.uploads.map(({ id, bytes }) => [id, bytes.toString()])).toEqual([[sha256, 'bytes']]);
    const input = fake.ledger.attempts[0]?.body.input as Record<string, unknown>;
    expect(input.image).toContain('/v1/files/');
    const refused = await providerFor(fake, { token: 'r8_wrong_canary' }).submit(
      request({ inputs }),
      signal(),
    );
    expect(refused).toMatchObject({
      kind: 'failed',
      reason: 'replicate refused an input file with status 401 (Unauthenticated)',
    });
    expect(JSON.stringify(refused)).not.toContain('r8_wrong_canary');
    expect(fake.ledger.attempts).toHaveLength(1);
    await rm(folder, { recursive: true });
  });

  it.each([
    ['a URL', { endpoint: 'https://api.replicate.com/v1' }],
    ['a path that climbs', { endpoint: 'a/..' }],
    ['a LoRA that was not cleared', { parameters: { prompt: 'x', lora_weights: 'fofr/style' } }],
    ['a deployment of which nobody said what it runs', { endpoint: 'deployments/own/other' }],
    ['several pictures', { parameters: { prompt: 'x', num_outputs: 4 } }],
  ])('asks replicate nothing for %s', async (_name, extra) => {
    expect(await providerFor(fake).submit(request(extra), signal())).toMatchObject({ kind: 'failed' });
    expect(fake.ledger.attempts).toEqual([]);
  });
});
