import { stringify } from 'csv-stringify/sync';
import { publicId } from '../../shared/ids.js';
import { formatUsd } from '../../shared/money.js';
import { type DeclaredBaseline } from '../application/declare-baseline.js';
import { type ReturnReport } from '../application/return-of-use-case.js';
import { type Difference } from '../domain/statistics.js';
import { type Variant } from '../domain/use-case-return.js';
import { proportionView } from './quality-view.js';

/** `null` everywhere: not known. Amounts in micro-USD as text. */
export function returnView(report: ReturnReport) {
  const { useCase, baseline, newWay, savings } = report;
  return {
    useCaseId: publicId('useCase', useCase.id),
    useCase: useCase.name,
    from: report.from,
    until: report.until,
    baseline: baseline === undefined ? null : baselineView(baseline),
    newWay: {
      pieces: savings.pieces,
      spentMicroUsd: savings.spentMicroUsd.toString(),
      costPerPieceMicroUsd: savings.costPerPieceMicroUsd?.toString() ?? null,
      medianMinutes: newWay.medianMinutes ?? null,
      /** Steps whose cost is not known yet: the sums do not hold them. */
      openSteps: newWay.openSteps,
      openReservedMicroUsd: newWay.openMicroUsd.toString(),
      days: newWay.days.map(({ day, pieces, spentMicroUsd }) => ({
        day,
        pieces,
        spentMicroUsd: spentMicroUsd.toString(),
      })),
    },
    savedMicroUsd: savings.savedMicroUsd?.toString() ?? null,
    savedMinutesPerPiece: savings.savedMinutesPerPiece ?? null,
    timeToReturn: savings.timeToReturn,
    control: report.control ?? null,
    notComparedBecause: report.notComparedBecause ?? null,
    variants: report.variants.map(variantView),
    variantsLeftOut: report.variantsLeftOut,
    method:
      "Shares: Wilson score interval (1927). Differences: hybrid score interval, Newcombe 1998, method 10. Both 95 %, of rows in which both counts are known. Distinguishable: the interval of the difference leaves out 0 and, where fewer than 5 successes or failures are expected of either, Fisher's exact test has p below 0.05.",
  };
}

export function baselineView(baseline: DeclaredBaseline) {
  return {
    id: publicId('baseline', baseline.id),
    costMicroUsd: baseline.costMicroUsd?.toString() ?? null,
    minutes: baseline.minutes ?? null,
    investmentMicroUsd: baseline.investmentMicroUsd?.toString() ?? null,
    source: baseline.source ?? null,
    declaredBy: publicId('principal', baseline.declaredBy),
    declaredAt: baseline.declaredAt.toISOString(),
  };
}

function differenceView(difference: Difference | undefined) {
  if (difference === undefined) return null;
  const { interval, distinguishable, exactP, because } = difference;
  return {
    difference: difference.difference,
    low95: interval.low,
    high95: interval.high,
    distinguishable,
    /** Of Fisher's exact test, where counts are too few for the interval alone. */
    exactP: exactP ?? null,
    because,
  };
}

function variantView(variant: Variant) {
  return {
    variant: variant.variant,
    rows: variant.rows,
    incompleteRows: variant.incompleteRows,
    impressions: variant.impressions?.toString() ?? null,
    clicks: variant.clicks?.toString() ?? null,
    conversions: variant.conversions?.toString() ?? null,
    revenueMicroUsd: variant.revenueMicroUsd?.toString() ?? null,
    clickRate: proportionView(variant.clickRate),
    conversionRate: proportionView(variant.conversionRate),
    clickRateAgainstControl: differenceView(variant.clickRateDifference),
    conversionRateAgainstControl: differenceView(variant.conversionRateDifference),
  };
}

const CSV_COLUMNS = [
  'variant',
  'rows',
  'incomplete_rows',
  'impressions',
  'clicks',
  'conversions',
  'revenue_usd',
  'click_rate',
  'click_rate_low95',
  'click_rate_high95',
  'conversion_rate',
  'conversion_rate_low95',
  'conversion_rate_high95',
  'click_rate_difference',
  'click_rate_difference_low95',
  'click_rate_difference_high95',
  'click_rate_distinguishable',
  'conversion_rate_difference',
  'conversion_rate_difference_low95',
  'conversion_rate_difference_high95',
  'conversion_rate_distinguishable',
] as const;

/**
 * One line a variant; an empty cell is not known. Names of variants begin with a letter or a digit, so no text is a
 * formula; a negative number stays a number.
 */
export function returnCsv({ variants }: ReturnReport): Buffer {
  const records = variants.map((one) => [
    one.variant,
    one.rows,
    one.incompleteRows,
    one.impressions?.toString(),
    one.clicks?.toString(),
    one.conversions?.toString(),
    one.revenueMicroUsd === undefined ? undefined : formatUsd(one.revenueMicroUsd),
    one.clickRate?.share,
    one.clickRate?.interval.low,
    one.clickRate?.interval.high,
    one.conversionRate?.share,
    one.conversionRate?.interval.low,
    one.conversionRate?.interval.high,
    ...differenceCells(one.clickRateDifference),
    ...differenceCells(one.conversionRateDifference),
  ]);
  const text = stringify([[...CSV_COLUMNS], ...records], { record_delimiter: '\r\n' });
  return Buffer.from(`\ufeff${text}`, 'utf8');
}

function differenceCells(difference: Difference | undefined): (number | string | undefined)[] {
  if (difference === undefined) return Array.from({ length: 4 }, () => undefined);
  const { interval, distinguishable } = difference;
  return [difference.difference, interval.low, interval.high, distinguishable ? 'yes' : 'no'];
}
