import type pg from 'pg';
import { type Clock } from '../../shared/clock.js';
import { signCheckpoint } from '../core/checkpoint.js';
import { CompactRange } from '../core/compact-range.js';
import { cosignedNote } from '../core/cosigned-note.js';
import { growLog } from '../core/tile-growth.js';
import { TILE_WIDTH, tilePath } from '../core/tiles.js';
import { TlogError } from '../core/tlog-error.js';
import { type LogKeyRing, type LogKeys } from './log-keys.port.js';
import { lacksSignature, openOwnCheckpoint, signedByAllKeys } from './own-checkpoint.js';
import { withOwnConnection } from './own-connection.js';
import { tileReaderOf } from './published-tiles.js';
import { type TileStore, type TileStores } from './tile-store.port.js';
import { findEntriesAhead, findOtherHistory } from './written-before.js';

export const CHECKPOINT_PATH = 'checkpoint';

/**
 * Entries that are turned into tiles at once: bounds the memory of a large backlog, and the time for which nothing else
 * in this process is done while they are hashed. A multiple of the tile width.
 */
const SLICE = 4_096;

/** Signing would fork the log: what others have seen of it and what the database holds are not one history. */
export class ForkRefusedError extends Error {
  constructor(origin: string, reason: string) {
    super(
      `Refusing to sign a checkpoint for ${origin}: ${reason}. ` +
        'The database was probably restored from a backup older than the published log. See docs/operations.md.',
    );
    this.name = 'ForkRefusedError';
  }
}

interface CheckpointRow {
  size: string;
  edge: Buffer[];
  note: string;
}

/**
 * Writes tiles and the signed checkpoint for what the database has integrated. Each step can be repeated:
 * tiles and bundles are a function of the entries, and a checkpoint that was recorded is published as it was signed.
 *
 * Crash after the tiles: they are written again with the same bytes. Crash after the checkpoint row: the same note
 * is written to the store. The store's checkpoint is the second witness against a rewound database.
 */
export class PublishLog {
  constructor(
    private readonly pool: pg.Pool,
    private readonly stores: TileStores,
    private readonly keys: LogKeys,
    private readonly clock: Clock,
    /** Those whose word against signing counts, as audit_anchor_state names them: the witnesses of the policy. */
    private readonly witnesses: readonly string[] = [],
  ) {}

  /**
   * One publication of a log at a time, in all processes: a slower one would put its older checkpoint over a newer
   * one. The lock belongs to the session, so it ends with a process that dies, and with a connection that breaks: so
   * it is asked for once more before a checkpoint becomes visible, and who finds it gone has failed and comes again.
   *
   * Also adds what the newest checkpoint has got since: cosignatures, and the signature of a new key of the log.
   *
   * @returns the published size. @throws ForkRefusedError
   */
  async publish(organizationId: string): Promise<number> {
    return withOwnConnection(this.pool, async (client) => {
      await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`publish ${organizationId}`]);
      const size = await this.publishAlone(client, organizationId);
      // After a failure it ends with the connection, which is thrown away then.
      await client.query('SELECT pg_advisory_unlock_all()');
      return size;
    });
  }

  private async publishAlone(client: pg.PoolClient, organizationId: string): Promise<number> {
    const store = this.stores.ofLog(organizationId);
    const key = await this.keys.ofLog(organizationId);
    const log = new LogRecords(client, organizationId);
    const head = await log.head();
    let bytes = await store.read(CHECKPOINT_PATH);
    const first = bytes === undefined ? await log.anyCheckpoint() : undefined;
    if (first !== undefined && Number(first.size) < head.size) {
      // The first publication was interrupted. What was signed is published before a second one is signed: several
      // recorded checkpoints and none in the store mean that the store was lost.
      bytes = await this.advance(log, store, key, bytes, rangeOf(first));
    }
    await this.advance(log, store, key, bytes, head);
    return head.size;
  }

  /** @returns the checkpoint that is published now */
  private async advance(
    log: LogRecords,
    store: TileStore,
    key: LogKeyRing,
    bytes: Uint8Array | undefined,
    head: CompactRange,
  ): Promise<Uint8Array> {
    const published = await publishedRange(log, key, bytes);
    if (published.size > head.size) {
      throw new ForkRefusedError(
        key.origin,
        `published are ${published.size} entries, the database holds ${head.size}`,
      );
    }
    const ahead = await findEntriesAhead(store, log.headSize);
    if (ahead !== undefined)
      throw new ForkRefusedError(key.origin, `${ahead} holds entries that the database does not have`);
    const isNew = bytes === undefined || head.size > published.size;
    if (isNew) await this.grow(log, store, key, published, head);
    const signed = await this.signedByNewKeys(log, key, isNew ? head : published);
    const note = cosignedNote(signed, await log.cosignatures(head.size));
    if (bytes === undefined || !note.equals(bytes))
      await store.write(CHECKPOINT_PATH, note, () => log.requireConnection());
    if (isNew) await removeOutgrownPartials(store, published, head);
    return note;
  }

  private async grow(
    log: LogRecords,
    store: TileStore,
    key: LogKeyRing,
    published: CompactRange,
    head: CompactRange,
  ): Promise<void> {
    const conflict = await log.conflict(this.witnesses);
    if (conflict !== undefined) throw new ForkRefusedError(key.origin, conflict);
    await writeTiles(log, store, key.origin, published, head);
    const checkpoint = { origin: key.origin, size: head.size, root: head.root() };
    const signers = key.active.map(({ signer }) => signer);
    const note = await signCheckpoint(checkpoint, signers);
    // The row comes before the file: no checkpoint is ever seen by others that we do not remember ourselves.
    await log.recordCheckpoint(head, note, this.clock.now());
  }

  /** A key that was added after a checkpoint was recorded signs the same text: never another root of the same size. */
  private async signedByNewKeys(log: LogRecords, key: LogKeyRing, range: CompactRange): Promise<Buffer> {
    const note = await log.noteOf(range.size);
    if (!lacksSignature(note, key)) return note;
    const conflict = await log.conflict(this.witnesses);
    if (conflict !== undefined) throw new ForkRefusedError(key.origin, conflict);
    try {
      return await signedByAllKeys(note, key, { size: range.size, root: range.root() });
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
      throw new ForkRefusedError(key.origin, `${error.message} than the published one of size ${range.size}`);
    }
  }
}

