import type pg from 'pg';

/**
 * How it stands with each party outside that confirms a log: witnesses, time-stamp authorities. Bookkeeping, not
 * evidence: when it is lost, they are asked again.
 */
export interface AnchorState {
  /** Largest size that the party confirmed. */
  readonly size: number;
  /** Failed attempts since the last success. */
  readonly failures: number;
  /** The last thing that was wrong, in words for people. */
  readonly lastError: string | undefined;
  /** Set when the party knows another history of the log: nothing is signed until a person has decided. */
  readonly conflict: string | undefined;
  readonly attemptedAt: Date;
  readonly succeededAt: Date | undefined;
}

export type AnchorKind = 'witness' | 'time_stamp';

const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 300_000;

/** Pause after a number of failures in a row: 5 s, doubled for each further one, 5 minutes at most. */
export function retryDelayMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10));
}

/** Whether a party may be asked now. One in conflict is not asked again: its answer would change nothing. */
export function isDue(state: AnchorState | undefined, now: Date): boolean {
  if (state === undefined) return true;
  const waitedMs = now.getTime() - state.attemptedAt.getTime();
  // A negative wait is a clock that was set back; it must not silence anybody.
  return state.conflict === undefined && (waitedMs < 0 || waitedMs >= retryDelayMs(state.failures));
}

interface StateRow {
  name: string;
  size: string;
  failures: number;
  last_error: string | null;
  conflict: string | null;
  attempted_at: Date;
  succeeded_at: Date | null;
}

/** The table audit_anchor_state for one kind of party. Several processes may write: the last one wins. */
export class AnchorStates {
  constructor(
    private readonly pool: pg.Pool,
    private readonly kind: AnchorKind,
  ) {}

  /** States by name of the party. */
  async ofLog(organizationId: string): Promise<ReadonlyMap<string, AnchorState>> {
    const { rows } = await this.pool.query<StateRow>(
      `SELECT name, size, failures, last_error, conflict, attempted_at, succeeded_at
         FROM audit_anchor_state WHERE organization_id = $1 AND kind = $2`,
      [organizationId, this.kind],
    );
    return new Map(rows.map((row) => [row.name, toState(row)]));
  }

  /** @param remark something that an operator should know although it went well */
  async recordSuccess(
    organizationId: string,
    name: string,
    success: { readonly size: number; readonly at: Date; readonly remark?: string },
  ): Promise<void> {
    await this.pool.query(
      `INSERT INTO audit_anchor_state AS s
         (organization_id, kind, name, size, failures, last_error, attempted_at, succeeded_at)
       VALUES ($1, $2, $3, $4, 0, $5, $6, $6)
       ON CONFLICT (organization_id, kind, name) DO UPDATE
         SET size = greatest(s.size, $4), failures = 0, last_error = $5, attempted_at = $6, succeeded_at = $6`,
      [organizationId, this.kind, name, success.size, success.remark ?? null, success.at],
    );
  }

  async recordFailure(
    organizationId: string,
    name: string,
    failure: { readonly error: string; readonly at: Date },
  ): Promise<void> {
    await this.pool.query(
      `INSERT INTO audit_anchor_state AS s
         (organization_id, kind, name, size, failures, last_error, attempted_at)
       VALUES ($1, $2, $3, 0, 1, $4, $5)
       ON CONFLICT (organization_id, kind, name) DO UPDATE
         SET failures = least(s.failures + 1, 1000000), last_error = $4, attempted_at = $5`,
      [organizationId, this.kind, name, failure.error, failure.at],
    );
  }

  /** The first conflict stays: it is the one nearest to the cause. */
  async recordConflict(
    organizationId: string,
    name: string,
    found: { readonly conflict: string; readonly at: Date },
  ): Promise<void> {
    await this.pool.query(
      `INSERT INTO audit_anchor_state AS s
         (organization_id, kind, name, size, failures, conflict, attempted_at)
       VALUES ($1, $2, $3, 0, 1, $4, $5)
       ON CONFLICT (organization_id, kind, name) DO UPDATE
         SET conflict = coalesce(s.conflict, $4), attempted_at = $5`,
      [organizationId, this.kind, name, found.conflict, found.at],
    );
  }

  /** A person has decided that the log is the right one. @returns whether it still was this conflict */
  async clearConflict(organizationId: string, name: string, conflict: string): Promise<boolean> {
    const { rowCount } = await this.pool.query(
      `UPDATE audit_anchor_state SET conflict = NULL, failures = 0
        WHERE organization_id = $1 AND kind = $2 AND name = $3 AND conflict = $4`,
      [organizationId, this.kind, name, conflict],
    );
    return rowCount === 1;
  }
}

function toState(row: StateRow): AnchorState {
  return {
    size: Number(row.size),
    failures: row.failures,
    lastError: row.last_error ?? undefined,
    conflict: row.conflict ?? undefined,
    attemptedAt: row.attempted_at,
    succeededAt: row.succeeded_at ?? undefined,
  };
}
