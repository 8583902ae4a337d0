import { type IncomingHttpHeaders } from 'node:http';
import { type RunValue } from '../../../domain/definition-words.js';
import { invalid, type JobInput, readJobInput, unsupported } from '../../domain/job-input.js';

/** As many as one person looks at. */
const MAX_COUNT = 10;

/** Of one job, judged. */
export interface FalCall {
  readonly input: JobInput;
  readonly parameters: Readonly<Record<string, RunValue>>;
  readonly count: number;
}

/** @throws ColophonError `invalid_request`, `gateway_unsupported` */
export function readFalCall(body: unknown): FalCall {
  const input = readJobInput(body ?? {});
  const { num_images: wanted = 1, sync_mode: sync, ...rest } = input.values;
  // Vendors read "true" and 1 as true, and keep no result of such a job that could be found again.
  if (sync !== undefined && sync !== false)
    throw unsupported(
      'sync_mode',
      'files inside of an answer are not given out here: each is an address that works for an hour. Leave it out',
    );
  if (typeof wanted !== 'number' || !Number.isInteger(wanted) || wanted < 1 || wanted > MAX_COUNT)
    throw invalid('num_images', `must be a whole number from 1 to ${MAX_COUNT}`);
  return { input, parameters: rest, count: wanted };
}

/** What a client can ask of fal's platform, and what is decided here instead. */
const PLATFORM_HEADERS = [
  'x-fal-runner-hint',
  'x-fal-request-timeout',
  'x-fal-object-lifecycle-preference',
  'x-fal-object-lifecycle',
  'x-fal-store-io',
  'x-app-fal-disable-fallback',
  'x-fal-no-retry',
] as const;

/** Headers that were taken and not passed on. The client always sends a priority; only another than usual is a wish. */
export function ignoredHeaders(headers: IncomingHttpHeaders): string[] {
  const ignored = PLATFORM_HEADERS.filter((name) => headers[name] !== undefined) as string[];
  const priority = headers['x-fal-queue-priority'];
  return priority === undefined || priority === 'normal' ? ignored : [...ignored, 'x-fal-queue-priority'];
}
