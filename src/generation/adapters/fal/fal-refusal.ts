import { z } from 'zod';
import { type FailedStep } from '../../domain/provider.port.js';
import { type FalHttpError } from './fal-connection.js';

/**
 * Statuses with which a server says "I did not do it". Everything else leaves it open: 5xx may come from a gateway
 * in front of the server that accepted, 408 and 425 are about the connection, 409 says that something exists.
 * 429 is a refusal: fal's queue takes any number of requests and uses it only for a limit that was exceeded.
 */
const DEFINITE_REFUSALS = new Set([
  400, 401, 402, 403, 404, 405, 406, 410, 413, 414, 415, 422, 429, 431, 451,
]);

export function isDefiniteRefusal(status: number): boolean {
  return DEFINITE_REFUSALS.has(status);
}

export function failed(code: FailedStep['code'], reason: string): FailedStep {
  return { kind: 'failed', code, reason: reason.slice(0, 500) };
}

/** Names only; free text of an error may repeat the prompt or a signed URL. */
const Token = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/);
const ErrorType = z.object({ error_type: Token });
const ModelErrors = z.object({
  detail: z
    .array(z.object({ type: Token, loc: z.array(z.union([Token, z.int()])).max(8) }))
    .min(1)
    .max(100),
});

/** The kind of an error as fal names it, e.g. `content_policy_violation at body.prompt`; never its message. */
export function errorKind(body: unknown): string | undefined {
  const flat = ErrorType.safeParse(body);
  if (flat.success) return flat.data.error_type;
  const model = ModelErrors.safeParse(body);
  const first = model.success ? model.data.detail[0] : undefined;
  return first && `${first.type} at ${first.loc.join('.')}`;
}

export function refusal(what: string, error: FalHttpError): FailedStep {
  const kind = errorKind(error.body);
  const code = error.status === 504 ? 'upstream_timeout' : 'upstream_error';
  return failed(code, `fal ${what} with status ${error.status}${kind === undefined ? '' : ` (${kind})`}`);
}
