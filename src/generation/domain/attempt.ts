import { type NotAccepted } from './provider.port.js';
import { type StepPlan } from './step-plan.js';

/** A failure as far as it decides about another try. */
export interface AttemptFailure {
  readonly code: string;
  readonly charged: boolean;
  readonly notAccepted: NotAccepted | undefined;
}

export interface Attempts {
  /** Requests that were begun for the alternative in use, this one included. */
  readonly made: number;
  /** Which alternative is in use. */
  readonly alternative: number;
}

export type AfterFailure =
  | { readonly kind: 'retry'; readonly delaySeconds: number }
  | { readonly kind: 'fallback'; readonly alternative: number }
  | { readonly kind: 'fail' };

const MAX_BACKOFF_SECONDS = 3600;

/** Failures of the vendor, or of the way there: another model may do it. Everything else would fail there as well. */
const OF_THE_MODEL = ['upstream_error', 'upstream_invalid', 'upstream_timeout', 'provider_not_configured'];

/**
 * What follows from a failure (promise P2). Never another request where the first one may be paid: a failure that may be
 * charged ends the step, and an unknown outcome does not come here at all.
 */
export function afterFailure(
  plan: Pick<StepPlan, 'retry' | 'alternatives'> | undefined,
  { made, alternative }: Attempts,
  { code, charged, notAccepted }: AttemptFailure,
): AfterFailure {
  if (charged || !OF_THE_MODEL.includes(code)) return { kind: 'fail' };
  const { retry, alternatives = [] } = plan ?? {};
  if (
    retry !== undefined &&
    notAccepted !== undefined &&
    retry.on.includes(notAccepted) &&
    made <= retry.attempts
  ) {
    const delaySeconds = Math.min(MAX_BACKOFF_SECONDS, retry.backoffSeconds * 2 ** (made - 1));
    return { kind: 'retry', delaySeconds };
  }
  return alternative + 1 < alternatives.length
    ? { kind: 'fallback', alternative: alternative + 1 }
    : { kind: 'fail' };
}