/** What the database remembers of one log. */
class LogRecords {
  /** Entries of the log, when its head was read last. */
  headSize = 0;

  constructor(
    private readonly client: pg.PoolClient,
    private readonly organizationId: string,
  ) {}

  async head(): Promise<CompactRange> {
    const { rows } = await this.client.query<{ size: string; edge: Buffer[] }>(
      'SELECT size, edge FROM audit_log WHERE organization_id = $1',
      [this.organizationId],
    );
    const [row] = rows;
    if (!row) throw new Error(`organization ${this.organizationId} has no log`);
    this.headSize = Number(row.size);
    return new CompactRange(this.headSize, row.edge);
  }

  /** What a witness said that rules out signing, if any did. */
  async conflict(witnesses: readonly string[]): Promise<string | undefined> {
    const { rows } = await this.client.query<{ conflict: string }>(
      `SELECT conflict FROM audit_anchor_state
        WHERE organization_id = $1 AND kind = 'witness' AND name = ANY($2) AND conflict IS NOT NULL LIMIT 1`,
      [this.organizationId, witnesses],
    );
    return rows[0]?.conflict;
  }

  async checkpoint(size: number): Promise<CheckpointRow | undefined> {
    const { rows } = await this.client.query<CheckpointRow>(
      'SELECT size, edge, note FROM audit_checkpoint WHERE organization_id = $1 AND size = $2',
      [this.organizationId, size],
    );
    return rows[0];
  }

  async noteOf(size: number): Promise<Buffer> {
    const row = await this.checkpoint(size);
    if (!row) throw new Error(`no checkpoint of size ${size} is recorded`);
    return Buffer.from(row.note, 'utf8');
  }

  async anyCheckpoint(): Promise<CheckpointRow | undefined> {
    const { rows } = await this.client.query<CheckpointRow>(
      'SELECT size, edge, note FROM audit_checkpoint WHERE organization_id = $1 ORDER BY size LIMIT 1',
      [this.organizationId],
    );
    return rows[0];
  }

  /** Rejects when the session has ended, and with it the lock: another process may be publishing. */
  async requireConnection(): Promise<void> {
    await this.client.query('SELECT 1');
  }

  async hasSeveralCheckpoints(): Promise<boolean> {
    const { rowCount } = await this.client.query(
      'SELECT 1 FROM audit_checkpoint WHERE organization_id = $1 LIMIT 2',
      [this.organizationId],
    );
    return rowCount === 2;
  }

  async cosignatures(size: number): Promise<string[]> {
    const { rows } = await this.client.query<{ cosignature: string }>(
      'SELECT cosignature FROM audit_cosignature WHERE organization_id = $1 AND size = $2 ORDER BY witness',
      [this.organizationId, size],
    );
    return rows.map(({ cosignature }) => cosignature);
  }

