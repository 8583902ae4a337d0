import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { differenceOf, proportion } from './statistics.js';

describe("Wilson's interval", () => {
  // Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %d in %d is the published one', (successes, trials, low, high) => {
    const { interval } = proportion(successes, trials) ?? { interval: { low: NaN, high: NaN } };
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('holds the share, lies within 0 and 1, and narrows with more trials', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, part) => {
          const few = proportion(Math.floor(n * part), n);
          const many = proportion(Math.floor(n * part) * 4, n * 4);
          if (!few || !many) throw new Error('there are trials');
          expect(few.interval.low).toBeGreaterThanOrEqual(0);
          expect(few.interval.high).toBeLessThanOrEqual(1);
          expect(few.interval.low <= few.share && few.share <= few.interval.high).toBe(true);
          expect(many.interval.high - many.interval.low).toBeLessThan(few.interval.high - few.interval.low);
        },
      ),
    );
  });

  it('is not there without trials, or with more successes than trials', () => {
    for (const [successes, trials] of [
      [0, 0],
      [2, 1],
      [-1, 5],
      [1, Number.NaN],
    ] as const)
      expect(proportion(successes, trials)).toBeUndefined();
  });
});

describe('the difference of two shares', () => {
  // Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10.
  it.each([
    [56, 70, 48, 80, 0.0524, 0.3339],
    [9, 10, 3, 10, 0.1705, 0.809],
    [10, 10, 0, 10, 0.6075, 1],
  ])('of %d/%d and %d/%d is the published one', (a, m, b, n, low, high) => {
    const [one, other] = [proportion(a, m), proportion(b, n)];
    if (!one || !other) throw new Error('there are trials');
    const { interval, distinguishable } = differenceOf(one, other);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
    expect(distinguishable).toBe(true);
  });

  it('turns around with the order, and never finds a share different from itself', () => {
    const counts = fc
      .tuple(fc.integer({ min: 1, max: 5_000 }), fc.nat(5_000))
      .map(([n, s]) => [Math.min(s, n), n] as const);
    fc.assert(
      fc.property(counts, counts, ([a, m], [b, n]) => {
        const [one, other] = [proportion(a, m), proportion(b, n)];
        if (!one || !other) throw new Error('there are trials');
        const [there, back] = [differenceOf(one, other), differenceOf(other, one)];
        expect(there.interval.low).toBeCloseTo(-back.interval.high, 12);
        expect(differenceOf(one, one).distinguishable).toBe(false);
      }),
    );
  });
});
