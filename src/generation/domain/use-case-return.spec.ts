import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Baseline,
  compareVariants,
  type NewWay,
  savingsOf,
  type VariantCounts,
} from './use-case-return.js';

const BASELINE: Baseline = { costMicroUsd: 50_000_000n, minutes: 240, investmentMicroUsd: 400_000_000n };
const way = (pieces: readonly number[], spentMicroUsd: bigint): NewWay => ({
  days: pieces.map((count, index) => ({
    day: `2026-11-0${index + 1}`,
    pieces: count,
    spentMicroUsd,
  })),
  medianMinutes: 2,
  openSteps: 0,
  openMicroUsd: 0n,
});

describe('what a use case saves', () => {
  it('is the old cost of what was made, less everything that was spent', () => {
    // 6 pieces at 50 USD, less 3 days at 1 USD.
    expect(savingsOf(BASELINE, way([2, 1, 3], 1_000_000n), 30)).toMatchObject({
      pieces: 6,
      spentMicroUsd: 3_000_000n,
      costPerPieceMicroUsd: 500_000n,
      savedMicroUsd: 297_000_000n,
      savedMinutesPerPiece: 238,
      // 103 of 400 USD are missing: 103 / (297 / 30) = 10.4 days.
      timeToReturn: { kind: 'projected', inDays: 11 },
    });
  });

  it('returns on the first day on which the sum reaches what was put in', () => {
    expect(savingsOf(BASELINE, way([4, 4, 4], 0n), 30).timeToReturn).toEqual({
      kind: 'reached',
      on: '2026-11-02',
    });
    const dearer = savingsOf(BASELINE, way([1, 0], 60_000_000n), 30);
    expect(dearer.timeToReturn).toEqual({ kind: 'never_at_this_rate' });
  });

  it('is not known of a period in which nothing was made, whatever it cost', () => {
    for (const nothing of [way([], 0n), way([0, 0], 5n)])
      expect(savingsOf(BASELINE, nothing, 30).timeToReturn).toMatchObject({ kind: 'unknown' });
  });

  it('is not known where the old way is not declared, and never 0 for that', () => {
    const made = way([1], 5n);
    expect(savingsOf(undefined, made, 30)).toMatchObject({
      savedMicroUsd: undefined,
      savedMinutesPerPiece: undefined,
      timeToReturn: { kind: 'unknown' },
    });
    const partly = { ...BASELINE, investmentMicroUsd: undefined };
    expect(savingsOf(partly, made, 30)).toMatchObject({
      savedMicroUsd: 49_999_995n,
      timeToReturn: { kind: 'unknown' },
    });
    expect(savingsOf(BASELINE, way([], 0n), 30)).toMatchObject({
      costPerPieceMicroUsd: undefined,
      savedMicroUsd: undefined,
    });
  });

  it('is reached exactly when the projection has nothing left', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(5), { minLength: 1, maxLength: 9 }),
        fc.bigInt(0n, 60_000_000n),
        fc.bigInt(1n, 500_000_000n),
        (pieces, spent, investmentMicroUsd) => {
          const { savedMicroUsd, timeToReturn } = savingsOf(
            { ...BASELINE, investmentMicroUsd },
            way(pieces, spent),
            30,
          );
          if (timeToReturn.kind === 'projected') {
            expect((savedMicroUsd ?? 0n) < investmentMicroUsd).toBe(true);
            expect(timeToReturn.inDays).toBeGreaterThan(0);
          }
          if ((savedMicroUsd ?? 0n) >= investmentMicroUsd) expect(timeToReturn.kind).toBe('reached');
        },
      ),
    );
  });
});

describe('variants', () => {
  const counts = (variant: string, clicks: number, impressions: number): VariantCounts => ({
    variant,
    rows: 1,
    impressions: BigInt(impressions),
    clicks: BigInt(clicks),
    conversions: undefined,
    revenueMicroUsd: undefined,
    clickRate: { clicks, impressions },
    conversionRate: { conversions: 0, clicks: 0 },
    incompleteRows: 1,
  });

  it('are compared with the control, with an interval; what is not known is not compared', () => {
    const [old, fresh] = compareVariants([counts('old', 48, 80), counts('new', 56, 70)], 'old');
    expect(old?.clickRateDifference).toBeUndefined();
    expect(fresh?.clickRateDifference).toMatchObject({ distinguishable: true });
    expect(fresh?.clickRateDifference?.interval.low).toBeCloseTo(0.0524, 4);
    expect(fresh).toMatchObject({ conversionRate: undefined, conversionRateDifference: undefined });
    expect(compareVariants([counts('new', 1, 2)], 'unheard of')[0]?.clickRateDifference).toBeUndefined();
  });
});
