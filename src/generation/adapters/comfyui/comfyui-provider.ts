import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { allowedHostOf } from '../../../outbound/outbound-target.js';
import {
  type AcceptedStep,
  type CompletedStep,
  type FailedStep,
  type LostJob,
  type PlannedRequest,
  type Provider,
  type ProviderJob,
  type ProviderRequest,
  type RunningStep,
} from '../../domain/provider.port.js';
import { fileOf } from '../../domain/comfy-lineage.js';
import { readGraph } from '../../domain/comfy-graph.js';
import {
  type ComfyUiServer,
  type ComfyWorkflow,
  inventoryOf,
  ownEndpoint,
} from '../../registry/own-servers.js';
import { askAgain, failed, submitFailure, uploadFailure } from '../vendor/refusal.js';
import { VendorHttpError } from '../vendor/send-one.js';
import { removePromptTexts } from './clean-file.js';
import { UncleanableFileError } from './cleaned-parts.js';
import { ComfyClient, type ComfyLimits, filesOfNode, type HistoryEntry, seenIn } from './comfy-client.js';
import { JobMarks, type MarkedStep } from './job-marks.js';
import { graphFor, requireSoundWorkflow, textsIn, workflowProblem } from './workflow-request.js';

export interface ComfyUiOptions {
  readonly servers: readonly ComfyUiServer[];
  readonly outbound: OutboundPolicy;
  /** Ids and marks of jobs follow from it; the same in every process of the installation. */
  readonly jobKey: Uint8Array;
  /** For one request. Default 30 s. */
  readonly requestDeadlineMs?: number;
  /** For one file, in or out. Default 120 s. */
  readonly fileDeadlineMs?: number;
}

interface Target {
  readonly server: ComfyUiServer;
  readonly workflow: ComfyWorkflow;
}
const VENDOR = 'comfyui';
const PROMPT_ID = /^[A-Za-z0-9_-]{1,100}$/;

/** ComfyUI's errors repeat the graph: its words are not passed on. */
const noKind = (): undefined => undefined;

const FOREIGN = 'the server shows another graph than the one that was sent for this step';

/**
 * Workflows on the operator's ComfyUI servers. The id of a job follows from the step by a secret key: so before a graph
 * is queued the server is asked whether it has it, and a second submit finds the first. Of what the server has, only a
 * job with our mark counts ({@link JobMarks}). A server that is too old to take our id shows that by its answer; then
 * the job has the server's id, is known by its mark, and a lost answer cannot be found.
 */
export class ComfyUiProvider implements Provider {
  readonly name = 'comfyui';
  readonly resubmission = 'identified';
  readonly channel = 'self-hosted';
  private readonly marks: JobMarks;

  constructor(private readonly options: ComfyUiOptions) {
    this.marks = new JobMarks(options.jobKey);
    for (const server of options.servers)
      for (const workflow of server.workflows) requireSoundWorkflow(server, workflow);
  }

  problemWith(request: PlannedRequest): string | undefined {
    const target = this.targetOf(request.endpoint);
    return target === undefined
      ? 'no configured server has this workflow'
      : workflowProblem(target.server, target.workflow, request);
  }

  async submit(request: ProviderRequest, signal: AbortSignal): Promise<AcceptedStep | FailedStep> {
    const problem = this.problemWith(request);
    const target = this.targetOf(request.endpoint);
    if (problem !== undefined || target === undefined) return failed('upstream_error', problem ?? '');
    const client = this.clientOf(target.server);
    const promptId = this.marks.promptIdOf(request);
    const files: Record<string, string> = {};
    try {
      const found = await this.find(client, request, promptId, signal);
      if (found === 'foreign') return failed('upstream_invalid', FOREIGN);
      if (found !== undefined) return { kind: 'accepted', upstreamId: promptId };
      for (const [name, file] of Object.entries(request.inputs))
        files[name] = await client.upload(file, this.fileLimits(signal));
    } catch (error) {
      return uploadFailure(error, noKind);
    }
    try {
      const graph = graphFor(target.workflow, request.parameters, files);
      const mark = this.marks.markOf(request, graph);
      const upstreamId = await client.submit(promptId, mark, graph, this.limits(signal));
      if (!PROMPT_ID.test(upstreamId))
        return failed('upstream_invalid', 'the server gave an id that cannot be used');
      return { kind: 'accepted', upstreamId };
    } catch (error) {
      return submitFailure(VENDOR, error, noKind);
    }
  }

  async poll(job: ProviderJob, signal: AbortSignal): Promise<CompletedStep | RunningStep | FailedStep> {
    const target = this.targetOf(job.endpoint);
    if (target === undefined || !PROMPT_ID.test(job.upstreamId)) throw new TypeError('not a job on comfyui');
    const client = this.clientOf(target.server);
    try {
      const found = await this.find(client, job, job.upstreamId, signal);
      if (found === 'foreign') return failed('upstream_invalid', FOREIGN);
      if (found === 'queued') return { kind: 'running', progress: undefined };
      // Neither waiting, running nor done: a restarted server has forgotten it, or it was taken out of the queue.
      if (found === undefined) return failed('upstream_error', 'the server does not know the job any more');
      return await this.outcome(target, client, job, found, signal);
    } catch (error) {
      throw askAgain(VENDOR, error);
    }
  }

