import { type Tx } from '../../database/organization-tx.js';
import { type MicroUsd } from '../../shared/money.js';
import { type Budget, BUDGET_LEVELS, type BudgetTarget, type Limits, scopeOf } from '../domain/budget.js';

interface BudgetRow {
  readonly id: string;
  readonly scope: string;
  readonly level: Budget['level'];
  readonly target_id: string;
  readonly period: Budget['period'];
  readonly limit_micro_usd: string | null;
  readonly soft_limit_micro_usd: string | null;
  readonly reserved: string;
  readonly spent: string;
  readonly month: string | null;
}

/** What one movement changes in every budget that it concerns. */
export interface CounterChange {
  readonly reserved: MicroUsd;
  readonly spent: MicroUsd;
}

/**
 * Whose money a step is: $1 organization, $2 step, $3 the month to count in when nothing is reserved yet. A step that is
 * reserved stays in the month of its reservation.
 */
const FACTS = `
  SELECT r.project_id::text AS project_id, r.use_case_id::text AS use_case_id, r.api_key_id,
         coalesce(to_char(m.created_at AT TIME ZONE 'UTC', 'YYYY-MM'), $3) AS month
    FROM step_run s
    JOIN run r ON r.organization_id = s.organization_id AND r.id = s.run_id
    LEFT JOIN money_movement m
      ON m.organization_id = s.organization_id AND m.step_run_id = s.id AND m.kind = 'reservation'
   WHERE s.organization_id = $1 AND s.id = $2`;

/** `f` holds whose money it is: see FACTS. */
const CONCERNED = `b.organization_id = $1 AND CASE b.level
    WHEN 'organization' THEN true
    WHEN 'project' THEN b.target_id = f.project_id
    WHEN 'use_case' THEN b.target_id = f.use_case_id
    ELSE b.target_id = f.api_key_id END`;

/** The ledger by whose money it is, one row a step: what of it is still reserved, and what was spent. $1 organization. */
const LEDGER = `
  SELECT r.project_id::text AS project_id, r.use_case_id::text AS use_case_id, r.api_key_id,
         to_char(m.created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month,
         CASE WHEN e.kind IS NULL THEN m.amount_micro_usd ELSE 0 END AS reserved,
         CASE WHEN e.kind = 'settlement' THEN e.amount_micro_usd ELSE 0 END AS spent
    FROM money_movement m
    JOIN step_run s ON s.organization_id = m.organization_id AND s.id = m.step_run_id
    JOIN run r ON r.organization_id = s.organization_id AND r.id = s.run_id
    LEFT JOIN money_movement e
      ON e.organization_id = m.organization_id AND e.step_run_id = m.step_run_id AND e.kind <> 'reservation'
   WHERE m.organization_id = $1 AND m.kind = 'reservation'`;

const COLUMNS = `b.id, b.scope, b.level, b.target_id, b.period, b.limit_micro_usd, b.soft_limit_micro_usd`;

/** What the ledger and a counter say of the same thing. They never differ, unless somebody changed rows by hand. */
export interface CounterDifference extends BudgetTarget {
  readonly month: string | undefined;
  readonly counter: 'reserved' | 'spent';
  readonly countedMicroUsd: MicroUsd;
  readonly ledgerMicroUsd: MicroUsd;
}

/**
 * Rows of budgets. Whatever moves money or changes a budget locks the row of the organization first and no other row
 * before it, so all of it happens one after the other in an organization, and no two transactions can wait for each
 * other here.
 */
export class BudgetRepository {
  /** The first statement of everything that follows. */
  lock(tx: Tx): void {
    tx.send(`SELECT 1 FROM budget WHERE organization_id = $1 AND scope = 'organization' FOR UPDATE`, [
      tx.organizationId,
    ]);
  }

  /**
   * Budgets that a step's money counts in, the widest first, with what is used of them. A statement of its own after
   * {@link lock}: what others did until then is seen.
   * @param month `2026-11`: where a step counts that has no reservation yet
   */
  async concerned(tx: Tx, stepRunId: string, month: string): Promise<Budget[]> {
    const rows = await tx.query<BudgetRow>(
      `SELECT ${COLUMNS},
              CASE b.period WHEN 'month' THEN coalesce(c.reserved_micro_usd, 0) ELSE b.reserved_micro_usd END AS reserved,
              CASE b.period WHEN 'month' THEN coalesce(c.spent_micro_usd, 0) ELSE b.spent_micro_usd END AS spent,
              CASE b.period WHEN 'month' THEN f.month END AS month
         FROM (${FACTS}) f JOIN budget b ON ${CONCERNED}
         LEFT JOIN budget_month c
           ON c.organization_id = b.organization_id AND c.scope = b.scope AND c.month = f.month
        ORDER BY array_position($4::text[], b.level), b.period DESC`,
      [tx.organizationId, stepRunId, month, BUDGET_LEVELS],
    );
    return rows.map(toBudget);
  }

