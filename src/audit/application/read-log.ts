import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { openCheckpoint, type ParsedCheckpoint } from '../core/checkpoint.js';
import { inclusionProofFromTiles } from '../core/tile-reading.js';
import { formatTlogProof } from '../core/tlog-proof.js';
import { type LogKeys } from './log-keys.port.js';
import { CHECKPOINT_PATH, tileReaderOf } from './publish-log.js';
import { type TileStores } from './tile-store.port.js';

export interface LoggedEntry {
  readonly entryId: string;
  /** `undefined` while the entry is committed but has no index yet. */
  readonly index: number | undefined;
  readonly type: string;
  readonly recordedAt: Date;
  /** Canonical bytes, as hashed. */
  readonly entry: Buffer;
}

export interface PublishedCheckpoint {
  readonly checkpoint: ParsedCheckpoint;
  /** The signed note, as published. */
  readonly note: Uint8Array;
}

interface EntryRow {
  entry_id: string;
  index: string | null;
  entry_type: string;
  recorded_at: Date;
  entry: Buffer;
}

const WAIT_STEP_MS = 25;

/** The log for people and reports: entries from the database, proofs from the published tiles. */
export class ReadLog {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly stores: TileStores,
    private readonly keys: LogKeys,
  ) {}

  /** Entries from `fromIndex` on, ascending, optionally of one type or about one subject. */
  async list(
    organizationId: string,
    filter: { fromIndex: number; limit: number; type: string | undefined; subjectId: string | undefined },
  ): Promise<LoggedEntry[]> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const rows = await tx.query<EntryRow>(
        `SELECT entry_id, index, entry_type, recorded_at, entry FROM audit_entry
          WHERE organization_id = $1 AND index >= $2
            AND ($3::text IS NULL OR entry_type = $3) AND ($4::text IS NULL OR subject_id = $4)
          ORDER BY index LIMIT $5`,
        [organizationId, filter.fromIndex, filter.type ?? null, filter.subjectId ?? null, filter.limit],
      );
      return rows.map(toEntry);
    });
  }

  async byIndex(organizationId: string, index: number): Promise<LoggedEntry> {
    const [row] = await this.organizationTx.run(organizationId, (tx) =>
      tx.query<EntryRow>(
        `SELECT entry_id, index, entry_type, recorded_at, entry FROM audit_entry WHERE organization_id = $1 AND index = $2`,
        [organizationId, index],
      ),
    );
    if (!row) throw new ColophonError('not_found', 'The log has no entry with this index.');
    return toEntry(row);
  }

  /** Committed entries by id, integrated or pending, in no particular order. */
  async byIds(tx: Tx, entryIds: readonly string[]): Promise<LoggedEntry[]> {
    const rows = await tx.query<EntryRow>(
      `SELECT entry_id, index, entry_type, recorded_at, entry FROM audit_entry
        WHERE organization_id = $1 AND entry_id = ANY($2::uuid[])
       UNION ALL
       SELECT entry_id, NULL, entry_type, recorded_at, entry FROM audit_pending
        WHERE organization_id = $1 AND entry_id = ANY($2::uuid[])`,
      [tx.organizationId, entryIds],
    );
    return rows.map(toEntry);
  }

  /** Committed entries about any of these subjects, integrated or pending. */
  async bySubjects(tx: Tx, subjectIds: readonly string[]): Promise<LoggedEntry[]> {
    const rows = await tx.query<EntryRow>(
      `SELECT entry_id, index, entry_type, recorded_at, entry FROM audit_entry
        WHERE organization_id = $1 AND subject_id = ANY($2::text[])
       UNION ALL
       SELECT entry_id, NULL, entry_type, recorded_at, entry FROM audit_pending
        WHERE organization_id = $1 AND subject_id = ANY($2::text[])
       ORDER BY 2 NULLS LAST`,
      [tx.organizationId, subjectIds],
    );
    return rows.map(toEntry);
  }

  async published(organizationId: string): Promise<PublishedCheckpoint> {
    const key = await this.keys.ofLog(organizationId);
    const note = await this.stores.ofLog(organizationId).read(CHECKPOINT_PATH);
    if (note === undefined)
      throw new ColophonError('audit_unavailable', 'The log has no published checkpoint yet.');
    return { checkpoint: openCheckpoint(note, { origin: key.origin, log: key.verifier }).checkpoint, note };
  }

  /** A C2SP tlog-proof of one entry under the published checkpoint. */
  async proof(organizationId: string, index: number, under?: PublishedCheckpoint): Promise<Buffer> {
    const { checkpoint, note } = under ?? (await this.published(organizationId));
    if (index >= checkpoint.size) {
      throw new ColophonError('not_found', 'No published checkpoint covers an entry with this index yet.');
    }
    const tiles = tileReaderOf(this.stores.ofLog(organizationId));
    const { proof } = await inclusionProofFromTiles(tiles, index, checkpoint.size, checkpoint.root);
    return formatTlogProof({ index, hashes: proof, checkpoint: note });
  }

  /**
   * Waits until a published checkpoint covers all these entries.
   * @throws ColophonError `audit_unavailable` after `timeoutMs`: the entries are safe, but not yet provable.
   */
  async waitUntilPublished(
    organizationId: string,
    entryIds: readonly string[],
    timeoutMs: number,
  ): Promise<{ entries: LoggedEntry[]; published: PublishedCheckpoint }> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const entries = await this.organizationTx.run(organizationId, (tx) => this.byIds(tx, entryIds));
      const indices = entries.map(({ index }) => index);
      if (entries.length < entryIds.length)
        throw new ColophonError('internal', 'An entry of this organization is missing from the log.');
      if (indices.every((index) => index !== undefined)) {
        const published = await this.published(organizationId);
        if (indices.every((index) => (index ?? Infinity) < published.checkpoint.size))
          return { entries, published };
      }
      if (Date.now() > deadline)
        throw new ColophonError('audit_unavailable', 'The log has not published these entries yet.');
      await new Promise((resolve) => setTimeout(resolve, WAIT_STEP_MS));
    }
  }
}

function toEntry(row: EntryRow): LoggedEntry {
  return {
    entryId: row.entry_id,
    index: row.index === null ? undefined : Number(row.index),
    type: row.entry_type,
    recordedAt: row.recorded_at,
    entry: row.entry,
  };
}
