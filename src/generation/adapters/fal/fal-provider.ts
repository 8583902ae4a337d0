import { z } from 'zod';
import { MEDIA_KINDS } from '../../domain/media-kind.js';
import { readUsage } from '../../domain/usage.js';
import {
  type AcceptedStep,
  type CompletedStep,
  type FailedStep,
  type PlannedRequest,
  type Provider,
  type ProviderRequest,
  type RunningStep,
} from '../../domain/provider.port.js';
import { UnusableResultError } from '../vendor/outputs.js';
import { placeAddress } from '../vendor/listed-inputs.js';
import { inputProblem, parameterProblem } from '../vendor/parameters.js';
import { askAgain, failed, refusal, submitFailure, uploadFailure } from '../vendor/refusal.js';
import {
  type CallLimits,
  UnreadableAnswerError,
  type VendorAnswer,
  VendorHttpError,
} from '../vendor/send-one.js';
import { type FalConnection, sendOnce } from './fal-connection.js';
import { isFalEndpointId, isFalRequestId } from './fal-endpoint.js';
import {
  type FalJobAddress,
  hasFailed,
  isFinalResult,
  jobFailure,
  namesAnotherJob,
  StatusAnswer,
} from './fal-job-outcome.js';
import { errorKind } from './fal-refusal.js';
import { billedUnitsOf, claimsOf, outputsOf } from './fal-result.js';
import { FILE_LIFETIME_SECONDS, uploadFile } from './fal-upload.js';

export interface FalProviderOptions extends FalConnection {
  /** Where fal reports completion; holds the step's id, by which a lost answer to a submit is recognized. */
  readonly webhookUrl?: (stepRunId: string) => URL | undefined;
  /** For one request to the queue. Default 30 s. */
  readonly requestDeadlineMs?: number;
  /** For one input file, or for each part of a large one. Default 120 s. */
  readonly uploadDeadlineMs?: number;
}

const MAX_ANSWER_BYTES = 1024 * 1024;
/** Results may carry files as data URIs. */
const MAX_RESULT_BYTES = 64 * 1024 * 1024;

const SubmitAnswer = z.object({ request_id: z.string().refine(isFalRequestId) });
const NamedEndpoint = z.object({ endpoint_id: z.string() });

/**
 * Runs models on fal, always through its queue: only there a request has an id under which a lost answer can be
 * found again. fal offers no idempotency key, so a submit is sent once and never repeated here.
 */
export class FalProvider implements Provider {
  readonly name = 'fal';
  readonly resubmission = 'charges_again';
  readonly channel = 'fal';

  constructor(private readonly options: FalProviderOptions) {}

  problemWith(request: PlannedRequest): string | undefined {
    if (!isFalEndpointId(request.endpoint)) return 'the endpoint is not the id of a single fal model';
    return (
      parameterProblem(request.parameters) ?? inputProblem(request.parameters, request.inputs, MEDIA_KINDS)
    );
  }

  async submit(request: ProviderRequest, signal: AbortSignal): Promise<AcceptedStep | FailedStep> {
    const problem = this.problemWith(request);
    if (problem !== undefined) return failed('upstream_error', problem);
    let files: Record<string, string | string[]>;
    try {
      files = await this.#uploadFiles(request, signal);
    } catch (error) {
      return uploadFailure(error, errorKind);
    }
    try {
      const answer = await this.#sendSubmit(request, { ...request.parameters, ...files }, signal);
      return { kind: 'accepted', upstreamId: SubmitAnswer.parse(answer.data).request_id };
    } catch (error) {
      return submitFailure('fal', error, errorKind);
    }
  }

  async poll(job: FalJobAddress, signal: AbortSignal): Promise<CompletedStep | RunningStep | FailedStep> {
    assertJobAddress(job);
    const status = await this.#status(job, signal);
    if (namesAnotherJob(job, status))
      return failed('upstream_invalid', 'model mismatch: fal answered for another model');
    if (status.status !== 'COMPLETED') return { kind: 'running', progress: undefined };
    if (hasFailed(status)) return jobFailure(status);
    return this.#result(job, status, signal);
  }

  async cancel(job: FalJobAddress, signal: AbortSignal): Promise<void> {
    assertJobAddress(job);
    const options = { requestId: job.upstreamId, abortSignal: signal };
    try {
      await sendOnce(this.options, this.#limits(signal), (client) =>
        client.queue.cancel(job.endpoint, options),
      );
    } catch {
      // Best effort: a job that has ended, is unknown or cannot be reached goes its way and is settled by polling.
    }
  }