  /** Adds to the counters of the given budgets, in which they were found to be by {@link concerned}. */
  async count(tx: Tx, budgets: readonly Budget[], { reserved, spent }: CounterChange): Promise<void> {
    const month = budgets.find((budget) => budget.month !== undefined)?.month;
    const change = [reserved.toString(), spent.toString()];
    const counted = await tx.query<{ scope: string }>(
      `WITH total AS (
         UPDATE budget SET reserved_micro_usd = reserved_micro_usd + $3, spent_micro_usd = spent_micro_usd + $4
          WHERE organization_id = $1 AND scope = ANY($2::text[]) RETURNING scope)
       UPDATE budget_month SET reserved_micro_usd = reserved_micro_usd + $3, spent_micro_usd = spent_micro_usd + $4
        WHERE organization_id = $1 AND scope = ANY($2::text[]) AND month = $5 RETURNING scope`,
      [tx.organizationId, budgets.map(({ scope }) => scope), ...change, month ?? null],
    );
    const fresh = budgets.filter(
      (budget) => budget.month !== undefined && !counted.some(({ scope }) => scope === budget.scope),
    );
    if (fresh.length === 0) return;
    // The first money of the month. Nothing is given back that was not counted in it before, so nothing is negative.
    await tx.query(
      `INSERT INTO budget_month (organization_id, scope, month, reserved_micro_usd, spent_micro_usd)
       SELECT $1, unnest($2::text[]), $5, $3, $4`,
      [tx.organizationId, fresh.map(({ scope }) => scope), ...change, month],
    );
  }

  async list(tx: Tx, month: string, id?: string): Promise<Budget[]> {
    const rows = await tx.query<BudgetRow>(
      `SELECT ${COLUMNS},
              CASE b.period WHEN 'month' THEN coalesce(c.reserved_micro_usd, 0) ELSE b.reserved_micro_usd END AS reserved,
              CASE b.period WHEN 'month' THEN coalesce(c.spent_micro_usd, 0) ELSE b.spent_micro_usd END AS spent,
              CASE b.period WHEN 'month' THEN $2 END AS month
         FROM budget b
         LEFT JOIN budget_month c ON c.organization_id = b.organization_id AND c.scope = b.scope AND c.month = $2
        WHERE b.organization_id = $1 AND ($4::uuid IS NULL OR b.id = $4)
        ORDER BY array_position($3::text[], b.level), b.target_id, b.period DESC`,
      [tx.organizationId, month, BUDGET_LEVELS, id ?? null],
    );
    return rows.map(toBudget);
  }

  /**
   * A new budget, whose counters begin with what the ledger says of the past.
   * @returns `false` when there is one for this target and period
   */
  async insert(tx: Tx, id: string, target: BudgetTarget, limits: Limits): Promise<boolean> {
    const scope = scopeOf(target);
    const inserted = await tx.query(
      `INSERT INTO budget (organization_id, scope, id, level, target_id, period, limit_micro_usd, soft_limit_micro_usd)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING scope`,
      [tx.organizationId, scope, id, target.level, target.targetId, target.period, ...limitColumns(limits)],
    );
    if (inserted.length === 0) return false;
    await tx.query(
      `UPDATE budget b SET reserved_micro_usd = l.reserved, spent_micro_usd = l.spent
         FROM (SELECT coalesce(sum(f.reserved), 0) AS reserved, coalesce(sum(f.spent), 0) AS spent
                 FROM (${LEDGER}) f JOIN budget b ON b.scope = $2 AND ${CONCERNED}) l
        WHERE b.organization_id = $1 AND b.scope = $2 RETURNING b.scope`,
      [tx.organizationId, scope],
    );
    if (target.period === 'month') {
      await tx.query(
        `INSERT INTO budget_month (organization_id, scope, month, reserved_micro_usd, spent_micro_usd)
         SELECT $1, $2, f.month, sum(f.reserved), sum(f.spent)
           FROM (${LEDGER}) f JOIN budget b ON b.scope = $2 AND ${CONCERNED} GROUP BY f.month`,
        [tx.organizationId, scope],
      );
    }
    return true;
  }

