import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type Replicate from 'replicate';
import { MEDIA_KINDS } from '../../domain/media-kind.js';
import {
  type AcceptedStep,
  type CompletedStep,
  type FailedStep,
  type LostJob,
  type PlannedRequest,
  type Provider,
  type ProviderInput,
  type ProviderRequest,
  type RunningStep,
} from '../../domain/provider.port.js';
import { placeAddress } from '../vendor/listed-inputs.js';
import { inputProblem, parameterProblem } from '../vendor/parameters.js';
import { askAgain, failed, submitFailure, uploadFailure } from '../vendor/refusal.js';
import { type CallLimits, UnreadableAnswerError } from '../vendor/send-one.js';
import { Prediction, stateOf } from './prediction.js';
import { askReplicate, type ReplicateConnection } from './replicate-connection.js';
import {
  type DeployedModels,
  isPredictionId,
  readReplicateEndpoint,
  type ReplicateEndpoint,
} from './replicate-endpoint.js';

export interface ReplicateProviderOptions extends ReplicateConnection {
  /** Where Replicate reports completion; holds the step's id, by which a lost submit is found in the list. */
  readonly webhookUrl?: (stepRunId: string) => URL | undefined;
  /** What was cleared to run behind each deployment. One that is not among them is not asked. */
  readonly deployedModels?: DeployedModels;
  /** For one request. Default 30 s. */
  readonly requestDeadlineMs?: number;
  /** For one input file. Default 120 s. */
  readonly uploadDeadlineMs?: number;
}

interface Job {
  readonly endpoint: string;
  readonly upstreamId: string;
}

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** Pages of the list that are looked through, newest first: what was lost was sent a moment ago. */
const MAX_LIST_PAGES = 10;

const FileAnswer = z.object({ urls: z.object({ get: z.string().max(8192) }) });
const List = z.object({
  results: z.array(z.object({ id: z.string(), webhook: z.string().nullish().catch(undefined) })).max(1000),
  next: z.string().nullish(),
});

/** A word of Replicate's error, never its text. */
function errorKind(body: unknown): string | undefined {
  const parsed = z.object({ title: z.string().regex(/^[A-Za-z0-9 _.-]{1,64}$/) }).safeParse(body);
  return parsed.success ? parsed.data.title : undefined;
}

/**
 * Runs predictions on Replicate. There is no idempotency key, so a submit is sent once; if its answer is lost, the step
 * is recognized in the account's list of predictions by the webhook address, which holds its id.
 */
export class ReplicateProvider implements Provider {
  readonly name = 'replicate';
  readonly resubmission = 'charges_again';
  readonly channel = 'replicate';

  constructor(private readonly options: ReplicateProviderOptions) {}

