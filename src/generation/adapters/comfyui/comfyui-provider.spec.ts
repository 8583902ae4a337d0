import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ComfyPlan, FakeComfyUi } from '../../../../test/fakes/comfyui/fake-comfyui.js';
import { describeProviderContract } from '../../../../test/fakes/provider-contract.js';
import { type ContractFault } from '../../../../test/fakes/provider-contract-faults.js';
import { TRANSPORT_FAULTS } from '../../../../test/fakes/vendor/transport-fault.js';
import {
  type CompletedStep,
  type FailedStep,
  type ProviderJob,
  type ProviderRequest,
} from '../../domain/provider.port.js';
import { ownServersSchema } from '../../registry/own-servers.js';
import { ComfyUiProvider } from './comfyui-provider.js';
import { JobMarks } from './job-marks.js';

const PRICE = { family: 'free', source: 'own hardware', dateRead: '2026-11-22', verified: true };
const SHA256 = 'a'.repeat(64);
const JOB_KEY = Buffer.alloc(32, 7);
const marks = new JobMarks(JOB_KEY);

function graphWith(ckpt_name: string, image?: string): Record<string, unknown> {
  return {
    '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name }, _meta: { title: 'SECRET title' } },
    '6': { class_type: 'CLIPTextEncode', inputs: { text: '', clip: ['4', 1] } },
    '3': { class_type: 'KSampler', inputs: { seed: 1, model: ['4', 0], positive: ['6', 0] } },
    ...(image === undefined ? {} : { '10': { class_type: 'LoadImage', inputs: { image } } }),
    '9': { class_type: 'SaveImage', inputs: { images: ['3', 0] } },
  };
}

function batchGraph(batch_size: number): Record<string, unknown> {
  return {
    ...graphWith('sdxl.safetensors'),
    '5': { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size } },
    '7': { class_type: 'RepeatLatentBatch', inputs: { samples: ['5', 0], amount: 1 } },
  };
}

function workflow(name: string, graph: unknown, changes: object = {}): object {
  return {
    name,
    operation: 'generate',
    listingId: 'sdxl-1-0@self-hosted',
    graph,
    parameters: { prompt: { node: '6', input: 'text' }, seed: { node: '3', input: 'seed' } },
    outputNode: '9',
    price: PRICE,
    ...changes,
  };
}

function providerFor(
  fake: FakeComfyUi,
  workflows: readonly object[] = WORKFLOWS,
  changes: object = {},
): ComfyUiProvider {
  const { comfyUi } = ownServersSchema.parse({
    comfyUi: [
      {
        name: 'gpu',
        baseUrl: fake.server.origin,
        privateNetwork: true,
        inventory: [{ fileName: 'sdxl.safetensors', sha256: SHA256, listingId: 'sdxl-1-0@self-hosted' }],
        workflows,
        ...changes,
      },
    ],
  });
  const deadlines = { requestDeadlineMs: 800, fileDeadlineMs: 800 };
  return new ComfyUiProvider({ servers: comfyUi, outbound: {}, jobKey: JOB_KEY, ...deadlines });
}

const WORKFLOWS = [
  workflow('shot', graphWith('sdxl.safetensors')),
  workflow('batch', batchGraph(1), {
    parameters: {
      batch_size: { node: '5', input: 'batch_size' },
      many: { node: '5', input: 'batch_size' },
      again: { node: '7', input: 'amount' },
    },
  }),
  workflow('missing', graphWith('missing.safetensors')),
  workflow('retouch', graphWith('sdxl.safetensors', 'upload.png'), {
    operation: 'edit',
    images: { image: { node: '10', input: 'image' } },
  }),
];

function request(extra: Partial<ProviderRequest> = {}): ProviderRequest {
  return {
    stepRunId: randomUUID(),
    operation: 'generate',
    endpoint: 'gpu/shot',
    parameters: { prompt: 'A SECRET bottle', seed: 5 },
    inputs: {},
    ...extra,
  };
}
const jobOf = ({ stepRunId, endpoint }: ProviderRequest, upstreamId: string): ProviderJob => ({
  stepRunId,
  endpoint,
  upstreamId,
});
const signal = (): AbortSignal => new AbortController().signal;