  #sendSubmit(
    request: ProviderRequest,
    input: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<VendorAnswer> {
    const webhookUrl = this.options.webhookUrl?.(request.stepRunId);
    return sendOnce(this.options, this.#limits(signal), (client) =>
      client.queue.submit(request.endpoint, {
        input,
        abortSignal: signal,
        storageSettings: { expiresIn: FILE_LIFETIME_SECONDS },
        headers: {
          // By default fal answers with another model when the one asked for is busy: the manifest would name the wrong one.
          'x-app-fal-disable-fallback': 'true',
          // By default fal runs a failed request up to ten times: one submit is to be one generation.
          'x-fal-no-retry': '1',
        },
        ...(webhookUrl === undefined ? {} : { webhookUrl: webhookUrl.href }),
      }),
    );
  }

  async #uploadFiles(
    request: ProviderRequest,
    signal: AbortSignal,
  ): Promise<Record<string, string | string[]>> {
    const limits = { deadlineMs: this.options.uploadDeadlineMs ?? 120_000, signal };
    const addresses: Record<string, string | string[]> = {};
    for (const [name, file] of Object.entries(request.inputs)) {
      const address = await uploadFile(this.options, file, limits);
      // fal's convention: `image_url` is one address, `image_urls` a list of them.
      placeAddress(addresses, name.endsWith('_urls') ? `${name}__1` : name, address);
    }
    return addresses;
  }

  async #status(job: FalJobAddress, signal: AbortSignal): Promise<StatusAnswer> {
    const options = { requestId: job.upstreamId, logs: false, abortSignal: signal };
    try {
      const answer = await sendOnce(this.options, this.#limits(signal), (client) =>
        client.queue.status(job.endpoint, options),
      );
      return StatusAnswer.parse(answer.data);
    } catch (error) {
      throw askAgain('fal', error);
    }
  }

  async #result(
    job: FalJobAddress,
    status: StatusAnswer,
    signal: AbortSignal,
  ): Promise<CompletedStep | FailedStep> {
    const limits = { ...this.#limits(signal), maxResponseBytes: MAX_RESULT_BYTES };
    const options = { requestId: job.upstreamId, abortSignal: signal };
    try {
      const answer = await sendOnce(this.options, limits, async (client) => {
        const result: { data: unknown } = await client.queue.result(job.endpoint, options);
        return result.data;
      });
      return this.#completed(job, status, answer);
    } catch (error) {
      if (error instanceof UnusableResultError) return failed('upstream_invalid', error.message);
      if (error instanceof VendorHttpError && isFinalResult(error))
        return refusal('ended the job', error, errorKind);
      throw askAgain('fal', error);
    }
  }

  #completed(
    job: FalJobAddress,
    status: StatusAnswer,
    { data, headers }: VendorAnswer,
  ): CompletedStep | FailedStep {
    // A page or a cut text instead of the result: the result is still there, and asking again costs nothing.
    if (!z.record(z.string(), z.unknown()).safeParse(data).success) throw new UnreadableAnswerError('fal');
    const named = NamedEndpoint.safeParse(data);
    if (named.success && named.data.endpoint_id !== job.endpoint) {
      return failed('upstream_invalid', 'model mismatch: the result is of another model');
    }
    return {
      kind: 'completed',
      outputs: outputsOf(data, this.options.outbound.allowedPrivateHosts ?? []),
      usage: readUsage({ unit: billedUnitsOf(headers) }),
      claims: claimsOf(data, headers, {
        requestId: job.upstreamId,
        endpoint: job.endpoint,
        inferenceSeconds: status.metrics?.inference_time ?? undefined,
      }),
    };
  }

  #limits(signal: AbortSignal): CallLimits {
    return {
      deadlineMs: this.options.requestDeadlineMs ?? 30_000,
      maxResponseBytes: MAX_ANSWER_BYTES,
      signal,
    };
  }
}

/** Both become part of a URL. They come from our own ledger, so anything else is a bug, not an answer of fal. */
function assertJobAddress(job: FalJobAddress): void {
  if (!isFalEndpointId(job.endpoint) || !isFalRequestId(job.upstreamId))
    throw new TypeError('not a job on fal');
}
