import type pg from 'pg';
import { type Clock } from '../../shared/clock.js';
import { openCheckpoint, signCheckpoint } from '../core/checkpoint.js';
import { CompactRange } from '../core/compact-range.js';
import { growLog, type TileContent } from '../core/tile-growth.js';
import { tilePath, type TileReader } from '../core/tiles.js';
import { type LogKey, type LogKeys } from './log-keys.port.js';
import { type TileStore, type TileStores } from './tile-store.port.js';

export const CHECKPOINT_PATH = 'checkpoint';

/** Signing would fork the log: what is published and what the database holds are not one history. */
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
  ) {}

  /**
   * One publication of a log at a time, in all processes: a slower one would put its older checkpoint over a newer
   * one. The lock belongs to the session, so it ends with a process that dies.
   *
   * @returns the published size. @throws ForkRefusedError
   */
  async publish(organizationId: string): Promise<number> {
    const client = await this.pool.connect();
    try {
      await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`publish ${organizationId}`]);
      return await this.publishAlone(organizationId);
    } finally {
      await client.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
      client.release();
    }
  }

  private async publishAlone(organizationId: string): Promise<number> {
    const store = this.stores.ofLog(organizationId);
    const key = await this.keys.ofLog(organizationId);
    const head = await this.head(organizationId);
    const published = await this.published(organizationId, store, key);
    if (published !== undefined && published.size > head.size) {
      throw new ForkRefusedError(
        key.origin,
        `published are ${published.size} entries, the database holds ${head.size}`,
      );
    }
    if (published?.size === head.size) return head.size;
    const from = published ?? CompactRange.empty();
    if (head.size > from.size) await this.writeTiles(organizationId, store, from, head);
    const note = await this.recordCheckpoint(organizationId, key, head);
    await store.write(CHECKPOINT_PATH, note);
    return head.size;
  }

  private async head(organizationId: string): Promise<CompactRange> {
    const { rows } = await this.pool.query<{ size: string; edge: Buffer[] }>(
      'SELECT size, edge FROM audit_log WHERE organization_id = $1',
      [organizationId],
    );
    const [row] = rows;
    if (!row) throw new Error(`organization ${organizationId} has no log`);
    return new CompactRange(Number(row.size), row.edge);
  }

  /** What the store shows to the world, checked against what we recorded when we signed it. */
  private async published(
    organizationId: string,
    store: TileStore,
    key: LogKey,
  ): Promise<CompactRange | undefined> {
    const bytes = await store.read(CHECKPOINT_PATH);
    const recorded = await this.recordedCheckpoints(organizationId);
    if (bytes === undefined) {
      // One recorded checkpoint and an empty store: the first publication was interrupted. More: the store was lost.
      if (recorded.length > 1) throw new ForkRefusedError(key.origin, 'its published checkpoint is missing');
      return undefined;
    }
    const { checkpoint } = openCheckpoint(bytes, { origin: key.origin, log: key.verifier });
    const [row] = await this.checkpointOfSize(organizationId, checkpoint.size);
    if (!row)
      throw new ForkRefusedError(
        key.origin,
        `a checkpoint of size ${checkpoint.size} is published that this database never signed`,
      );
    const range = new CompactRange(Number(row.size), row.edge);
    if (!Buffer.from(range.root()).equals(checkpoint.root)) {
      throw new ForkRefusedError(key.origin, `the published root of size ${checkpoint.size} is another one`);
    }
    return range;
  }

  private async recordedCheckpoints(organizationId: string): Promise<{ size: string }[]> {
    const { rows } = await this.pool.query<{ size: string }>(
      'SELECT size FROM audit_checkpoint WHERE organization_id = $1 ORDER BY size DESC LIMIT 2',
      [organizationId],
    );
    return rows;
  }

  private async checkpointOfSize(organizationId: string, size: number): Promise<CheckpointRow[]> {
    const { rows } = await this.pool.query<CheckpointRow>(
      'SELECT size, edge, note FROM audit_checkpoint WHERE organization_id = $1 AND size = $2',
      [organizationId, size],
    );
    return rows;
  }

  private async writeTiles(
    organizationId: string,
    store: TileStore,
    from: CompactRange,
    head: CompactRange,
  ): Promise<void> {
    const { rows } = await this.pool.query<{ entry: Buffer }>(
      `SELECT entry FROM audit_entry
        WHERE organization_id = $1 AND index >= $2 AND index < $3 ORDER BY index`,
      [organizationId, from.size, head.size],
    );
    const growth = await growLog(
      from,
      rows.map((row) => row.entry),
      tileReaderOf(store),
    );
    if (!Buffer.from(growth.range.root()).equals(head.root())) {
      const { origin } = await this.keys.ofLog(organizationId);
      throw new ForkRefusedError(origin, 'the entries do not lead to the head of the log');
    }
    await writeAll(store, growth.tiles);
  }

  /** The row comes before the file: no checkpoint is ever seen by others that we do not remember ourselves. */
  private async recordCheckpoint(organizationId: string, key: LogKey, head: CompactRange): Promise<Buffer> {
    const note = await signCheckpoint({ origin: key.origin, size: head.size, root: head.root() }, [
      key.signer,
    ]);
    await this.pool.query(
      `INSERT INTO audit_checkpoint (organization_id, size, edge, note, signed_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (organization_id, size) DO NOTHING`,
      [organizationId, head.size, head.edge, note.toString('utf8'), this.clock.now()],
    );
    const [row] = await this.checkpointOfSize(organizationId, head.size);
    return Buffer.from(row?.note ?? '', 'utf8');
  }
}

async function writeAll(store: TileStore, contents: readonly TileContent[]): Promise<void> {
  for (const { tile, bytes } of contents) await store.write(tilePath(tile), bytes);
}

/** A partial tile may be read from the full one, which replaces it. */
export function tileReaderOf(store: TileStore): TileReader {
  return {
    async readTile(tile) {
      const bytes = await store.read(tilePath(tile));
      if (bytes === undefined) throw new Error(`the published log lacks ${tilePath(tile)}`);
      return bytes;
    },
  };
}
