import { describe, expect, it } from '@jest/globals';
import { dayOf, daySchema, earliestDay, latestDay } from './calendar-days.js';
import { type Price } from './price.js';
import { recordedPriceProblem } from './recorded-price.js';

const NOW = new Date('2026-11-30T11:00:00.000Z');
const FREE: Price = { family: 'free', source: 'contract', dateRead: '2026-11-30', verified: true };

describe('a price that somebody records', () => {
  it.each(['fal', 'replicate', 'openai', 'google'] as const)('is not free at %s', (provider) => {
    expect(recordedPriceProblem(provider, FREE, NOW)).toMatchObject({ path: 'price.family' });
  });

  it('is free on own servers, and was read on a day that has begun somewhere', () => {
    const problem = (dateRead: string) => recordedPriceProblem('comfyui', { ...FREE, dateRead }, NOW);
    expect(problem('2026-11-30')).toBeUndefined();
    // In Kiribati it is 1 o'clock of the next morning.
    expect(problem('2026-12-01')).toBeUndefined();
    expect(problem('2026-12-02')).toMatchObject({ path: 'price.dateRead' });
  });
});

describe('days', () => {
  it('have begun, or ended, by the clocks that are furthest from UTC', () => {
    expect([dayOf(NOW), latestDay(NOW), earliestDay(NOW)]).toEqual([
      '2026-11-30',
      '2026-12-01',
      '2026-11-29',
    ]);
    expect(latestDay(new Date('2026-11-30T09:59:59.999Z'))).toBe('2026-11-30');
    expect(earliestDay(new Date('2026-11-30T12:00:00.000Z'))).toBe('2026-11-30');
  });

  it('are those of a calendar that the database has', () => {
    expect(
      ['0000-01-01', '1969-12-31', '2026-02-30', '2024-02-29'].map((day) => daySchema.safeParse(day).success),
    ).toEqual([false, false, false, true]);
  });
});
