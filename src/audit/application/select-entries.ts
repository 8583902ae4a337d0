import { type Tx } from '../../database/organization-tx.js';
import { type EntryPage } from './read-log.js';

/**
 * Rows of `audit_entry` in the order of the log, `limit` of them, without reading what lies before the page.
 *
 * Type, subject, actor and project have an index each that ends with the position in the log. Time has none that could:
 * entries get their index at COMMIT order, not in the order of their times. So `integrated_at`, the database's clock
 * when a row was inserted, brackets the positions: whatever was recorded at T was integrated within {@link LATE} of T,
 * and the few rows of which that is not true (after an outage, or by a clock that is wrong) are in a partial index of
 * their own, `audit_entry_late`. The answer is exact; what the bracket costs is reading a few minutes too much.
 */
export async function selectEntries<Row>(tx: Tx, columns: string, page: EntryPage): Promise<Row[]> {
  const { recordedFrom, recordedUntil } = page;
  const byTime = recordedFrom !== undefined || recordedUntil !== undefined;
  const where = new Conditions(tx.organizationId);
  where.add('index >=', page.fromIndex);
  where.add('index <', page.untilIndex);
  where.add('entry_type =', page.type);
  where.add('subject_id =', page.subjectId);
  where.add('actor_id =', page.actorId);
  where.add('project_id =', page.projectId);
  where.add('recorded_at >=', recordedFrom);
  where.add('recorded_at <', recordedUntil);
  const limit = where.value(page.limit);
  if (!byTime) {
    const sql = `SELECT ${columns} FROM audit_entry WHERE ${where.sql()} ORDER BY index LIMIT ${limit}`;
    return tx.query<Row>(sql, where.values);
  }
  const { low, high } = await bracket(tx, recordedFrom, recordedUntil);
  const all = where.sql();
  where.add('index >=', low ?? NOWHERE);
  where.add('index <', high);
  const times = new Conditions(tx.organizationId, where.values);
  times.add('recorded_at >=', recordedFrom);
  times.add('recorded_at <', recordedUntil);
  // Late rows by nothing but their time, and materialized: with more to go by, the planner, which does not know how few
  // they are, looks for them along the whole log.
  return tx.query<Row>(
    `WITH late AS MATERIALIZED (SELECT * FROM audit_entry WHERE ${times.sql()} AND (${LATE})),
          timely AS (SELECT ${columns} FROM audit_entry WHERE ${where.sql()} AND NOT (${LATE}) ORDER BY index LIMIT ${limit})
     SELECT ${columns} FROM (SELECT * FROM timely UNION ALL SELECT ${columns} FROM late WHERE ${all}) AS found
      ORDER BY index LIMIT ${limit}`,
    where.values,
  );
}

/** The predicate of the index `audit_entry_late`, word for word. */
const LATE = `integrated_at - recorded_at > '5 seconds'::interval OR recorded_at - integrated_at > '5 seconds'::interval`;
/** The five seconds, and a minute by which the server's clock may be set back. */
const SLACK_MS = 65_000;
/** An index that no log reaches. */
const NOWHERE = Number.MAX_SAFE_INTEGER;

/** Positions between which every timely row of these times lies. `low` is undefined when there can be none. */
async function bracket(
  tx: Tx,
  from: Date | undefined,
  until: Date | undefined,
): Promise<{ low: number | undefined; high: number | undefined }> {
  const low = from === undefined ? 0 : await firstIntegrated(tx, new Date(from.getTime() - SLACK_MS));
  const high =
    until === undefined ? undefined : await firstIntegrated(tx, new Date(until.getTime() + SLACK_MS));
  return { low, high };
}

async function firstIntegrated(tx: Tx, since: Date): Promise<number | undefined> {
  const [row] = await tx.query<{ index: string }>(
    `SELECT index FROM audit_entry WHERE organization_id = $1 AND integrated_at >= $2
      ORDER BY integrated_at, index LIMIT 1`,
    [tx.organizationId, since],
  );
  return row && Number(row.index);
}

/** Conditions joined by AND, and their parameters. */
class Conditions {
  private readonly terms = ['organization_id = $1'];

  /** @param values parameters of the statement, shared by all conditions in it; the first is the organization */
  constructor(
    organizationId: string,
    readonly values: unknown[] = [organizationId],
  ) {}

  /** Left out when there is no value. */
  add(condition: string, value: unknown): void {
    if (value !== undefined) this.terms.push(`${condition} ${this.value(value)}`);
  }

  value(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  sql(): string {
    return this.terms.join(' AND ');
  }
}
