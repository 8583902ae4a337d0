import { z } from 'zod';
import { type FailedStep } from '../../domain/provider.port.js';
import { aboutContent, failed, isDefiniteRefusal } from '../vendor/refusal.js';
import { type VendorHttpError } from '../vendor/send-one.js';
import { isJobAddressOf } from './fal-endpoint.js';
import { errorKind } from './fal-refusal.js';

export interface FalJobAddress {
  readonly endpoint: string;
  readonly upstreamId: string;
}

/** The answer to a status poll, which is 202 while the job waits or runs. */
export const StatusAnswer = z.object({
  status: z.enum(['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED']),
  request_id: z.string().optional(),
  response_url: z.string().max(8192).optional(),
  error: z.unknown().optional(),
  error_type: z.unknown().optional(),
  metrics: z.object({ inference_time: z.number().nonnegative().nullish() }).nullish().catch(undefined),
});
export type StatusAnswer = z.output<typeof StatusAnswer>;

/** fal reroutes to an equivalent model unless forbidden; and an answer about another job is no answer. */
export function namesAnotherJob(job: FalJobAddress, status: StatusAnswer): boolean {
  if (status.request_id !== undefined && status.request_id !== job.upstreamId) return true;
  return status.response_url !== undefined && !isJobAddressOf(job.endpoint, status.response_url);
}

/** A failed job is COMPLETED as well; then `error` holds a text, which may repeat the input. */
export function hasFailed({ error }: StatusAnswer): boolean {
  return error !== undefined && error !== null && error !== '';
}

export function jobFailure(status: StatusAnswer): FailedStep {
  const kind = errorKind({ error_type: status.error_type });
  const code = kind?.endsWith('_timeout') ? 'upstream_timeout' : 'upstream_error';
  return aboutContent(failed(code, `the job failed on fal${kind === undefined ? '' : ` (${kind})`}`), kind);
}

/**
 * The result address passes on the status of the model itself, and others stand in front of it. A refusal that fal
 * explains in its own form is the last word about the job; any other ("still in progress", a page, a missing payment) is
 * a trouble on the way to an output that is there and paid for, and passes.
 */
export function isFinalResult(error: VendorHttpError): boolean {
  if (errorKind(error.body) === undefined) return false;
  if (error.status === 500) return true;
  return isDefiniteRefusal(error.status) && ![401, 403, 429].includes(error.status);
}
