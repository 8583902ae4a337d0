/** A waiver lasts two years at most, and tests run on any day. */
const ONE_DAY = 86_400_000;

/** A date `YYYY-MM-DD`, UTC. */
export function dayAhead(days: number): string {
  return new Date(Date.now() + days * ONE_DAY).toISOString().slice(0, 10);
}

export const IN_A_YEAR = `${dayAhead(365)}T00:00:00.000Z`;
