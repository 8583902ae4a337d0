/** After each failed attempt: how long until the next one. Ten attempts in about two hours, as fal does. */
const PAUSES_SECONDS: readonly number[] = [5, 15, 60, 120, 300, 600, 900, 1800, 3600];

/** Seconds until the next attempt; `undefined` when there is none. @param attempts made so far, at least 1 */
export function pauseAfter(attempts: number): number | undefined {
  return PAUSES_SECONDS[attempts - 1];
}
