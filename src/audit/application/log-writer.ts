import type pg from 'pg';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import { CompactRange } from '../core/compact-range.js';
import { type EntryInput } from '../core/entry.js';
import { type PlainEntry } from './append-entry.js';
import { EntryPartitions } from './entry-partitions.js';
import { ENTRY_COLUMNS, type EntryRow, rowParameters, selectRows, toEntryRow } from './entry-rows.js';
import { withOwnConnection } from './own-connection.js';

export interface WrittenEntry {
  readonly entryId: string;
  readonly index: number;
}

interface Waiting {
  readonly row: EntryRow;
  readonly resolve: (index: number) => void;
  readonly reject: (error: unknown) => void;
}

/** The head before and after a batch of pending entries. */
interface Moved {
  readonly before: CompactRange;
  readonly after: CompactRange;
}

/** What this process knows of one log. */
interface LogState {
  /** The head as this process saw it last; absent when it may have moved. Being wrong costs a round, never a fork. */
  head: CompactRange | undefined;
  waiting: Waiting[];
  writing: boolean;
  /** The end of the last round: rounds of one log follow one another in this process. */
  turn: Promise<unknown>;
}

/**
 * Entries of one statement. Not more, so that with many callers the next round is built while this one is written:
 * building an entry and writing it cost about the same.
 */
const MAX_ROUND = 256;
/** Entries of one log that wait in memory. Beyond it callers are refused: a queue that only grows helps nobody. */
const MAX_WAITING = 8_192;
/** A head that other processes keep moving. */
const MAX_ATTEMPTS = 50;
/** Pending entries that one transaction moves into the log. */
export const MAX_BATCH = 4_096;
/** Heads are kept for so many logs; an idle one is read again when needed. */
const MAX_LOGS = 1_000;

/**
 * The one door into a log, for entries of business transactions (from the outbox) and for entries that stand alone.
 * Contiguous indices, and a head that moves by compare-and-swap: whoever lost a race changed nothing.
 *
 * Callers of one moment share one statement and one fsync: while a round is written, the next one gathers.
 */
export class LogWriter {
  private readonly logs = new Map<string, LogState>();
  private readonly partitions = new EntryPartitions();

  constructor(
    private readonly pool: pg.Pool,
    private readonly clock: Clock,
    private readonly wakePublisher: () => void,
  ) {}

  /**
   * Writes an entry that belongs to no transaction, e.g. that something was shown to somebody. Resolves when it is
   * committed with its index.
   * @throws ColophonError `audit_unavailable`: it may or may not be in the log; what it tells of must not happen.
   */
  async append(organizationId: string, entry: PlainEntry): Promise<WrittenEntry> {
    const { type, actor, subject, data } = entry;
    const input = { type, actor, subject, data, at: this.clock.now().toISOString() } as EntryInput;
    const row = toEntryRow(newId(), input, entry.projectId);
    const log = this.stateOf(organizationId);
    if (log.waiting.length >= MAX_WAITING)
      throw new ColophonError('audit_unavailable', 'Too many entries are waiting to be written to this log.');
    const index = await new Promise<number>((resolve, reject) => {
      log.waiting.push({ row, resolve, reject });
      this.startWriting(organizationId, log);
    });
    return { entryId: row.entryId, index };
  }

  /**
   * Moves pending entries of one log into it, in the order in which they were written; commit order decides which are
   * there. One transaction: a crash before COMMIT leaves them pending.
   *
   * @returns how many were moved; 0 when none is pending
   */
  async integratePending(organizationId: string): Promise<number> {
    const log = this.stateOf(organizationId);
    return this.inTurn(log, async () => {
      const seen = log.head ?? (await readHead(this.pool, organizationId, ''));
      if (seen === undefined) return 0;
      // Outside the transaction, and far enough ahead that it does not matter if the head has moved since.
      await this.partitions.ensure(this.pool, seen.size, seen.size + MAX_BATCH);
      try {
        const moved = await withOwnConnection(this.pool, (client) =>
          this.moveAndCommit(client, organizationId),
        );
        if (moved === undefined) return 0;
        log.head = moved.after;
        return moved.after.size - moved.before.size;
      } catch (error) {
        // After a lost answer nobody knows: the next round reads the head.
        log.head = undefined;
        throw error;
      }
    });
  }

  private async moveAndCommit(client: pg.PoolClient, organizationId: string): Promise<Moved | undefined> {
    await client.query('BEGIN');
    // What fails is rolled back by the end of the connection, which is thrown away then.
    const moved = await this.movePending(client, organizationId);
    await client.query('COMMIT');
    return moved;
  }

