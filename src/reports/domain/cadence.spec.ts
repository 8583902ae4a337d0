import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CADENCES, nextBoundary, previousBoundary } from './cadence.js';

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
