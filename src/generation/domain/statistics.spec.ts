import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fisherExactP, smallestExpected } from './exact-test.js';
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

describe('two shares of few counts', () => {
  const of = (successes: number, trials: number) => {
    const found = proportion(successes, trials);
    if (!found) throw new Error('there are trials');
    return found;
  };
  const group = fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.nat(40))
    .map(([n, s]) => ({ successes: Math.min(s, n), trials: n }));

  it('are not told apart by one click, though their interval leaves out 0', () => {
    const { distinguishable, exactP, interval, because } = differenceOf(of(1, 5), of(177, 11_800));
    expect(interval.low).toBeGreaterThan(0);
    expect(exactP).toBeCloseTo(0.0732, 3);
    expect(distinguishable).toBe(false);
    expect(because).toContain('p = 0.073, not below 0.05');
    expect(differenceOf(of(0, 1), of(500_000, 1_000_000)).distinguishable).toBe(false);
  });

  it('are told apart where an exact test says so as well', () => {
    expect(differenceOf(of(3, 5), of(177, 11_800))).toMatchObject({ distinguishable: true });
    expect(differenceOf(of(300, 5_000), of(177, 11_800))).toMatchObject({
      distinguishable: true,
      exactP: undefined,
      because: 'The 95 % interval leaves out 0.',
    });
  });

  // The first is Fisher's own: a lady who tells milk first from tea first in 3 of 4 cups, 34/70.
  it.each([
    [3, 4, 1, 4, 0.4857],
    [1, 10, 11, 14, 0.0028],
    [0, 10, 0, 10, 1],
    [4, 12, 12, 12, 0.0013],
  ])('of %d/%d and %d/%d have the p that is known', (a, m, b, n, p) => {
    expect(
      fisherExactP({ one: { successes: a, trials: m }, other: { successes: b, trials: n } }),
    ).toBeCloseTo(p, 4);
  });

  it('have the p that whole numbers of ways give, from either side', () => {
    fc.assert(
      fc.property(group, group, (one, other) => {
        expect(fisherExactP({ one, other })).toBeCloseTo(exactByCounting(one, other), 9);
        expect(fisherExactP({ one: other, other: one })).toBeCloseTo(fisherExactP({ one, other }), 9);
      }),
    );
  });

  it('are never told apart against an exact test, and differ in no more than 5 % of the worlds in which they do not', () => {
    fc.assert(
      fc.property(group, group, (one, other) => {
        const { distinguishable, exactP, interval } = differenceOf(
          of(one.successes, one.trials),
          of(other.successes, other.trials),
        );
        expect(exactP === undefined).toBe(smallestExpected({ one, other }) >= 5);
        if (distinguishable) {
          expect(interval.low > 0 || interval.high < 0).toBe(true);
          expect(exactP ?? 0).toBeLessThan(0.05);
        }
      }),
    );
    // Given how many succeeded in all, every division of them over two equal groups, each with its number of ways.
    const trials = 6;
    for (let all = 0; all <= 2 * trials; all++) {
      const divisions = Array.from({ length: trials + 1 }, (_, k) => k).filter(
        (k) => all - k >= 0 && all - k <= trials,
      );
      const ways = (k: number) => Number(choose(trials, k) * choose(trials, all - k));
      const found = divisions.filter((k) => differenceOf(of(k, trials), of(all - k, trials)).distinguishable);
      const sum = (list: readonly number[]) => list.reduce((total, k) => total + ways(k), 0);
      expect(sum(found) / sum(divisions)).toBeLessThan(0.05);
    }
  });

  it('are judged at once, however large the other count is', () => {
    const p = fisherExactP({
      one: { successes: 2, trials: 4_000_000 },
      other: { successes: 1_000_000, trials: 1_000_000_000_000 },
    });
    // Poisson with a mean of 4: 2 or fewer 0.2381, and 6 or more 0.2149.
    expect(p).toBeCloseTo(0.453, 3);
  });
});

function choose(n: number, k: number): bigint {
  let ways = 1n;
  for (let i = 1; i <= k; i++) ways = (ways * BigInt(n - k + i)) / BigInt(i);
  return ways;
}

function exactByCounting(
  one: { successes: number; trials: number },
  other: { successes: number; trials: number },
): number {
  const all = one.successes + other.successes;
  const ways = (k: number) => choose(one.trials, k) * choose(other.trials, all - k);
  let [total, extreme] = [0n, 0n];
  for (let k = Math.max(0, all - other.trials); k <= Math.min(one.trials, all); k++) {
    total += ways(k);
    if (ways(k) <= ways(one.successes)) extreme += ways(k);
  }
  return Number((extreme * 10n ** 15n) / total) / 1e15;
}
