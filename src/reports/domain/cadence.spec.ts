import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CADENCES, dueTimes, nextBoundary, previousBoundary } from './cadence.js';

describe('the times of scheduled reports', () => {
  it('are days, Mondays and first days of months in UTC', () => {
    const at = new Date('2026-12-31T15:00:00Z');
    expect(CADENCES.map((cadence) => nextBoundary(cadence, at).toISOString())).toEqual([
      '2027-01-01T00:00:00.000Z',
      '2027-01-04T00:00:00.000Z',
      '2027-01-01T00:00:00.000Z',
    ]);
  });

  it('follow each other without gap or overlap', () => {
    const moment = fc.date({
      min: new Date('2000-01-01'),
      max: new Date('2100-01-01'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(moment, fc.constantFrom(...CADENCES), (at, cadence) => {
        const next = nextBoundary(cadence, at);
        expect(next.getTime()).toBeGreaterThan(at.getTime());
        expect(previousBoundary(cadence, next).getTime()).toBeLessThanOrEqual(at.getTime());
        expect(previousBoundary(cadence, nextBoundary(cadence, next))).toEqual(next);
      }),
    );
  });
});

describe('what is due after a rest', () => {
  const day = (n: number): Date => new Date(Date.UTC(2026, 10, n));

  it('is nothing before its time, and one thing at its time', () => {
    expect(dueTimes('daily', day(22), new Date(day(22).getTime() - 1), 7)).toEqual({
      skipped: undefined,
      due: [],
    });
    expect(dueTimes('daily', day(22), day(22), 7)).toEqual({ skipped: undefined, due: [day(22)] });
  });

  it('is everything that was missed, oldest first, as far as it is made up for', () => {
    expect(dueTimes('daily', day(1), day(3), 7)).toEqual({
      skipped: undefined,
      due: [day(1), day(2), day(3)],
    });
    expect(dueTimes('daily', day(1), day(10), 7)).toEqual({
      skipped: { count: 3, first: day(1), last: day(3) },
      due: [4, 5, 6, 7, 8, 9, 10].map(day),
    });
    expect(dueTimes('daily', day(1), day(10), 1)).toEqual({
      skipped: { count: 9, first: day(1), last: day(9) },
      due: [day(10)],
    });
  });

  it('never loses a time: what is skipped and what is due are all of them, once', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CADENCES),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 8 }),
        (cadence, missed, atMost) => {
          const first = nextBoundary(cadence, day(1));
          const times = [first];
          for (let i = 0; i < missed; i++) times.push(nextBoundary(cadence, times.at(-1) ?? first));
          const { skipped, due } = dueTimes(cadence, first, times.at(-1) ?? first, atMost);
          expect((skipped?.count ?? 0) + due.length).toBe(times.length);
          expect(due).toEqual(times.slice(-atMost));
          expect(skipped?.last).toEqual(skipped && times[skipped.count - 1]);
        },
      ),
    );
  });
});
