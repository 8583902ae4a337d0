import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { askUntil } from '../../shared/ask-until.js';
import { ColophonError } from '../../shared/errors.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import { type Checkpoint, type ParsedCheckpoint } from '../core/checkpoint.js';
import { type EntryType } from '../core/entry-types.js';
import { inclusionProofByReader, inclusionProofFromTiles, TileHashReader } from '../core/tile-reading.js';
import { formatTlogProof } from '../core/tlog-proof.js';
import { type AnchoredCheckpoints } from './anchored-checkpoints.js';
import { type LogKeys } from './log-keys.port.js';
import { openOwnCheckpoint } from './own-checkpoint.js';
import { asLogDamage, logDamaged, PublishedLeaves } from './published-leaves.js';
import { CHECKPOINT_PATH } from './publish-log.js';
import { tileReaderOf } from './published-tiles.js';
import { selectEntries } from './select-entries.js';
import { type TileStores } from './tile-store.port.js';

export interface LoggedEntry {
  readonly entryId: string;
  /** `undefined` while the entry is committed but has no index yet. */
  readonly index: number | undefined;
  readonly type: string;
  readonly recordedAt: Date;
  /** UUID; for searching only, the canonical bytes name the project where it belongs to the fact. */
  readonly projectId: string | undefined;
  /** Canonical bytes, as hashed. */
  readonly entry: Buffer;
}

/** Which entries; all conditions hold at once. Times are those of the entries, the operator's clock. */
export interface EntryFilter {
  readonly type?: string | undefined;
  /** Public id of what the entry is about, e.g. `ast_...`. */
  readonly subjectId?: string | undefined;
  readonly actorId?: string | undefined;
  /** UUID. */
  readonly projectId?: string | undefined;
  readonly recordedFrom?: Date | undefined;
  /** Exclusive. */
  readonly recordedUntil?: Date | undefined;
}

export interface PublishedCheckpoint {
  readonly checkpoint: ParsedCheckpoint;
  /** The signed note, as published. */
  readonly note: Uint8Array;
  /** The newest key of the log that signed it. */
  readonly vkey: string;
}

/** A page of the log: entries with `fromIndex <= index < untilIndex` that meet the filter. */
export interface EntryPage extends EntryFilter {
  readonly fromIndex: number;
  /** Exclusive; without it up to the end of the log. */
  readonly untilIndex?: number | undefined;
  readonly limit: number;
}

/**
 * Tells that somebody waits for the publication of a log, and calls `changed` after each one. A hint only: a log may be
 * published by another process. @returns ends this
 */
export type FollowPublication = (organizationId: string, changed: () => void) => () => void;

interface EntryRow {
  entry_id: string;
  index: string | null;
  entry_type: string;
  recorded_at: Date;
  project_id: string | null;
  entry: Buffer;
}

const COLUMNS = 'entry_id, index, entry_type, recorded_at, project_id, entry';
const PENDING_COLUMNS = 'entry_id, NULL, entry_type, recorded_at, project_id, entry';

const WAIT_STEP_MS = 25;