  async setLimits(tx: Tx, scope: string, limits: Limits): Promise<void> {
    await tx.query(
      `UPDATE budget SET limit_micro_usd = $3, soft_limit_micro_usd = $4
        WHERE organization_id = $1 AND scope = $2 RETURNING scope`,
      [tx.organizationId, scope, ...limitColumns(limits)],
    );
  }

  /** The ledger keeps everything: a budget made again later begins with the same counters. */
  async remove(tx: Tx, scope: string): Promise<void> {
    for (const table of ['budget_month', 'budget'])
      await tx.query(`DELETE FROM ${table} WHERE organization_id = $1 AND scope = $2 RETURNING scope`, [
        tx.organizationId,
        scope,
      ]);
  }

  /** Compares every counter with the sum of the ledger. Needs {@link lock}: otherwise money moves in between. */
  async differences(tx: Tx): Promise<CounterDifference[]> {
    const rows = await tx.query<{
      level: BudgetTarget['level'];
      target_id: string;
      period: BudgetTarget['period'];
      month: string | null;
      counter: 'reserved' | 'spent';
      counted: string;
      ledger: string;
    }>(
      `WITH ledger AS MATERIALIZED (${LEDGER}),
       summed AS (
         SELECT b.scope, f.month, sum(f.reserved) AS reserved, sum(f.spent) AS spent
           FROM ledger f JOIN budget b ON ${CONCERNED} GROUP BY b.scope, f.month),
       compared AS (
         SELECT b.scope, NULL AS month, b.reserved_micro_usd AS counted_reserved, b.spent_micro_usd AS counted_spent,
                (SELECT coalesce(sum(reserved), 0) FROM summed t WHERE t.scope = b.scope) AS reserved,
                (SELECT coalesce(sum(spent), 0) FROM summed t WHERE t.scope = b.scope) AS spent
           FROM budget b WHERE b.organization_id = $1
         UNION ALL
         SELECT coalesce(c.scope, t.scope), coalesce(c.month, t.month), coalesce(c.reserved_micro_usd, 0),
                coalesce(c.spent_micro_usd, 0), coalesce(t.reserved, 0), coalesce(t.spent, 0)
           FROM (SELECT * FROM budget_month WHERE organization_id = $1) c
           FULL JOIN (SELECT t.* FROM summed t JOIN budget b ON b.scope = t.scope AND b.organization_id = $1
                       WHERE b.period = 'month') t ON t.scope = c.scope AND t.month = c.month)
       SELECT b.level, b.target_id, b.period, d.month, v.counter, v.counted, v.ledger
         FROM compared d JOIN budget b ON b.organization_id = $1 AND b.scope = d.scope
        CROSS JOIN LATERAL (VALUES ('reserved', d.counted_reserved, d.reserved), ('spent', d.counted_spent, d.spent))
              AS v (counter, counted, ledger)
        WHERE v.counted <> v.ledger ORDER BY b.scope, d.month NULLS FIRST, v.counter`,
      [tx.organizationId],
    );
    return rows.map((row) => ({
      level: row.level,
      targetId: row.target_id,
      period: row.period,
      month: row.month ?? undefined,
      counter: row.counter,
      countedMicroUsd: BigInt(row.counted),
      ledgerMicroUsd: BigInt(row.ledger),
    }));
  }
}

function toBudget(row: BudgetRow): Budget {
  return {
    id: row.id,
    scope: row.scope,
    level: row.level,
    targetId: row.target_id,
    period: row.period,
    month: row.month ?? undefined,
    hardLimitMicroUsd: row.limit_micro_usd === null ? undefined : BigInt(row.limit_micro_usd),
    softLimitMicroUsd: row.soft_limit_micro_usd === null ? undefined : BigInt(row.soft_limit_micro_usd),
    reservedMicroUsd: BigInt(row.reserved),
    spentMicroUsd: BigInt(row.spent),
  };
}

function limitColumns({ hardLimitMicroUsd, softLimitMicroUsd }: Limits): (string | null)[] {
  return [hardLimitMicroUsd?.toString() ?? null, softLimitMicroUsd?.toString() ?? null];
}
