import { type MicroUsd } from '../../shared/money.js';
import { differenceOf, type Difference, proportion, type Proportion } from './statistics.js';

/** The old way, as somebody declared it. What was not said is not known. */
export interface Baseline {
  readonly costMicroUsd: MicroUsd | undefined;
  readonly minutes: number | undefined;
  /** What it cost to set up the new way. */
  readonly investmentMicroUsd: MicroUsd | undefined;
}

/** One day (UTC) of the new way. */
export interface Day {
  readonly day: string;
  /** Runs that ended with a result. */
  readonly pieces: number;
  readonly spentMicroUsd: MicroUsd;
}

export interface NewWay {
  readonly days: readonly Day[];
  /** Half of the pieces took no longer, from the request to the result. `undefined` without pieces. */
  readonly medianMinutes: number | undefined;
  /** Reserved and neither paid nor given back: their cost is not known yet. */
  readonly openSteps: number;
  /** What is reserved for those: they may cost as much, and none of it is in what was spent. */
  readonly openMicroUsd: MicroUsd;
}

export interface Savings {
  readonly pieces: number;
  readonly spentMicroUsd: MicroUsd;
  /** Everything that was spent, failures too, by piece; rounded up. */
  readonly costPerPieceMicroUsd: MicroUsd | undefined;
  readonly savedMicroUsd: MicroUsd | undefined;
  readonly savedMinutesPerPiece: number | undefined;
  readonly timeToReturn: TimeToReturn;
}

export type TimeToReturn =
  | { readonly kind: 'reached'; readonly on: string }
  /** If the days to come are like those of the period. */
  | { readonly kind: 'projected'; readonly inDays: number }
  | { readonly kind: 'never_at_this_rate' }
  | { readonly kind: 'unknown'; readonly because: string };

export function savingsOf(
  baseline: Baseline | undefined,
  { days, medianMinutes }: NewWay,
  daysInPeriod: number,
): Savings {
  const pieces = days.reduce((sum, day) => sum + day.pieces, 0);
  const spentMicroUsd = days.reduce((sum, day) => sum + day.spentMicroUsd, 0n);
  const old = baseline?.costMicroUsd;
  const minutes = baseline?.minutes;
  return {
    pieces,
    spentMicroUsd,
    costPerPieceMicroUsd: pieces === 0 ? undefined : (spentMicroUsd + BigInt(pieces) - 1n) / BigInt(pieces),
    savedMicroUsd: old === undefined || pieces === 0 ? undefined : old * BigInt(pieces) - spentMicroUsd,
    savedMinutesPerPiece:
      minutes === undefined || medianMinutes === undefined ? undefined : minutes - medianMinutes,
    timeToReturn: timeToReturn(baseline, days, daysInPeriod),
  };
}

/** The day on which what was saved since the beginning of the period reaches what the new way cost to set up. */
function timeToReturn(
  baseline: Baseline | undefined,
  days: readonly Day[],
  daysInPeriod: number,
): TimeToReturn {
  const { costMicroUsd, investmentMicroUsd } = baseline ?? {};
  if (costMicroUsd === undefined)
    return { kind: 'unknown', because: 'the cost of the old way is not declared' };
  if (investmentMicroUsd === undefined)
    return { kind: 'unknown', because: 'what the new way cost to set up is not declared' };
  // Money that was spent on nothing says nothing of what a piece saves.
  if (days.every(({ pieces }) => pieces === 0))
    return { kind: 'unknown', because: 'nothing was made in the period' };
  let saved = 0n;
  for (const { day, pieces, spentMicroUsd } of days) {
    saved += costMicroUsd * BigInt(pieces) - spentMicroUsd;
    if (saved >= investmentMicroUsd) return { kind: 'reached', on: day };
  }
  if (saved <= 0n) return { kind: 'never_at_this_rate' };
  const rest = investmentMicroUsd - saved;
  // Rounded up: rest / (saved / days in the period).
  return { kind: 'projected', inDays: Number((rest * BigInt(daysInPeriod) + saved - 1n) / saved) };
}

/** Sums over rows in which the figure is known, and in how many it is not. */
export interface VariantCounts {
  readonly variant: string;
  readonly rows: number;
  readonly impressions: bigint | undefined;
  readonly clicks: bigint | undefined;
  readonly conversions: bigint | undefined;
  readonly revenueMicroUsd: MicroUsd | undefined;
  /** Rows with both counts known: shares are of these alone. */
  readonly clickRate: { readonly clicks: number; readonly impressions: number };
  readonly conversionRate: { readonly conversions: number; readonly clicks: number };
  /** Rows in which something is not known. */
  readonly incompleteRows: number;
}

export interface Variant extends Omit<VariantCounts, 'clickRate' | 'conversionRate'> {
  readonly clickRate: Proportion | undefined;
  readonly conversionRate: Proportion | undefined;
  /** Against the control; `undefined` for the control itself and where a share is not known. */
  readonly clickRateDifference: Difference | undefined;
  readonly conversionRateDifference: Difference | undefined;
}

/** @param control the variant that the others are compared with */
export function compareVariants(counts: readonly VariantCounts[], control: string | undefined): Variant[] {
  const rated = counts.map((one) => ({
    ...one,
    clickRate: proportion(one.clickRate.clicks, one.clickRate.impressions),
    conversionRate: proportion(one.conversionRate.conversions, one.conversionRate.clicks),
  }));
  const base = rated.find(({ variant }) => variant === control);
  const against = (own: Proportion | undefined, other: Proportion | undefined) =>
    own === undefined || other === undefined ? undefined : differenceOf(own, other);
  return rated.map((one) => ({
    ...one,
    clickRateDifference: one === base ? undefined : against(one.clickRate, base?.clickRate),
    conversionRateDifference: one === base ? undefined : against(one.conversionRate, base?.conversionRate),
  }));
}
