/**
 * Pauses before each further attempt, in seconds, as Standard Webhooks recommends them: 5 s, 5 min, 30 min, 2 h, 5 h,
 * 10 h, 14 h, 20 h, 24 h. After the last one, some three days in all, a delivery is given up.
 */
const PAUSES_SECONDS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;

/** The first attempt and one after each pause. */
export const MAX_ATTEMPTS = PAUSES_SECONDS.length + 1;

/** An endpoint that has taken nothing for so long is disabled. */
export const DISABLED_AFTER_MS = 5 * 24 * 3_600_000;

/** What became of an attempt: an answer, or our own word for why there was none. */
export type Attempt = { readonly status: number } | { readonly error: string };

export type Outcome =
  | { readonly state: 'delivered' }
  | { readonly state: 'due'; readonly pauseSeconds: number }
  /** `gone`: the receiver says that nobody lives there any more (410). */
  | { readonly state: 'given_up'; readonly isGone: boolean };

/** @param made attempts made, this one included */
export function outcomeOf(attempt: Attempt, made: number): Outcome {
  if ('status' in attempt && attempt.status >= 200 && attempt.status < 300) return { state: 'delivered' };
  if ('status' in attempt && attempt.status === 410) return { state: 'given_up', isGone: true };
  const pauseSeconds = PAUSES_SECONDS[made - 1];
  return pauseSeconds === undefined ? { state: 'given_up', isGone: false } : { state: 'due', pauseSeconds };
}