  async entries(from: number, until: number): Promise<Buffer[]> {
    // Binary, because text would be hexadecimal. The driver can do it, though its types do not say so.
    const query = {
      text: `SELECT entry FROM audit_entry WHERE organization_id = $1 AND index >= $2 AND index < $3 ORDER BY index`,
      values: [this.organizationId, from, until],
      binary: true,
      types: { getTypeParser: () => asReceived },
    };
    const { rows } = await this.client.query<{ entry: Buffer }>(query);
    return rows.map(({ entry }) => entry);
  }

  async recordCheckpoint(head: CompactRange, note: Buffer, signedAt: Date): Promise<void> {
    await this.client.query(
      `INSERT INTO audit_checkpoint (organization_id, size, edge, note, signed_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (organization_id, size) DO NOTHING`,
      [this.organizationId, head.size, head.edge, note.toString('utf8'), signedAt],
    );
  }
}

function rangeOf({ size, edge }: CheckpointRow): CompactRange {
  return new CompactRange(Number(size), edge);
}

function asReceived(value: Buffer): Buffer {
  return value;
}

/** What the store shows to the world, checked against what we recorded when we signed it. Empty when it shows nothing. */
async function publishedRange(
  log: LogRecords,
  key: LogKeyRing,
  bytes: Uint8Array | undefined,
): Promise<CompactRange> {
  if (bytes === undefined) {
    // One recorded checkpoint and an empty store: the first publication was interrupted. More: the store was lost.
    if (await log.hasSeveralCheckpoints())
      throw new ForkRefusedError(key.origin, 'its published checkpoint is missing');
    return CompactRange.empty();
  }
  const { checkpoint } = openOwnCheckpoint(bytes, key);
  const row = await log.checkpoint(checkpoint.size);
  if (!row) {
    throw new ForkRefusedError(
      key.origin,
      `a checkpoint of size ${checkpoint.size} is published that this database never signed`,
    );
  }
  const range = rangeOf(row);
  if (!Buffer.from(range.root()).equals(checkpoint.root)) {
    throw new ForkRefusedError(key.origin, `the published root of size ${checkpoint.size} is another one`);
  }
  return range;
}

async function writeTiles(
  log: LogRecords,
  store: TileStore,
  origin: string,
  published: CompactRange,
  head: CompactRange,
): Promise<void> {
  let range = published;
  while (range.size < head.size) {
    // Slices end where tiles end, so that they leave no partial tiles on the lowest level.
    const until = Math.min(head.size, (Math.floor(range.size / SLICE) + 1) * SLICE);
    const growth = await growLog(range, await log.entries(range.size, until), tileReaderOf(store));
    if (growth.range.size !== until) throw entriesDoNotLead(origin);
    if (until === head.size && !Buffer.from(growth.range.root()).equals(head.root()))
      throw entriesDoNotLead(origin);
    const other = await findOtherHistory(store, published.size, growth.tiles);
    if (other !== undefined)
      throw new ForkRefusedError(
        origin,
        `${other} holds other entries than the database, beyond the checkpoint`,
      );
    await store.writeAll(growth.tiles.map(({ tile, bytes }) => ({ path: tilePath(tile), bytes })));
    range = growth.range;
  }
}

function entriesDoNotLead(origin: string): ForkRefusedError {
  return new ForkRefusedError(origin, 'the entries do not lead to the head of the log');
}

/**
 * Partial tiles stay until the full one is there (tlog-tiles), and then only cost space: 10 MB for 256 entries that
 * were published one by one. A crash before this line leaves them lying, which harms nobody.
 */
async function removeOutgrownPartials(
  store: TileStore,
  from: CompactRange,
  head: CompactRange,
): Promise<void> {
  for (let level = 0, before = from.size, after = head.size; after >= TILE_WIDTH; level++) {
    const fullBefore = Math.floor(before / TILE_WIDTH);
    const fullAfter = Math.floor(after / TILE_WIDTH);
    // On the lowest level only the old edge can have been partial; above it, the slices of a large growth were too.
    const last = level === 0 ? Math.min(fullAfter, fullBefore + 1) : fullAfter;
    for (let index = fullBefore; index < last; index++) {
      await store.removePartials(tilePath({ level, index, width: TILE_WIDTH }));
      if (level === 0) await store.removePartials(tilePath({ level: 'entries', index, width: TILE_WIDTH }));
    }
    before = fullBefore;
    after = fullAfter;
  }
}
