import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import {
  compareVariants,
  type NewWay,
  type Savings,
  savingsOf,
  type Variant,
  type VariantCounts,
} from '../domain/use-case-return.js';
import { type Baselines, type DeclaredBaseline } from './declare-baseline.js';
import { findUseCase, type UseCase } from './use-case.js';

export interface ReturnReport {
  readonly useCase: UseCase;
  readonly from: string;
  /** The last day of the period. */
  readonly until: string;
  readonly baseline: DeclaredBaseline | undefined;
  readonly newWay: NewWay;
  readonly savings: Savings;
  /** The variant that the others are compared with: the one asked for, else the first by name. */
  readonly control: string | undefined;
  readonly variants: readonly Variant[];
  /** Why nothing is compared although a control was named; `undefined`: it is. */
  readonly notComparedBecause: string | undefined;
  /** How many there are beyond those. The control is never among them. */
  readonly variantsLeftOut: number;
}

const DAY_MS = 86_400_000;
/** Twice as many as the largest run makes. */
const MAX_VARIANTS = 1_000;
const MAX_VARIANTS_NAMED = 50;

/** What a use case cost, what it saved, and what became of what it shows: of live runs, by day in UTC. */
export class ReturnOfUseCase {
  constructor(
    private readonly baselines: Baselines,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`; `invalid_request` for a control that no outcome is of */
  async report(
    tx: Tx,
    useCaseId: string,
    period: { readonly from: string; readonly until: string },
    control: string | undefined,
  ): Promise<ReturnReport> {
    const useCase = await findUseCase(tx, useCaseId);
    const begin = new Date(`${period.from}T00:00:00.000Z`);
    const end = new Date(Date.parse(`${period.until}T00:00:00.000Z`) + DAY_MS);
    const baseline = await this.baselines.newest(tx, useCaseId);
    const newWay = await newWayOf(tx, useCaseId, begin, end);
    const { counts, leftOut } = await countsOf(tx, useCaseId, period, control);
    const base = control ?? counts[0]?.variant;
    const isThere = control === undefined || counts.some(({ variant }) => variant === control);
    if (!isThere) await requireVariant(tx, useCaseId, control);
    return {
      useCase,
      ...period,
      baseline,
      newWay,
      savings: savingsOf(baseline, newWay, daysBegun(begin, end, this.clock.now())),
      control: base,
      notComparedBecause: isThere
        ? undefined
        : `There are no outcomes of the control "${control}" in the period.`,
      variants: compareVariants(counts, base),
      variantsLeftOut: leftOut,
    };
  }
}

/** Days to come have no rate: at least 1 of those that have begun. */
function daysBegun(begin: Date, end: Date, now: Date): number {
  const until = Math.min(end.getTime(), now.getTime());
  return Math.max(1, Math.ceil((until - begin.getTime()) / DAY_MS));
}

/** Against a control that is misspelled, nothing would be compared, and nobody would be told. */
async function requireVariant(tx: Tx, useCaseId: string, control: string): Promise<void> {
  const rows = await tx.query<{ variant: string }>(
    `WITH latest AS (
       SELECT DISTINCT ON (row_key) variant FROM outcome
        WHERE organization_id = $1 AND use_case_id = $2 ORDER BY row_key, version DESC)
     SELECT variant FROM latest GROUP BY variant ORDER BY variant = $3 DESC, variant LIMIT ${MAX_VARIANTS_NAMED}`,
    [tx.organizationId, useCaseId, control],
  );
  const variants = rows.map(({ variant }) => variant);
  if (variants.includes(control)) return;
  const known = variants.length === 0 ? 'no outcomes are recorded' : `there is ${variants.join(', ')}`;
  throw new ColophonError('invalid_request', `control: there is no variant of this name; ${known}.`, {
    extensions: { variants },
  });
}

async function newWayOf(tx: Tx, useCaseId: string, begin: Date, end: Date): Promise<NewWay> {
  const asked = [tx.organizationId, useCaseId, begin, end];
  const days = await tx.query<{ day: string; pieces: number; spent: string }>(
    `WITH runs AS (
       SELECT r.id, to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, (r.state = 'SUCCEEDED')::int AS piece
         FROM run r WHERE r.organization_id = $1 AND r.use_case_id = $2 AND r.mode = 'live'
          AND r.created_at >= $3 AND r.created_at < $4),
     paid AS (
       SELECT s.run_id, sum(e.amount_micro_usd) AS spent
         FROM step_run s JOIN money_movement e
           ON e.organization_id = s.organization_id AND e.step_run_id = s.id AND e.kind = 'settlement'
        WHERE s.organization_id = $1 AND s.run_id IN (SELECT id FROM runs) GROUP BY s.run_id)
     SELECT r.day, sum(r.piece)::int AS pieces, coalesce(sum(p.spent), 0)::text AS spent
       FROM runs r LEFT JOIN paid p ON p.run_id = r.id GROUP BY r.day ORDER BY r.day`,
    asked,
  );
  const [figures] = await tx.query<{ median: number | null; open: number; reserved: string }>(
    `WITH open AS (
       SELECT m.amount_micro_usd FROM run r
         JOIN step_run s ON s.organization_id = r.organization_id AND s.run_id = r.id
         JOIN money_movement m ON m.organization_id = s.organization_id AND m.step_run_id = s.id
          AND m.kind = 'reservation' AND m.amount_micro_usd > 0
        WHERE r.organization_id = $1 AND r.use_case_id = $2 AND r.mode = 'live'
          AND r.created_at >= $3 AND r.created_at < $4
          AND NOT EXISTS (SELECT 1 FROM money_movement e WHERE e.organization_id = s.organization_id
                             AND e.step_run_id = s.id AND e.kind <> 'reservation'))
     SELECT (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - created_at) / 60)
               FROM run WHERE organization_id = $1 AND use_case_id = $2 AND mode = 'live' AND state = 'SUCCEEDED'
                AND created_at >= $3 AND created_at < $4)::float8 AS median,
            (SELECT count(*)::int FROM open) AS open,
            (SELECT coalesce(sum(amount_micro_usd), 0)::text FROM open) AS reserved`,
    asked,
  );
  return {
    days: days.map(({ day, pieces, spent }) => ({ day, pieces, spentMicroUsd: BigInt(spent) })),
    medianMinutes: figures?.median ?? undefined,
    openSteps: figures?.open ?? 0,
    openMicroUsd: BigInt(figures?.reserved ?? 0),
  };
}

async function countsOf(
  tx: Tx,
  useCaseId: string,
  { from, until }: { from: string; until: string },
  control: string | undefined,
): Promise<{ readonly counts: VariantCounts[]; readonly leftOut: number }> {
  const rows = await tx.query<Record<string, string | null> & { variant: string }>(
    `WITH latest AS (
       SELECT DISTINCT ON (row_key) * FROM outcome
        WHERE organization_id = $1 AND use_case_id = $2 ORDER BY row_key, version DESC)
     SELECT variant, count(*) OVER () AS variants, count(*) AS rows, sum(impressions) AS impressions, sum(clicks) AS clicks,
            sum(conversions) AS conversions, sum(revenue_micro_usd) AS revenue,
            coalesce(sum(clicks) FILTER (WHERE impressions IS NOT NULL), 0) AS rated_clicks,
            coalesce(sum(impressions) FILTER (WHERE clicks IS NOT NULL), 0) AS rated_impressions,
            coalesce(sum(conversions) FILTER (WHERE clicks IS NOT NULL), 0) AS rated_conversions,
            coalesce(sum(clicks) FILTER (WHERE conversions IS NOT NULL), 0) AS converted_clicks,
            count(*) FILTER (WHERE impressions IS NULL OR clicks IS NULL OR conversions IS NULL
                                OR revenue_micro_usd IS NULL) AS incomplete
       FROM latest WHERE day >= $3 AND day <= $4 GROUP BY variant
      ORDER BY variant IS NOT DISTINCT FROM $5 DESC, variant LIMIT ${MAX_VARIANTS}`,
    [tx.organizationId, useCaseId, from, until, control ?? null],
  );
  const known = (text: string | null | undefined) =>
    text === null || text === undefined ? undefined : BigInt(text);
  const counts = rows.map((row) => ({
    variant: row.variant,
    rows: Number(row.rows),
    impressions: known(row.impressions),
    clicks: known(row.clicks),
    conversions: known(row.conversions),
    revenueMicroUsd: known(row.revenue),
    clickRate: { clicks: Number(row.rated_clicks), impressions: Number(row.rated_impressions) },
    conversionRate: { conversions: Number(row.rated_conversions), clicks: Number(row.converted_clicks) },
    incompleteRows: Number(row.incomplete),
  }));
  counts.sort((a, b) => (a.variant < b.variant ? -1 : 1));
  return { counts, leftOut: Number(rows[0]?.variants ?? 0) - rows.length };
}
