import { type IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { parseWith } from '../../../../http/validation.js';
import { ColophonError } from '../../../../shared/errors.js';
import { type RunValue } from '../../../domain/definition-words.js';
import { WEBHOOK_EVENTS, type WebhookEvent } from '../../domain/gateway-job.js';
import { invalid, type JobInput, readJobInput } from '../../domain/job-input.js';

/** Replicate waits no longer either. */
const MAX_WAIT_SECONDS = 60;
const MAX_COUNT = 10;

const bodySchema = z.strictObject({
  input: z.unknown(),
  version: z.string().min(1).max(200).optional(),
  model: z.string().min(1).max(200).optional(),
  webhook: z.string().min(1).max(2048).optional(),
  webhook_events_filter: z.array(z.enum(WEBHOOK_EVENTS)).max(8).optional(),
  stream: z.boolean().optional(),
});

/** A call that creates a prediction, judged. */
export interface PredictionCall {
  readonly input: JobInput;
  /** As it came, without nulls at the top. */
  readonly sentInput: Readonly<Record<string, unknown>>;
  readonly parameters: Readonly<Record<string, RunValue>>;
  readonly count: number;
  readonly version: string | undefined;
  readonly webhookUrl: string | undefined;
  readonly webhookEvents: readonly WebhookEvent[];
  readonly ignored: readonly string[];
}

/** @throws ColophonError `invalid_request`, `gateway_unsupported` */
export function readPredictionCall(sent: unknown, headers: IncomingHttpHeaders): PredictionCall {
  const body = parseWith(bodySchema, withoutNulls(sent));
  const { input: sentInput = {}, version, model, webhook, webhook_events_filter: filter, stream } = body;
  const input = readJobInput(sentInput);
  const { num_outputs: wanted = 1, ...parameters } = input.values;
  if (typeof wanted !== 'number' || !Number.isInteger(wanted) || wanted < 1 || wanted > MAX_COUNT)
    throw invalid('input.num_outputs', `must be a whole number from 1 to ${MAX_COUNT}`);
  return {
    input,
    sentInput: sentInput as Readonly<Record<string, unknown>>,
    parameters,
    count: wanted,
    version: version ?? model,
    webhookUrl: webhook,
    // Without a filter Replicate tells of outputs and of the end.
    webhookEvents: webhook === undefined ? [] : [...new Set(filter ?? (['output', 'completed'] as const))],
    ignored: [
      ...(stream === true ? ['stream'] : []),
      ...(headers['cancel-after'] === undefined ? [] : ['cancel-after']),
    ],
  };
}

/** `Prefer: wait` or `wait=<seconds>`; anything else does not wait. */
export function waitMsOf(prefer: string | string[] | undefined): number {
  const [, wait, seconds] = /(?:^|[,;\s])(wait)(?:=(\d{1,4}))?(?:$|[,;\s])/i.exec(String(prefer ?? '')) ?? [];
  if (wait === undefined) return 0;
  return Math.min(MAX_WAIT_SECONDS, Number(seconds ?? MAX_WAIT_SECONDS)) * 1000;
}

const OWNED = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** `owner/name` out of two parts of an address. @throws ColophonError `unknown_model` */
export function ownedName(owner: string, name: string): string {
  if (OWNED.test(owner) && OWNED.test(name)) return `${owner}/${name}`;
  throw new ColophonError('unknown_model', 'A model is named by its owner and its name.');
}

function withoutNulls(sent: unknown): unknown {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return sent;
  return Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null));
}