  problemWith(request: PlannedRequest): string | undefined {
    const endpoint = readReplicateEndpoint(request.endpoint);
    if (endpoint === undefined) return 'the endpoint is not a model, a version or a deployment on replicate';
    if (endpoint.kind === 'deployment' && this.#deployed(request.endpoint) === undefined)
      return 'which model the deployment runs is not stated with its offering ("runs")';
    return (
      parameterProblem(request.parameters) ?? inputProblem(request.parameters, request.inputs, MEDIA_KINDS)
    );
  }

  async submit(request: ProviderRequest, signal: AbortSignal): Promise<AcceptedStep | FailedStep> {
    const problem = this.problemWith(request);
    const endpoint = readReplicateEndpoint(request.endpoint);
    if (problem !== undefined || endpoint === undefined) return failed('upstream_error', problem ?? '');
    const addresses: Record<string, string | string[]> = {};
    try {
      for (const [name, file] of Object.entries(request.inputs))
        placeAddress(addresses, name, await this.#upload(file, signal));
    } catch (error) {
      return uploadFailure(error, errorKind);
    }
    try {
      const answer = await askReplicate(this.options, this.#limits(signal), (client) =>
        create(
          client,
          endpoint,
          { ...request.parameters, ...addresses },
          this.options.webhookUrl?.(request.stepRunId)?.href,
        ),
      );
      return { kind: 'accepted', upstreamId: Prediction.parse(answer.data).id };
    } catch (error) {
      return submitFailure('replicate', error, errorKind);
    }
  }

  async poll(job: Job, signal: AbortSignal): Promise<CompletedStep | RunningStep | FailedStep> {
    const endpoint = readReplicateEndpoint(job.endpoint);
    if (endpoint === undefined || !isPredictionId(job.upstreamId))
      throw new TypeError('not a prediction on replicate');
    try {
      const answer = await askReplicate(this.options, this.#limits(signal), (client) =>
        client.predictions.get(job.upstreamId),
      );
      const prediction = Prediction.parse(answer.data);
      if (prediction.id !== job.upstreamId)
        return failed('upstream_invalid', 'replicate answered for another prediction');
      return stateOf(
        prediction,
        endpoint,
        this.#deployed(job.endpoint),
        this.options.outbound.allowedPrivateHosts ?? [],
      );
    } catch (error) {
      throw askAgain('replicate', error);
    }
  }

  async cancel(job: Job, signal: AbortSignal): Promise<void> {
    if (!isPredictionId(job.upstreamId)) throw new TypeError('not a prediction on replicate');
    try {
      await askReplicate(this.options, this.#limits(signal), (client) =>
        client.predictions.cancel(job.upstreamId),
      );
    } catch {
      // Best effort: a prediction that has ended, is unknown or cannot be reached goes its way and is settled by polling.
    }
  }

  async findLost({ stepRunId }: { readonly stepRunId: string }, signal: AbortSignal): Promise<LostJob> {
    // Without a public address there is nothing in the list to recognize the step by.
    const wanted = this.options.webhookUrl?.(stepRunId)?.href;
    let cursor: string | undefined;
    for (let page = 0; wanted !== undefined && page < MAX_LIST_PAGES; page += 1) {
      const list = await this.#list(cursor, signal);
      const found = list.results.find(({ id, webhook }) => webhook === wanted && isPredictionId(id));
      if (found !== undefined) return { kind: 'found', upstreamId: found.id };
      cursor = cursorOf(list.next);
      if (cursor === undefined) break;
    }
    return { kind: 'not-found' };
  }

  /** Only the cursor of `next` is used: the address itself is the other side's choice, and our token would go there. */
  async #list(cursor: string | undefined, signal: AbortSignal): Promise<z.output<typeof List>> {
    try {
      const answer = await askReplicate(this.options, this.#limits(signal), async (client) => {
        const params = cursor === undefined ? {} : { cursor };
        return (await client.request('/predictions', { method: 'GET', params })).json();
      });
      return List.parse(answer.data);
    } catch (error) {
      throw askAgain('replicate', error);
    }
  }

  /** The file is named by its content hash, not by the name that a person gave. */
  async #upload(file: ProviderInput, signal: AbortSignal): Promise<string> {
    const bytes = await readFile(file.path);
    const limits = { ...this.#limits(signal), deadlineMs: this.options.uploadDeadlineMs ?? 120_000 };
    const content = new File([new Uint8Array(bytes)], file.sha256, { type: file.mediaType });
    const answer = await askReplicate(this.options, limits, (client) => client.files.create(content));
    const parsed = FileAnswer.safeParse(answer.data);
    if (!parsed.success) throw new UnreadableAnswerError('replicate');
    return parsed.data.urls.get;
  }

  #deployed(endpoint: string) {
    const { deployedModels = {} } = this.options;
    return Object.hasOwn(deployedModels, endpoint) ? deployedModels[endpoint] : undefined;
  }

  #limits(signal: AbortSignal): CallLimits {
    return {
      deadlineMs: this.options.requestDeadlineMs ?? 30_000,
      maxResponseBytes: MAX_ANSWER_BYTES,
      signal,
    };
  }
}

function create(
  client: Replicate,
  endpoint: ReplicateEndpoint,
  input: object,
  webhook: string | undefined,
): Promise<unknown> {
  const options = {
    input,
    ...(webhook === undefined ? {} : { webhook, webhook_events_filter: ['completed' as const] }),
  };
  switch (endpoint.kind) {
    case 'model':
      return client.predictions.create({ ...options, model: endpoint.model });
    case 'version':
      return client.predictions.create({ ...options, version: endpoint.version });
    case 'deployment':
      return client.deployments.predictions.create(endpoint.owner, endpoint.name, options);
  }
}

function cursorOf(next: string | null | undefined): string | undefined {
  if (next === null || next === undefined || !URL.canParse(next)) return undefined;
  const cursor = new URL(next).searchParams.get('cursor') ?? '';
  return /^[\x21-\x7e]{1,1024}$/.test(cursor) ? cursor : undefined;
}