/** The log for people and reports: entries from the database, proofs from the published tiles. */
export class ReadLog {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly stores: TileStores,
    private readonly keys: LogKeys,
    private readonly anchored: AnchoredCheckpoints,
    private readonly follow: FollowPublication = () => () => undefined,
  ) {}

  /** Entries from `fromIndex` on, ascending. */
  async list(organizationId: string, page: EntryPage): Promise<LoggedEntry[]> {
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      selectEntries<EntryRow>(tx, COLUMNS, page),
    );
    return rows.map(toEntry);
  }

  /** @throws ColophonError `not_found`, `log_damaged` when it is not the entry that was published */
  async byIndex(organizationId: string, index: number): Promise<LoggedEntry> {
    // Before the row: what is published now was integrated before, so a row that is missing then is damage.
    const published = await this.publishedIfAny(organizationId);
    const [row] = await this.organizationTx.run(organizationId, (tx) =>
      tx.query<EntryRow>(`SELECT ${COLUMNS} FROM audit_entry WHERE organization_id = $1 AND index = $2`, [
        organizationId,
        index,
      ]),
    );
    if (!row && published !== undefined && index < published.size)
      throw logDamaged(`Entry ${index} was published, and is missing from the database.`);
    if (!row) throw new ColophonError('not_found', 'The log has no entry with this index.');
    return this.requirePublished(organizationId, toEntry(row), published);
  }

  /**
   * Also an entry that has no index yet.
   * @throws ColophonError `not_found`, `log_damaged` when it is not the entry that was published
   */
  async byId(organizationId: string, entryId: string): Promise<LoggedEntry> {
    const [entry] = await this.organizationTx.run(organizationId, (tx) => this.byIds(tx, [entryId]));
    if (!entry) throw new ColophonError('not_found', 'The log has no entry with this id.');
    return this.requirePublished(organizationId, entry, await this.publishedIfAny(organizationId));
  }

  /** A row that was changed behind our back is not shown as if it were the entry. */
  private async requirePublished(
    organizationId: string,
    entry: LoggedEntry,
    published: Checkpoint | undefined,
  ): Promise<LoggedEntry> {
    if (published !== undefined)
      await new PublishedLeaves(this.stores.ofLog(organizationId), published).require([entry]);
    return entry;
  }

  /** Committed entries by id, integrated or pending, in no particular order. */
  async byIds(tx: Tx, entryIds: readonly string[]): Promise<LoggedEntry[]> {
    const rows = await tx.query<EntryRow>(
      `SELECT ${COLUMNS} FROM audit_entry
        WHERE organization_id = $1 AND entry_id = ANY($2::uuid[])
       UNION ALL
       SELECT ${PENDING_COLUMNS} FROM audit_pending
        WHERE organization_id = $1 AND entry_id = ANY($2::uuid[])`,
      [tx.organizationId, entryIds],
    );
    return rows.map(toEntry);
  }

  /**
   * Committed entries about any of these subjects, integrated or pending.
   * @param without types that are left out
   */
  async bySubjects(
    tx: Tx,
    subjectIds: readonly string[],
    without: readonly EntryType[] = [],
  ): Promise<LoggedEntry[]> {
    const rows = await tx.query<EntryRow>(
      `SELECT ${COLUMNS} FROM audit_entry
        WHERE organization_id = $1 AND subject_id = ANY($2::text[]) AND entry_type <> ALL($3::text[])
       UNION ALL
       SELECT ${PENDING_COLUMNS} FROM audit_pending
        WHERE organization_id = $1 AND subject_id = ANY($2::text[]) AND entry_type <> ALL($3::text[])
       ORDER BY 2 NULLS LAST`,
      [tx.organizationId, subjectIds, without],
    );
    return rows.map(toEntry);
  }

  async published(organizationId: string): Promise<PublishedCheckpoint> {
    const note = await this.stores.ofLog(organizationId).read(CHECKPOINT_PATH);
    const keys = await this.keys.ofLog(organizationId);
    if (note === undefined)
      throw new ColophonError('audit_unavailable', 'The log has no published checkpoint yet.');
    try {
      const { checkpoint, signedBy } = openOwnCheckpoint(note, keys);
      return { checkpoint, note, vkey: signedBy.vkey };
    } catch (error) {
      throw asLogDamage(error);
    }
  }

  /**
   * The published checkpoint, after waiting for it to cover what is committed now. When that does not happen in time,
   * the one that there is: it says itself how far it reaches.
   */
  async settled(organizationId: string, timeoutMs: number): Promise<PublishedCheckpoint> {
    const [row] = await this.organizationTx.run(organizationId, (tx) =>
      tx.query<{ size: string }>(
        `SELECT size + (SELECT count(*) FROM audit_pending WHERE organization_id = $1) AS size
           FROM audit_log WHERE organization_id = $1`,
        [organizationId],
      ),
    );
    await askUntil(
      () => this.publishedSize(organizationId),
      (size) => size >= Number(row?.size),
      { timeoutMs, stepMs: WAIT_STEP_MS, follow: (changed) => this.follow(organizationId, changed) },
    );
    return this.published(organizationId);
  }

  /** Entries under the published checkpoint; 0 when there is none. */
  async publishedSize(organizationId: string): Promise<number> {
    return (await this.publishedIfAny(organizationId))?.size ?? 0;
  }

  /** @throws ColophonError `log_damaged` when the published checkpoint is not one that this log signed */
  private async publishedIfAny(organizationId: string): Promise<Checkpoint | undefined> {
    const note = await this.stores.ofLog(organizationId).read(CHECKPOINT_PATH);
    if (note === undefined) return undefined;
    const keys = await this.keys.ofLog(organizationId);
    try {
      return openOwnCheckpoint(note, keys).checkpoint;
    } catch (error) {
      throw asLogDamage(error);
    }
  }

  /**
   * The newest checkpoint that meets the witness policy and covers an entry; otherwise the newest one of all. The same
   * when only retired keys signed the former: who knows the keys of today could not verify it.
   */
  async bestCheckpoint(organizationId: string, index: number): Promise<PublishedCheckpoint> {
    const witnessed = await this.organizationTx.run(organizationId, (tx) =>
      this.anchored.newestWitnessed(tx, index),
    );
    if (witnessed === undefined) return this.published(organizationId);
    const keys = await this.keys.ofLog(organizationId);
    const { checkpoint, signedBy, isByActiveKey } = openOwnCheckpoint(witnessed.note, keys);
    if (!isByActiveKey) return this.published(organizationId);
    return { checkpoint, note: witnessed.note, vkey: signedBy.vkey };
  }

  /** A C2SP tlog-proof of one entry, under the best checkpoint that covers it unless another one is asked for. */
  async proof(organizationId: string, index: number, under?: PublishedCheckpoint): Promise<Buffer> {
    const { checkpoint, note } = under ?? (await this.bestCheckpoint(organizationId, index));
    if (index >= checkpoint.size) {
      throw new ColophonError('not_found', 'No published checkpoint covers an entry with this index yet.');
    }
    const tiles = tileReaderOf(this.stores.ofLog(organizationId));
    const { proof } = await inclusionProofFromTiles(tiles, index, checkpoint.size, checkpoint.root);
    return formatTlogProof({ index, hashes: proof, checkpoint: note });
  }

  /** C2SP tlog-proofs of several entries under one checkpoint, in the order of the indices; tiles are read once. */
  async proofs(
    organizationId: string,
    indices: readonly number[],
    { checkpoint, note }: PublishedCheckpoint,
  ): Promise<Buffer[]> {
    const reader = new TileHashReader(tileReaderOf(this.stores.ofLog(organizationId)), checkpoint.size);
    return mapInOrder(indices, async (index) => {
      if (index >= checkpoint.size)
        throw new ColophonError('not_found', 'The checkpoint does not cover an entry with this index.');
      const { proof } = await inclusionProofByReader(reader, index, checkpoint);
      return formatTlogProof({ index, hashes: proof, checkpoint: note });
    });
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
    const found = await askUntil(
      () => this.ifPublished(organizationId, entryIds),
      (answer) => answer !== undefined,
      { timeoutMs, stepMs: WAIT_STEP_MS, follow: (changed) => this.follow(organizationId, changed) },
    );
    if (found === undefined)
      throw new ColophonError('audit_unavailable', 'The log has not published these entries yet.');
    return found;
  }

  private async ifPublished(
    organizationId: string,
    entryIds: readonly string[],
  ): Promise<{ entries: LoggedEntry[]; published: PublishedCheckpoint } | undefined> {
    const entries = await this.organizationTx.run(organizationId, (tx) => this.byIds(tx, entryIds));
    if (entries.length < entryIds.length)
      throw new ColophonError('internal', 'An entry of this organization is missing from the log.');
    if (entries.some(({ index }) => index === undefined)) return undefined;
    const published = await this.published(organizationId);
    const { size } = published.checkpoint;
    return entries.every(({ index }) => (index ?? Infinity) < size) ? { entries, published } : undefined;
  }
}

function toEntry(row: EntryRow): LoggedEntry {
  return {
    entryId: row.entry_id,
    index: row.index === null ? undefined : Number(row.index),
    type: row.entry_type,
    recordedAt: row.recorded_at,
    projectId: row.project_id ?? undefined,
    entry: row.entry,
  };
}