const RESULTS: Partial<Record<ContractFault, ComfyPlan>> = {
  slow: { pendingPolls: 20 },
  failing: { result: 'error' },
  empty: { result: 'empty' },
};

describeProviderContract('comfyui', async () => {
  const fake = await FakeComfyUi.start();
  return {
    provider: providerFor(fake),
    validRequest: request(),
    refusedRequest: request({ endpoint: 'gpu/missing' }),
    secretText: 'SECRET',
    charges: () => fake.ledger.charges.length,
    loseNextAnswer: () => fake.ledger.plan({ fault: 'reset-after-accept' }),
    faults: {
      names: [...TRANSPORT_FAULTS, 'slow', 'failing', 'empty'],
      plan: (fault) => fake.ledger.plan(RESULTS[fault] ?? { fault: fault as never }),
      attempts: () => fake.ledger.attempts.length,
    },
    stop: () => fake.stop(),
  };
});

describe('ComfyUiProvider against a working fake', () => {
  let fake: FakeComfyUi;
  beforeEach(async () => {
    fake = await FakeComfyUi.start();
  });
  afterEach(() => fake.stop());

  async function finish(plan: ComfyPlan = {}, asked = request()): Promise<CompletedStep | FailedStep> {
    fake.ledger.plan(plan);
    const provider = providerFor(fake);
    const submitted = await provider.submit(asked, signal());
    if (submitted.kind !== 'accepted') return submitted;
    for (;;) {
      const state = await provider.poll(jobOf(asked, submitted.upstreamId), signal());
      if (state.kind !== 'running') return state;
    }
  }

  it('queues the graph under an id that nobody can make from the step, without the texts that a file would carry', async () => {
    const asked = request();
    await finish({}, asked);
    const [attempt] = fake.ledger.attempts;
    expect(attempt).toMatchObject({ prompt_id: marks.promptIdOf(asked) });
    expect(JSON.stringify(attempt)).not.toContain(asked.stepRunId);
    expect(attempt).not.toHaveProperty('extra_data');
    expect(JSON.stringify(attempt)).not.toContain('SECRET title');
    expect((attempt?.prompt as Record<string, { inputs: object }>)['6']?.inputs).toMatchObject({
      text: 'A SECRET bottle',
    });
  });

  it('gives a picture without prompt and workflow, and says what was removed from what', async () => {
    const outcome = await finish();
    if (outcome.kind !== 'completed') throw new Error(outcome.reason);
    const [output] = outcome.outputs;
    if (output?.kind !== 'bytes') throw new Error('no bytes');
    expect(output.bytes.toString('latin1')).not.toContain('SECRET');
    expect(output.preparation).toMatchObject({
      kind: 'png-text-removed',
      removed: ['prompt', 'tEXt', 'workflow'],
    });
    expect(outcome.claims).toMatchObject({
      server: 'gpu',
      workflow: 'shot',
      weights: `checkpoints/sdxl.safetensors sha256:${SHA256}`,
    });
  });

  it('takes the marks where the operator says that the server ignores them, and frames of a film for one file', () => {
    const own = [
      workflow('shot', graphWith('sdxl.safetensors')),
      workflow('film', batchGraph(16), {
        operation: 'generate-video',
        parameters: { frames: { node: '5', input: 'batch_size' } },
      }),
    ];
    const provider = providerFor(fake, own, { ignoresWeightTags: true });
    expect(provider.problemWith(request({ parameters: { prompt: '<lora:x:1>' } }))).toBeUndefined();
    const film = { endpoint: 'gpu/film', operation: 'generate-video', parameters: { frames: 24 } } as const;
    expect(provider.problemWith(request(film))).toBeUndefined();
  });

  it('takes the first of several files, and says how many there were', async () => {
    expect(await finish({ files: 3 })).toMatchObject({ kind: 'completed', claims: { filesInAnswer: 3 } });
    const one = await finish();
    expect(one.kind === 'completed' ? one.claims : {}).not.toHaveProperty('filesInAnswer');
  });

  it('leaves other formats as they came', async () => {
    const outcome = await finish({ result: 'jpeg' });
    expect(outcome.kind === 'completed' ? outcome.outputs[0] : undefined).not.toHaveProperty('preparation');
  });

  it.each([
    ['error', 'the workflow failed on the server'],
    ['empty', 'the output node of the workflow left no file'],
    ['no-file', 'the server does not have the file that it names'],
    ['signed', 'the file can carry the prompt under a manifest that would break'],
  ] as const)('a result that is %s fails: %s', async (result, reason) => {
    expect(await finish({ result })).toMatchObject({ kind: 'failed', reason });
  });

  it('notices a server that is too old to take its id, and goes on under the id of the server', async () => {
    fake.ignoresPromptId = true;
    const asked = request();
    expect((await finish({}, asked)).kind).toBe('completed');
    expect(fake.ledger.charges[0]).not.toBe(marks.promptIdOf(asked));
    expect(await providerFor(fake).findLost(asked, signal())).toEqual({ kind: 'not-found' });
  });

  it('never takes a job that it did not send for its own, wherever it stands', async () => {
    const asked = request();
    const provider = providerFor(fake);
    // Under the id that the API shows of the step: it is not even seen.
    fake.queueForeign(asked.stepRunId, graphWith('not-cleared.safetensors'));
    const submitted = await provider.submit(asked, signal());
    if (submitted.kind !== 'accepted') throw new Error('not accepted');
    expect(fake.ledger.charges).toEqual([submitted.upstreamId]);
    // Under the id that the server shows of the running job, with the mark of that job.
    const mark = fake.ledger.attempts[0]?.client_id;
    fake.queueForeign(submitted.upstreamId, graphWith('not-cleared.safetensors'), mark);
    const foreign = { code: 'upstream_invalid', reason: expect.stringContaining('another graph') };
    expect(await provider.poll(jobOf(asked, submitted.upstreamId), signal())).toMatchObject(foreign);
    expect(await provider.submit(asked, signal())).toMatchObject({ kind: 'failed', ...foreign });
    expect(await provider.findLost(asked, signal())).toEqual({ kind: 'not-found' });
    expect(fake.ledger.charges).toHaveLength(1);
  });

  it('does not take the output of another client whose id the server answers', async () => {
    fake.queueForeign('job-of-another-client-1', graphWith('not-cleared.safetensors'), 'another client');
    fake.answersWithId = 'job-of-another-client-1';
    expect(await finish()).toMatchObject({ kind: 'failed', code: 'upstream_invalid' });
  });

  it('does not take the job of another step of its own', async () => {
    const provider = providerFor(fake);
    const [asked, other] = [request(), request()];
    const submitted = await provider.submit(asked, signal());
    if (submitted.kind !== 'accepted') throw new Error('not accepted');
    const job = jobOf(other, submitted.upstreamId);
    expect(await provider.poll(job, signal())).toMatchObject({ code: 'upstream_invalid' });
  });

  it('leaves the jobs of others alone when it cancels', async () => {
    const asked = request();
    fake.queueForeign('job-of-another-client-1', graphWith('sdxl.safetensors'), 'another client', 50);
    await providerFor(fake).cancel(jobOf(asked, 'job-of-another-client-1'), signal());
    expect(fake.interrupted).toEqual([]);
  });

  it('fails when a restarted server has forgotten the job', async () => {
    const asked = request();
    const submitted = await providerFor(fake).submit(asked, signal());
    if (submitted.kind !== 'accepted') throw new Error('not accepted');
    fake.forget();
    const job = jobOf(asked, submitted.upstreamId);
    expect(await providerFor(fake).poll(job, signal())).toMatchObject({
      kind: 'failed',
      reason: 'the server does not know the job any more',
    });
  });

  it('cancels by taking out of the queue what waits, and interrupting only what runs', async () => {
    const provider = providerFor(fake);
    const jobs: ProviderJob[] = [];
    for (let n = 0; n < 2; n += 1) {
      fake.ledger.plan({ pendingPolls: 50 });
      const asked = request();
      const submitted = await provider.submit(asked, signal());
      if (submitted.kind === 'accepted') jobs.push(jobOf(asked, submitted.upstreamId));
    }
    const [running, waiting] = jobs;
    if (running === undefined || waiting === undefined) throw new Error('not accepted');
    await provider.cancel(waiting, signal());
    await provider.cancel(running, signal());
    expect(fake.interrupted).toEqual([running.upstreamId]);
    expect(await provider.poll(waiting, signal())).toMatchObject({ kind: 'failed' });
  });

  it('uploads pictures under their hash', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'colophon-comfyui-'));
    const path = join(folder, 'a');
    await writeFile(path, 'bytes');
    const inputs = { image: { path, mediaType: 'image/png', kind: 'image' as const, sha256: 'abc' } };
    expect((await finish({}, request({ endpoint: 'gpu/retouch', operation: 'edit', inputs }))).kind).toBe(
      'completed',
    );
    expect(fake.uploads.map(({ name }) => name)).toEqual(['abc.png']);
    const graph = fake.ledger.attempts[0]?.prompt as Record<string, { inputs: object }>;
    expect(graph['10']?.inputs).toEqual({ image: 'abc.png' });
    await rm(folder, { recursive: true });
  });

  it.each([
    ['another workflow', { endpoint: 'gpu/other' }, 'no configured server'],
    ['a parameter of its own', { parameters: { ckpt_name: 'x' } }, 'not among those of this workflow'],
    ['an embedding', { parameters: { prompt: 'x embedding:style' } }, 'names an embedding'],
    ['a mark that loads a LoRA', { parameters: { prompt: 'x <Lora:nc-style:1>' } }, 'was not cleared'],
    [
      'more than one picture',
      { endpoint: 'gpu/batch', parameters: { batch_size: 10 } },
      'batch_size must be 1',
    ],
    [
      'more than one picture in a text',
      { endpoint: 'gpu/batch', parameters: { batch_size: '8' } },
      'batch_size must be 1',
    ],
    ['a batch by another name', { endpoint: 'gpu/batch', parameters: { many: 2 } }, 'many must be 1'],
    ['a batch that is repeated', { endpoint: 'gpu/batch', parameters: { again: 3 } }, 'again must be 1'],
    ['no picture', { endpoint: 'gpu/retouch', operation: 'edit' }, 'needs a picture named "image"'],
    ['one picture too many', { inputs: { image: { kind: 'image' } } }, 'not among those of this workflow'],
  ] as const)('refuses %s beforehand', (_name, extra, words) => {
    expect(providerFor(fake).problemWith({ ...request(), ...extra })).toContain(words);
  });

  it.each([
    [
      'an unknown node',
      { graph: { ...graphWith('sdxl.safetensors'), z: { class_type: 'Mystery', inputs: {} } } },
      'unknown kind',
    ],
    [
      'a caller who chooses the weights',
      { parameters: { model: { node: '4', input: 'ckpt_name' } } },
      'no caller chooses',
    ],
    ['a binding into nothing', { parameters: { prompt: { node: '99', input: 'text' } } }, 'no node 99'],
    ['a file of the server', { graph: graphWith('sdxl.safetensors', 'server.png') }, 'no rights are known'],
    ['no output node', { outputNode: '77' }, 'no node 77'],
    ['a batch of its own', { graph: batchGraph(4) }, '"batch_size" of node 5 must be 1'],
    [
      'a mark of its own that loads a LoRA',
      { graph: { ...batchGraph(1), 6: { class_type: 'CLIPTextEncode', inputs: { text: '<lora:x:1>' } } } },
      'load the weight by a node',
    ],
  ])('does not start with %s', (_name, changes, words) => {
    expect(() => providerFor(fake, [workflow('bad', graphWith('sdxl.safetensors'), changes)])).toThrow(words);
  });
});
