/** Successes among trials of each of two groups. */
export interface TwoByTwo {
  readonly one: { readonly successes: number; readonly trials: number };
  readonly other: { readonly successes: number; readonly trials: number };
}

/** Tables as likely as the observed one are counted with it, however the last digits were rounded. */
const EQUALLY_LIKELY = 1 + 1e-7;
/** What is less likely than this, against all before it, changes no digit of the sum. */
const NEGLIGIBLE = 1e-20;

/**
 * The smallest number of successes or failures that either group would have if both had the same share. Below 5,
 * methods for large numbers do not hold (W. G. Cochran, Biometrics 10, 1954, 417-451).
 */
export function smallestExpected(table: TwoByTwo): number {
  const { all, fewest, smaller } = marginsOf(table);
  return all === 0 ? 0 : (fewest / all) * smaller;
}

/**
 * Two-sided p of Fisher's exact test: how likely a table at most as likely as this one is, if both groups have the same
 * share (R. A. Fisher, Statistical Methods for Research Workers, 1934, section 21.02). Of the cell that is expected to be
 * the smallest, count by count from 0: its cost grows with what is expected there, which should be below some hundreds, and not with
 * the totals.
 */
export function fisherExactP(table: TwoByTwo): number {
  const { all, fewest, smaller, observed } = marginsOf(table);
  const largest = Math.min(fewest, smaller);
  let weight = 1;
  let sum = 0;
  const weights: number[] = [];
  for (let count = 0; count <= largest; count++) {
    weights.push(weight);
    sum += weight;
    const next =
      weight * ((fewest - count) / (count + 1)) * ((smaller - count) / (all - fewest - smaller + count + 1));
    if (next < weight && next < sum * NEGLIGIBLE) break;
    weight = next;
  }
  const limit = (weights[observed] ?? 0) * EQUALLY_LIKELY;
  return Math.min(1, weights.reduce((p, one) => (one <= limit ? p + one : p), 0) / sum);
}

/** With the rarer outcome and the smaller group first: the cell of both has room from 0 to the smaller of the two. */
function marginsOf({ one, other }: TwoByTwo) {
  const [small, large] = one.trials <= other.trials ? [one, other] : [other, one];
  const all = small.trials + large.trials;
  const successes = small.successes + large.successes;
  const successesAreRarer = successes <= all - successes;
  return {
    all,
    fewest: successesAreRarer ? successes : all - successes,
    smaller: small.trials,
    observed: successesAreRarer ? small.successes : small.trials - small.successes,
  };
}