  private async movePending(client: pg.PoolClient, organizationId: string): Promise<Moved | undefined> {
    const before = await readHead(client, organizationId, 'FOR UPDATE');
    if (before === undefined) return undefined;
    // Leaf hashes are made by the server, SHA-256(0x00 || entry): only they travel, the entries stay where they are.
    const { rows } = await client.query<{ leaf_hash: Buffer }>({
      name: 'log_writer_move',
      text: `WITH taken AS (
          DELETE FROM audit_pending WHERE organization_id = $1 AND entry_id = ANY (ARRAY(
            SELECT entry_id FROM audit_pending WHERE organization_id = $1 ORDER BY ordinal LIMIT $3))
          RETURNING ordinal, ${ENTRY_COLUMNS}),
        moved AS (
          INSERT INTO audit_entry (organization_id, index, ${ENTRY_COLUMNS})
          SELECT $1, $2::bigint + row_number() OVER (ORDER BY ordinal) - 1, ${ENTRY_COLUMNS} FROM taken
          RETURNING index, entry)
        SELECT sha256('\\x00'::bytea || entry) AS leaf_hash FROM moved ORDER BY index`,
      values: [organizationId, before.size, MAX_BATCH],
    });
    if (rows.length === 0) return undefined;
    const after = before.append(rows.map(({ leaf_hash }) => leaf_hash));
    const swapped = await client.query(
      'UPDATE audit_log SET size = $3, edge = $4 WHERE organization_id = $1 AND size = $2',
      [organizationId, before.size, after.size, after.edge],
    );
    if (swapped.rowCount !== 1) throw new Error('another sequencer has moved the head of this log');
    return { before, after };
  }

  private startWriting(organizationId: string, log: LogState): void {
    if (log.writing) return;
    log.writing = true;
    // Callers of the same moment come into the first round.
    setImmediate(() => void this.writeWaiting(organizationId, log));
  }

  private async writeWaiting(organizationId: string, log: LogState): Promise<void> {
    while (log.waiting.length > 0) {
      const round = log.waiting.splice(0, MAX_ROUND);
      try {
        const first = await this.inTurn(log, () => this.writeRound(organizationId, log, round));
        // Not at once: the next round is sent first, so that its callers build their next entries while it is written.
        setImmediate(() => round.forEach(({ resolve }, position) => resolve(first + position)));
        this.wakePublisher();
      } catch (error) {
        round.forEach(({ reject }) => reject(error));
      }
    }
    log.writing = false;
  }

  /** @returns the index of the first entry */
  private async writeRound(
    organizationId: string,
    log: LogState,
    round: readonly Waiting[],
  ): Promise<number> {
    const rows = round.map(({ row }) => row);
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const head = log.head ?? (await readHead(this.pool, organizationId, ''));
        if (head === undefined) throw new Error(`organization ${organizationId} has no log`);
        const next = head.append(rows.map(({ leafHash }) => leafHash));
        await this.partitions.ensure(this.pool, head.size, next.size);
        log.head = undefined;
        if (await this.swap(organizationId, head, next, rows)) {
          log.head = next;
          return head.size;
        }
      }
    } catch (error) {
      const first = await this.findRound(organizationId, rows);
      if (first !== undefined) return first;
      // Whatever the reason (disk full, a trigger, a revoked right), the caller can do one thing only: not go on.
      throw unavailable(error);
    }
    throw unavailable(undefined);
  }

  /** One statement, which is one transaction: head and entries move together, or nothing does. */
  private async swap(
    organizationId: string,
    head: CompactRange,
    next: CompactRange,
    rows: readonly EntryRow[],
  ): Promise<boolean> {
    const { rowCount } = await this.pool.query({
      name: 'log_writer_swap',
      text: `WITH head AS (
          UPDATE audit_log SET size = $3, edge = $4 WHERE organization_id = $1 AND size = $2 AND edge = $15::bytea[] RETURNING 1)
        INSERT INTO audit_entry (organization_id, index, ${ENTRY_COLUMNS})
        SELECT $1, $2::bigint + ordinality - 1, ${ENTRY_COLUMNS} FROM (${selectRows(5)}) AS rows, head`,
      values: [organizationId, head.size, next.size, next.edge, ...rowParameters(rows), head.edge],
    });
    return rowCount === rows.length;
  }

  /** After a lost answer: were the entries committed? They are one statement, so one of them tells of all. */
  private async findRound(organizationId: string, rows: readonly EntryRow[]): Promise<number | undefined> {
    try {
      const { rows: found } = await this.pool.query<{ index: string }>(
        'SELECT index FROM audit_entry WHERE organization_id = $1 AND entry_id = $2',
        [organizationId, rows[0]?.entryId],
      );
      return found[0] === undefined ? undefined : Number(found[0].index);
    } catch {
      return undefined;
    }
  }

  private inTurn<T>(log: LogState, work: () => Promise<T>): Promise<T> {
    const result = log.turn.then(work);
    log.turn = result.catch(() => undefined);
    return result;
  }

  private stateOf(organizationId: string): LogState {
    const known = this.logs.get(organizationId);
    if (known) return known;
    if (this.logs.size >= MAX_LOGS) this.forgetIdleLogs();
    const state: LogState = { head: undefined, waiting: [], writing: false, turn: Promise.resolve() };
    this.logs.set(organizationId, state);
    return state;
  }

  /** A state that is in use by a round stays usable: two states of one log are two processes to each other. */
  private forgetIdleLogs(): void {
    for (const [organizationId, { writing }] of this.logs) if (!writing) this.logs.delete(organizationId);
  }
}

async function readHead(
  database: Pick<pg.Pool, 'query'>,
  organizationId: string,
  lock: 'FOR UPDATE' | '',
): Promise<CompactRange | undefined> {
  const { rows } = await database.query<{ size: string; edge: Buffer[] }>(
    `SELECT size, edge FROM audit_log WHERE organization_id = $1 ${lock}`,
    [organizationId],
  );
  const [row] = rows;
  return row && new CompactRange(Number(row.size), row.edge);
}

function unavailable(cause: unknown): ColophonError {
  return new ColophonError('audit_unavailable', 'The log cannot be written to at the moment.', { cause });
}
