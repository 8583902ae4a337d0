import { isAborted, isRetryable, type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import { type EntryInput } from '../core/entry.js';
import { seal } from '../core/commitment.js';
import { ENTRY_COLUMNS, type EntryRow, rowParameters, selectRows, toEntryRow } from './entry-rows.js';
import { type SubjectVault } from './subject-vault.js';

/** A value that the log commits to without showing it: a prompt, a rationale, a comment. */
export interface SealedValue {
  readonly value: string;
  /** The data subject under whose key the opening is kept. */
  readonly subjectId: string;
}

type WithoutEnvelope<T> = T extends unknown ? Omit<T, 'at' | 'sealed'> : never;

/** An entry as its author knows it: the time and the commitments are added here. */
export type PlainEntry = WithoutEnvelope<EntryInput> & {
  /** The project (UUID) under which people will look for it. */
  readonly projectId?: string | undefined;
};
export type NewEntry = PlainEntry & {
  readonly sealed?: Readonly<Record<string, SealedValue>>;
  /** Commitments whose openings the caller keeps: to what is secret and of no person, so that no erasure takes it. */
  readonly committed?: Readonly<Record<string, string>>;
};

/**
 * Writes entries into the outbox of the log, in the caller's own transaction: the business change and its entries
 * are committed together or not at all. The sequencer gives them their indices afterwards.
 *
 * The entries of one transaction are written by one statement, the last before COMMIT.
 */
export class AppendEntry {
  /** Entries of open transactions. A transaction that is rolled back is forgotten with its object. */
  private readonly unwritten = new WeakMap<Tx, EntryRow[]>();

  constructor(
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
    private readonly wakeSequencer: () => void,
  ) {}

  /**
   * @returns the entry's id (UUID), by which it can be found before and after it has an index.
   * @throws TlogError malformed, limit_exceeded
   */
  async append(tx: Tx, entry: NewEntry): Promise<string> {
    const entryId = newId();
    const { sealed, committed, projectId, ...visible } = entry;
    const commitments = { ...committed, ...(await this.sealValues(tx, entryId, sealed ?? {})) };
    const input = {
      ...visible,
      at: this.clock.now().toISOString(),
      ...(Object.keys(commitments).length > 0 ? { sealed: commitments } : {}),
    } as EntryInput;
    this.rowsOf(tx).push(toEntryRow(entryId, input, projectId));
    return entryId;
  }

  private rowsOf(tx: Tx): EntryRow[] {
    const known = this.unwritten.get(tx);
    if (known) return known;
    const rows: EntryRow[] = [];
    this.unwritten.set(tx, rows);
    tx.beforeCommit(() =>
      tx.send(
        `INSERT INTO audit_pending (organization_id, ${ENTRY_COLUMNS})
         SELECT $1, ${ENTRY_COLUMNS} FROM (${selectRows(2)}) AS rows ORDER BY ordinality`,
        [tx.organizationId, ...rowParameters(rows)],
        cannotBeWritten,
      ),
    );
    tx.afterCommit(this.wakeSequencer);
    return rows;
  }

  private async sealValues(
    tx: Tx,
    entryId: string,
    values: Readonly<Record<string, SealedValue>>,
  ): Promise<Record<string, string>> {
    const openings = Object.entries(values).map(([field, { value, subjectId }]) => ({
      field,
      value,
      subjectId,
      ...seal(value),
    }));
    for (const { field, value, subjectId, opening } of openings) {
      const plain = JSON.stringify({ salt: Buffer.from(opening.salt).toString('base64url'), value });
      // The opening's key is created on first use, and a foreign key keeps openings from outliving it.
      const sealedOpening = await this.vault.encrypt(tx, subjectId, plain);
      tx.send(
        `INSERT INTO audit_opening (organization_id, entry_id, field, subject_id, sealed_opening)
         VALUES ($1, $2, $3, $4, $5)`,
        [tx.organizationId, entryId, field, subjectId, sealedOpening],
      );
    }
    return Object.fromEntries(openings.map(({ field, commitment }) => [field, commitment]));
  }
}

/** Whatever the reason (disk full, a trigger, a revoked right): nothing is done that cannot be written down. */
function cannotBeWritten(error: unknown): unknown {
  if (isRetryable(error) || isAborted(error)) return error;
  return new ColophonError('audit_unavailable', 'The log cannot be written to at the moment.', {
    cause: error,
  });
}
