import { type Tx } from '../../database/organization-tx.js';
import { type StepState, TERMINAL_STEP_STATES } from '../domain/run.js';

/** Where a run stands, in numbers that stay small however many steps it has. */
export interface RunProgress {
  readonly total: number;
  readonly done: number;
  /** 0 to 100, rounded down: 100 only when every step has come to its end. */
  readonly percent: number;
  readonly counts: Readonly<Partial<Record<StepState, number>>>;
  /** Settled so far, integer micro-USD. */
  readonly costMicroUsd: string;
  /** Of steps that have not come to their end: the most that may still be spent. */
  readonly openMicroUsd: string;
}

interface Row {
  state: StepState;
  steps: number;
  progress: number;
  open: string;
  cost: string;
}

export async function progressOfRun(tx: Tx, runId: string): Promise<RunProgress> {
  const rows = await tx.query<Row>(
    `SELECT s.state, count(*)::int AS steps, coalesce(sum(s.progress), 0)::float8 AS progress,
            coalesce(sum(s.reserved_micro_usd), 0)::text AS open, coalesce(sum(m.amount_micro_usd), 0)::text AS cost
       FROM step_run s LEFT JOIN money_movement m
         ON m.organization_id = s.organization_id AND m.step_run_id = s.id AND m.kind = 'settlement'
      WHERE s.organization_id = $1 AND s.run_id = $2 GROUP BY s.state`,
    [tx.organizationId, runId],
  );
  return progressOf(rows);
}

function progressOf(rows: readonly Row[]): RunProgress {
  const isOver = ({ state }: Row): boolean => TERMINAL_STEP_STATES.includes(state);
  const total = rows.reduce((sum, { steps }) => sum + steps, 0);
  const over = rows.filter(isOver);
  const open = rows.filter((row) => !isOver(row));
  const done = over.reduce((sum, { steps }) => sum + steps, 0);
  const begun = open.reduce((sum, { progress, steps }) => sum + Math.min(progress, steps), 0);
  return {
    total,
    done,
    percent: total === 0 ? 0 : Math.floor((100 * (done + begun)) / total),
    counts: Object.fromEntries(rows.map(({ state, steps }) => [state, steps])),
    costMicroUsd: rows.reduce((sum, { cost }) => sum + BigInt(cost), 0n).toString(),
    openMicroUsd: open.reduce((sum, row) => sum + BigInt(row.open), 0n).toString(),
  };
}
