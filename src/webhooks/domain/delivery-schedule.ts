/** Pauses before each further attempt, in seconds. After the last one a delivery is given up. */
export type DeliverySchedule = readonly number[];

/** To customers' endpoints, as Standard Webhooks recommends: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: three days. */
export const ENDPOINT_SCHEDULE: DeliverySchedule = [
  5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
];
/** To the clients of jobs: ten attempts in about two hours, as fal does. */
export const JOB_SCHEDULE: DeliverySchedule = [5, 15, 60, 120, 300, 600, 900, 1_800, 3_600];

/** An endpoint that has taken nothing for so long is disabled. */
export const DISABLED_AFTER_MS = 5 * 24 * 3_600_000;

/**
 * What became of an attempt: an answer, or our own word for why there was none. `isHopeless`: nothing would be different
 * the next time.
 */
export type Attempt = { readonly status: number } | { readonly error: string; readonly isHopeless?: boolean };

export type Outcome =
  | { readonly state: 'delivered' }
  | { readonly state: 'due'; readonly pauseSeconds: number }
  /** `gone`: the receiver says that nobody lives there any more (410). */
  | { readonly state: 'given_up'; readonly isGone: boolean };

/** @param made attempts made, this one included */
export function outcomeOf(attempt: Attempt, made: number, schedule: DeliverySchedule): Outcome {
  if ('error' in attempt && attempt.isHopeless === true) return { state: 'given_up', isGone: false };
  if ('status' in attempt && attempt.status >= 200 && attempt.status < 300) return { state: 'delivered' };
  if ('status' in attempt && attempt.status === 410) return { state: 'given_up', isGone: true };
  const pauseSeconds = schedule[made - 1];
  return pauseSeconds === undefined ? { state: 'given_up', isGone: false } : { state: 'due', pauseSeconds };
}
