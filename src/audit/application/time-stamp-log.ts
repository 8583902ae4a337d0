import type pg from 'pg';
import { type Clock } from '../../shared/clock.js';
import { parseNote } from '../core/signed-note.js';
import { type AnchorState, AnchorStates, retryDelayMs } from './anchor-state.js';
import { type TimeStampAnswer, type TimeStampAuthority } from './time-stamp-authority.port.js';

/** A busy log would otherwise ask at every checkpoint; one token covers all entries before it. */
const DEFAULT_MINIMUM_INTERVAL_MS = 60_000;
/** Longer than a request can take: as long nobody else asks. Tokens may cost money. */
const ATTEMPT_MS = 15_000;
const MAX_ERROR_CHARACTERS = 500;

export interface TimeStampLogOptions {
  /** At most one token of a log per this time. Default 60,000. */
  readonly minimumIntervalMs?: number;
}

interface Checkpoint {
  readonly size: number;
  readonly note: string;
}

/**
 * Has the newest checkpoint of a log time-stamped by one authority. A token over a checkpoint bounds the time of all
 * entries that it covers, so older checkpoints are not made up for.
 *
 * Crash after the request: the attempt is on record, and the same checkpoint or a newer one is tried later. Crash
 * after the token is stored and before the state: the state lags behind, and is right after the next token.
 */
export class TimeStampLog {
  private readonly minimumIntervalMs: number;
  private readonly states: AnchorStates;

  constructor(
    /** Connections of the sequencer's role. */
    private readonly pool: pg.Pool,
    private readonly authority: TimeStampAuthority,
    private readonly clock: Clock,
    options: TimeStampLogOptions = {},
  ) {
    this.minimumIntervalMs = options.minimumIntervalMs ?? DEFAULT_MINIMUM_INTERVAL_MS;
    this.states = new AnchorStates(pool, 'time_stamp');
  }

  /**
   * One attempt, if one is due. An authority that is down or lies is recorded in audit_anchor_state, not thrown.
   * @throws what the database throws
   */
  async stamp(organizationId: string): Promise<void> {
    const checkpoint = await this.unstamped(organizationId);
    if (checkpoint === undefined || !(await this.claimAttempt(organizationId))) return;
    const { text } = parseNote(Buffer.from(checkpoint.note, 'utf8'));
    const answer = await this.authority.stamp(Buffer.from(text, 'utf8'));
    const at = this.clock.now();
    if (answer.outcome === 'stamped') await this.recordToken(organizationId, checkpoint.size, answer, at);
    else
      await this.states.recordFailure(organizationId, this.authority.name, { error: describe(answer), at });
  }

  /** The newest checkpoint, unless this authority has stamped it. */
  private async unstamped(organizationId: string): Promise<Checkpoint | undefined> {
    const { rows } = await this.pool.query<{ size: string; note: string; stamped: boolean }>(
      `SELECT size, note, EXISTS (
                SELECT 1 FROM audit_time_stamp t
                 WHERE t.organization_id = c.organization_id AND t.size = c.size AND t.authority = $2) AS stamped
         FROM audit_checkpoint c WHERE organization_id = $1 ORDER BY size DESC LIMIT 1`,
      [organizationId, this.authority.name],
    );
    const [row] = rows;
    return row && !row.stamped ? { size: Number(row.size), note: row.note } : undefined;
  }

  /** Takes the attempt before making it; of several processes one gets it. */
  private async claimAttempt(organizationId: string): Promise<boolean> {
    const now = this.clock.now();
    const state = (await this.states.ofLog(organizationId)).get(this.authority.name);
    if (state !== undefined && !this.isDue(state, now)) return false;
    const { rowCount } = await this.pool.query(
      `INSERT INTO audit_anchor_state AS s (organization_id, kind, name, size, failures, attempted_at)
       VALUES ($1, 'time_stamp', $2, 0, 0, $3)
       ON CONFLICT (organization_id, kind, name) DO UPDATE SET attempted_at = $3 WHERE s.attempted_at = $4`,
      [organizationId, this.authority.name, now, state?.attemptedAt ?? null],
    );
    return rowCount === 1;
  }

  private isDue({ failures, attemptedAt, succeededAt }: AnchorState, now: Date): boolean {
    const waitedMs = now.getTime() - attemptedAt.getTime();
    // The clock was set back: waiting until it has caught up could take years.
    if (waitedMs < 0) return true;
    const done = succeededAt !== undefined && succeededAt >= attemptedAt;
    return waitedMs >= (done ? this.minimumIntervalMs : Math.max(ATTEMPT_MS, retryDelayMs(failures)));
  }

  private async recordToken(
    organizationId: string,
    size: number,
    { token, genTime }: Extract<TimeStampAnswer, { outcome: 'stamped' }>,
    at: Date,
  ): Promise<void> {
    const { name } = this.authority;
    await this.pool.query(
      `INSERT INTO audit_time_stamp (organization_id, size, authority, token, stamped_at, received_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (organization_id, size, authority) DO NOTHING`,
      [organizationId, size, name, Buffer.from(token), genTime, at],
    );
    await this.states.recordSuccess(organizationId, name, { size, at });
  }
}

function describe({ outcome, reason }: Exclude<TimeStampAnswer, { outcome: 'stamped' }>): string {
  return `${outcome}: ${reason}`.slice(0, MAX_ERROR_CHARACTERS);
}
