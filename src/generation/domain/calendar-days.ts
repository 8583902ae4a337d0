import { z } from 'zod';

const HOUR_MS = 3_600_000;
/** Days begin first where clocks are 14 hours ahead of UTC, and end last where they are 12 hours behind. */
const FIRST_ZONE_HOURS = 14;
const LAST_ZONE_HOURS = -12;

/** `2026-11-30`; the database knows no year 0. */
export const daySchema = z.iso
  .date()
  .refine((day) => day >= '1970-01-01', { message: 'must be a day from 1970-01-01 on' });

/** Day in UTC. */
export function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** The last day that has begun somewhere: whoever writes down days of another zone is not ahead of time. */
export function latestDay(now: Date): string {
  return dayOf(new Date(now.getTime() + FIRST_ZONE_HOURS * HOUR_MS));
}

/** The day that it was, where it was the earliest. */
export function earliestDay(at: Date): string {
  return dayOf(new Date(at.getTime() + LAST_ZONE_HOURS * HOUR_MS));
}