  async cancel(job: ProviderJob, signal: AbortSignal): Promise<void> {
    const target = this.targetOf(job.endpoint);
    if (target === undefined) return;
    const client = this.clientOf(target.server);
    try {
      const queued = await client.queued(job.upstreamId, this.limits(signal));
      const ours = queued.find((seen) => this.marks.isOurs(job, seen));
      if (ours?.place === 'pending') await client.removeFromQueue(job.upstreamId, this.limits(signal));
      if (ours?.place === 'running') await client.interrupt(job.upstreamId, this.limits(signal));
    } catch {
      // Best effort: a job that has ended, is unknown or cannot be reached goes its way and is settled by polling.
    }
  }

  async findLost(step: MarkedStep, signal: AbortSignal): Promise<LostJob> {
    const target = this.targetOf(step.endpoint);
    if (target === undefined) return { kind: 'not-found' };
    const promptId = this.marks.promptIdOf(step);
    const found = await this.find(this.clientOf(target.server), step, promptId, signal);
    if (found === undefined || found === 'foreign') return { kind: 'not-found' };
    return { kind: 'found', upstreamId: promptId };
  }

  /**
   * Looked for in the queue first: a job that ends in between is in the history then.
   * @returns `foreign` when nothing under the id was sent from here for this step
   */
  private async find(
    client: ComfyClient,
    step: MarkedStep,
    promptId: string,
    signal: AbortSignal,
  ): Promise<HistoryEntry | 'queued' | 'foreign' | undefined> {
    const queued = await client.queued(promptId, this.limits(signal));
    if (queued.some((seen) => this.marks.isOurs(step, seen))) return 'queued';
    const entry = await client.history(promptId, this.limits(signal));
    if (entry === undefined) return queued.length > 0 ? 'foreign' : undefined;
    return this.marks.isOurs(step, seenIn(entry.prompt)) ? entry : 'foreign';
  }

  private async outcome(
    { server, workflow }: Target,
    client: ComfyClient,
    job: ProviderJob,
    entry: HistoryEntry,
    signal: AbortSignal,
  ): Promise<CompletedStep | FailedStep> {
    if (entry.status?.status_str === 'error')
      return failed('upstream_error', 'the workflow failed on the server');
    const files = filesOfNode(entry, workflow.outputNode);
    const [file] = files;
    if (file === undefined) return failed('upstream_invalid', 'the output node of the workflow left no file');
    try {
      const received = await client.file(file, this.fileLimits(signal));
      if (received.byteLength === 0) return failed('upstream_invalid', 'the server gave an empty file');
      const { bytes, preparation } = removePromptTexts(
        received,
        textsIn(workflow, seenIn(entry.prompt).graph),
      );
      return {
        kind: 'completed',
        outputs: [{ kind: 'bytes', bytes, ...(preparation === undefined ? {} : { preparation }) }],
        usage: undefined,
        claims: {
          server: server.name,
          workflow: workflow.name,
          promptId: job.upstreamId,
          weights: weightsOf(server, workflow),
          // The others are not fetched: that they were made stays on record.
          ...(files.length > 1 ? { filesInAnswer: files.length } : {}),
        },
      };
    } catch (error) {
      if (error instanceof UncleanableFileError) return failed('upstream_invalid', error.message);
      if (error instanceof VendorHttpError && error.status === 404)
        return failed('upstream_invalid', 'the server does not have the file that it names');
      throw error;
    }
  }

  private targetOf(endpoint: string): Target | undefined {
    for (const server of this.options.servers) {
      const workflow = server.workflows.find(({ name }) => ownEndpoint(server.name, name) === endpoint);
      if (workflow !== undefined) return { server, workflow };
    }
    return undefined;
  }

  /** The address of each server is open to this adapter alone. */
  private clientOf(server: ComfyUiServer): ComfyClient {
    const allowed = this.options.outbound.allowedPrivateHosts ?? [];
    const outbound = server.privateNetwork
      ? { ...this.options.outbound, allowedPrivateHosts: [...allowed, allowedHostOf(server.baseUrl)] }
      : this.options.outbound;
    return new ComfyClient(server.baseUrl, outbound);
  }

  private limits(signal: AbortSignal): ComfyLimits {
    return { deadlineMs: this.options.requestDeadlineMs ?? 30_000, signal };
  }

  private fileLimits(signal: AbortSignal): ComfyLimits {
    return { deadlineMs: this.options.fileDeadlineMs ?? 120_000, signal };
  }
}

/** Place and the operator's hash of each weight: what the server had loaded it did not prove. */
function weightsOf(server: ComfyUiServer, workflow: ComfyWorkflow): string {
  const { weights } = readGraph(workflow.graph, server.nodes);
  const inventory = inventoryOf(server);
  const names = weights.map((weight) => {
    const place = weight.folder === undefined ? '' : `${weight.folder}/`;
    const sha256 = fileOf(weight, inventory)?.sha256;
    const proof = sha256 === undefined ? 'not in the inventory' : `sha256:${sha256}`;
    return `${place}${weight.fileName} ${proof}`;
  });
  return [...new Set(names)].join(', ').slice(0, 2000);
}
