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
