import { decodeBundle } from '../core/entry-bundle.js';
import { HASH_BYTES, type Hash } from '../core/merkle.js';
import { decodeTile, type Tile, tilePath, TILE_WIDTH } from '../core/tiles.js';
import { TlogError } from '../core/tlog-error.js';
import type { LogFinding, LogSource } from './log-report.js';

/** Reads tiles and bundles of one log and reports those that are missing or malformed. */
export class TileSource {
  constructor(
    private readonly source: LogSource,
    private readonly report: (finding: LogFinding) => void,
  ) {}

  /** The hashes of a tile, or `undefined` after a finding. */
  async hashes(tile: Tile): Promise<Hash[] | undefined> {
    return this.#decode(tile, 'tile', (bytes, width) => {
      const wanted = bytes.subarray(0, tile.width * HASH_BYTES);
      return decodeTile(width === tile.width ? bytes : wanted, tile.width);
    });
  }

  /** The entries of a bundle, or `undefined` after a finding. */
  async entries(tile: Tile): Promise<Uint8Array[] | undefined> {
    return this.#decode(tile, 'bundle', (bytes, width) => decodeBundle(bytes, width).slice(0, tile.width));
  }

  async #decode<T>(
    tile: Tile,
    what: 'tile' | 'bundle',
    decode: (bytes: Uint8Array, width: number) => T,
  ): Promise<T | undefined> {
    const path = tilePath(tile);
    const found = await this.#read(tile);
    if (found === undefined) {
      this.report({ code: `${what}_missing`, path, detail: 'the file is missing' });
      return undefined;
    }
    try {
      return decode(found.bytes, found.width);
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
      this.report({ code: `${what}_malformed`, path, detail: error.message });
      return undefined;
    }
  }

  /**
   * A log may delete a partial tile once the full one exists (tlog-tiles, "Partial Tiles"): it has then grown
   * since its checkpoint was read, and the full tile begins with what the partial one held.
   */
  async #read(tile: Tile): Promise<{ bytes: Uint8Array; width: number } | undefined> {
    const bytes = await this.source.read(tilePath(tile));
    if (bytes !== undefined) return { bytes, width: tile.width };
    if (tile.width === TILE_WIDTH) return undefined;
    const full = await this.source.read(tilePath({ ...tile, width: TILE_WIDTH }));
    return full && { bytes: full, width: TILE_WIDTH };
  }
}
