import { ColophonError } from '../../shared/errors.js';
import { type Checkpoint } from '../core/checkpoint.js';
import { leafHash } from '../core/merkle.js';
import { bytesEqual } from '../core/strict-encoding.js';
import { TILE_WIDTH } from '../core/tiles.js';
import { TlogError } from '../core/tlog-error.js';
import { AuthenticTiles, hashAt } from '../verify/authentic-tiles.js';
import { tileReaderOf } from './published-tiles.js';
import { type TileStore } from './tile-store.port.js';

interface PositionedEntry {
  /** `undefined` while it is pending: nothing was published of it. */
  readonly index: number | undefined;
  readonly entry: Uint8Array;
}

/**
 * Compares rows with what was published of them, so that a row that was changed behind the application's back is
 * refused instead of shown. The tiles are not simply believed either: each is proved by the signed root.
 */
export class PublishedLeaves {
  private readonly tiles: AuthenticTiles;
  private last: { readonly tile: number; readonly bytes: Uint8Array } | undefined;

  constructor(
    store: TileStore,
    private readonly checkpoint: Checkpoint,
  ) {
    this.tiles = new AuthenticTiles([tileReaderOf(store)], checkpoint.size, checkpoint.root);
  }

  /** @throws ColophonError `log_damaged`, naming the row or the tile. Entries beyond the checkpoint pass. */
  async require(entries: readonly PositionedEntry[]): Promise<void> {
    for (const { index, entry } of entries) {
      if (index === undefined || index >= this.checkpoint.size) continue;
      const tile = Math.floor(index / TILE_WIDTH);
      if (this.last?.tile !== tile) this.last = { tile, bytes: await this.tileOf(tile) };
      if (!bytesEqual(leafHash(entry), hashAt(this.last.bytes, index % TILE_WIDTH)))
        throw logDamaged(`Entry ${index} as stored is not the entry that was published.`);
    }
  }

  private async tileOf(tile: number): Promise<Uint8Array> {
    try {
      return await this.tiles.bytes(0, tile);
    } catch (error) {
      throw logDamaged('A published tile of the log is missing or was changed.', error);
    }
  }
}

export function logDamaged(detail: string, cause?: unknown): ColophonError {
  return new ColophonError('log_damaged', detail, { cause });
}

/** What contradicts itself in the published files is damage, not an error of ours. */
export function asLogDamage(error: unknown): unknown {
  return error instanceof TlogError
    ? logDamaged('A published file of the log cannot be verified.', error)
    : error;
}
