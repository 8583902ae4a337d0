export const CADENCES = ['daily', 'weekly', 'monthly'] as const;
/** Days, weeks from Monday, or months; all in UTC, so that no change of clocks makes one longer. */
export type Cadence = (typeof CADENCES)[number];

const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday: the first Monday after it is day 4. */
const FIRST_MONDAY = 4;

/** The first boundary after a moment; a moment on a boundary gives the next one. */
export function nextBoundary(cadence: Cadence, after: Date): Date {
  if (cadence === 'monthly') return new Date(Date.UTC(after.getUTCFullYear(), after.getUTCMonth() + 1, 1));
  const day = Math.floor(after.getTime() / DAY_MS);
  const next = cadence === 'daily' ? day + 1 : day + 7 - ((day - FIRST_MONDAY) % 7);
  return new Date(next * DAY_MS);
}

/** The boundary before a boundary: where the time that ends there begins. */
export function previousBoundary(cadence: Cadence, boundary: Date): Date {
  if (cadence === 'monthly')
    return new Date(Date.UTC(boundary.getUTCFullYear(), boundary.getUTCMonth() - 1, 1));
  return new Date(boundary.getTime() - (cadence === 'daily' ? 1 : 7) * DAY_MS);
}

/** What is due of a schedule: times to make a report for, oldest first, and how many before them are left out. */
export interface DueTimes {
  readonly skipped: { readonly count: number; readonly first: Date; readonly last: Date } | undefined;
  readonly due: readonly Date[];
}

/**
 * After a long rest not everything that was missed is made at once: the latest times are, older ones are left out.
 * @param next the first due time that was not dealt with
 * @param atMost how many are made up for
 */
export function dueTimes(cadence: Cadence, next: Date, now: Date, atMost: number): DueTimes {
  const due: Date[] = [];
  let count = 0;
  let last = next;
  for (let at = next; at <= now; at = nextBoundary(cadence, at)) {
    due.push(at);
    if (due.length <= atMost) continue;
    last = due.shift() ?? at;
    count += 1;
  }
  return { skipped: count === 0 ? undefined : { count, first: next, last }, due };
}
