/** The one source of wall-clock time. Times are UTC; every stored time is written by this clock. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** RFC 3339 in UTC with milliseconds, e.g. `2026-11-22T10:00:00.000Z`. */
export function timestampUtc(clock: Clock): string {
  return clock.now().toISOString();
}
