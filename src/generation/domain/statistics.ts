import { fisherExactP, smallestExpected } from './exact-test.js';

/** The 97.5th percentile of the standard normal distribution: two-sided intervals of 95 %. */
const Z = 1.959963984540054;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A share of trials, with what is known of the true share. */
export interface Proportion {
  readonly successes: number;
  readonly trials: number;
  readonly share: number;
  /** 95 %, Wilson score. */
  readonly interval: Interval;
}

/**
 * Wilson's score interval without continuity correction (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927, 209-212; method 3
 * in R. G. Newcombe, Statistics in Medicine 17, 1998, 857-872):
 *
 *   (p + z²/2n ± z · sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n)
 *
 * @returns `undefined` without trials: nothing is known then
 */
export function proportion(successes: number, trials: number): Proportion | undefined {
  if (!(trials > 0) || successes < 0 || successes > trials) return undefined;
  const share = successes / trials;
  const z2 = (Z * Z) / trials;
  const center = (share + z2 / 2) / (1 + z2);
  const half = (Z * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials))) / (1 + z2);
  const interval = {
    low: successes === 0 ? 0 : Math.max(0, center - half),
    high: successes === trials ? 1 : Math.min(1, center + half),
  };
  return { successes, trials, share, interval };
}

/** How much larger one share is than another. */
export interface Difference {
  readonly difference: number;
  /** 95 %, Newcombe's hybrid score. */
  readonly interval: Interval;
  /** Whether the two differ, as far as 95 % go: see {@link differenceOf}. */
  readonly distinguishable: boolean;
  /** Of Fisher's exact test, two-sided. `undefined` where there is enough for the interval alone to decide. */
  readonly exactP: number | undefined;
  /** Why they are held to differ, or not, for people. */
  readonly because: string;
}

/** Expected in each cell, for the interval alone to decide (W. G. Cochran, Biometrics 10, 1954, 417-451). */
const ENOUGH_EXPECTED = 5;
const ALPHA = 0.05;

/**
 * The difference of two independent shares with Newcombe's hybrid score interval (R. G. Newcombe, Statistics in Medicine
 * 17, 1998, 873-890, method 10), of two Wilson intervals (l, u):
 *
 *   d - sqrt((p1 - l1)² + (u2 - p2)²)  to  d + sqrt((u1 - p1)² + (p2 - l2)²)
 *
 * Two shares are distinguishable when the interval leaves out 0. That holds for counts that are large enough. Where less
 * than 5 successes or failures are expected of either, Fisher's exact test must say so as well.
 */
export function differenceOf(one: Proportion, other: Proportion): Difference {
  const difference = one.share - other.share;
  const low = difference - Math.hypot(one.share - one.interval.low, other.interval.high - other.share);
  const high = difference + Math.hypot(one.interval.high - one.share, other.share - other.interval.low);
  return { difference, interval: { low, high }, ...judge(one, other, low > 0 || high < 0) };
}

function judge(
  one: Proportion,
  other: Proportion,
  leavesOutZero: boolean,
): Pick<Difference, 'distinguishable' | 'exactP' | 'because'> {
  const expected = smallestExpected({ one, other });
  if (expected >= ENOUGH_EXPECTED) {
    const because = `The 95 % interval ${leavesOutZero ? 'leaves out' : 'holds'} 0.`;
    return { distinguishable: leavesOutZero, exactP: undefined, because };
  }
  const exactP = fisherExactP({ one, other });
  const few = `Too few counts for the interval alone: of successes or failures, ${rounded(expected)} are expected where they are fewest, and ${ENOUGH_EXPECTED} are needed. By Fisher's exact test p = ${rounded(exactP)}`;
  if (exactP >= ALPHA) return { distinguishable: false, exactP, because: `${few}, not below ${ALPHA}.` };
  const because = leavesOutZero ? `${few}, below ${ALPHA}.` : `${few}, but the 95 % interval holds 0.`;
  return { distinguishable: leavesOutZero, exactP, because };
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(2)));
}
