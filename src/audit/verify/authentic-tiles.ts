import { HASH_BYTES, type Hash, treeRoot } from '../core/merkle.js';
import { bytesEqual } from '../core/strict-encoding.js';
import { rootOfEdge } from '../core/tile-growth.js';
import {
  decodeTile,
  partialTiles,
  type Tile,
  tilePath,
  TILE_WIDTH,
  type TileReader,
  tileWidth,
} from '../core/tiles.js';
import { TlogError } from '../core/tlog-error.js';

/** Tiles kept for each level: several readers walk along the log close to each other. */
const KEPT_PER_LEVEL = 8;

/**
 * Hash tiles of one tree, none of which is handed out before it is proved to be part of it: the partial tiles of the
 * right edge by the signed root, every full tile by the hash that the tile above it holds. A tile that was changed is
 * found when it is read, and named. Constant memory; at most one tile for each level is read to prove another.
 */
export class AuthenticTiles implements TileReader {
  /** Bytes, not hashes: 256 small objects for each tile would outlive many pages of a long walk. */
  readonly #kept = new Map<number, Map<number, Promise<Uint8Array>>>();
  #edge: Promise<ReadonlyMap<number, Uint8Array>> | undefined;

  /** @param sources places to take a tile from; the first that has the right one is believed */
  constructor(
    private readonly sources: readonly TileReader[],
    private readonly size: number,
    private readonly root: Hash,
  ) {}

  /** The hashes of a tile as it is in this tree, one after the other. @throws TlogError tile_mismatch, out_of_range */
  bytes(level: number, index: number): Promise<Uint8Array> {
    const width = tileWidth(level, index, this.size);
    if (width === 0) throw new TlogError('out_of_range', 'the tree has no such tile');
    if (width < TILE_WIDTH) return this.#edgeTile(level);
    const kept = this.#kept.get(level) ?? new Map<number, Promise<Uint8Array>>();
    this.#kept.set(level, kept);
    const known = kept.get(index);
    if (known) return known;
    const read = this.#fullTile({ level, index, width });
    // It is awaited by whoever asked; a failure is not kept, another source may have come back.
    read.catch(() => kept.delete(index));
    kept.set(index, read);
    const [oldest] = kept.keys();
    if (kept.size > KEPT_PER_LEVEL && oldest !== undefined) kept.delete(oldest);
    return read;
  }

  async readTile(tile: Tile): Promise<Uint8Array> {
    if (tile.level === 'entries') throw new TlogError('out_of_range', 'a bundle is not a hash tile');
    return (await this.bytes(tile.level, tile.index)).subarray(0, tile.width * HASH_BYTES);
  }

  async #fullTile(tile: Tile & { readonly level: number }): Promise<Uint8Array> {
    const above = await this.bytes(tile.level + 1, Math.floor(tile.index / TILE_WIDTH));
    const expected = hashAt(above, tile.index % TILE_WIDTH);
    return this.#firstOf(
      async (source) => {
        const bytes = await source.readTile(tile);
        return bytesEqual(treeRoot(decodeTile(bytes, TILE_WIDTH)), expected) ? bytes : undefined;
      },
      () => `${tilePath(tile)}: not the tile that lies under the signed root`,
    );
  }

  async #edgeTile(level: number): Promise<Uint8Array> {
    this.#edge ??= this.#readEdge();
    this.#edge.catch(() => (this.#edge = undefined));
    return (await this.#edge).get(level) as Uint8Array;
  }

  #readEdge(): Promise<ReadonlyMap<number, Uint8Array>> {
    const tiles = partialTiles(this.size);
    return this.#firstOf(
      async (source) => {
        const edge = new Map<number, Uint8Array>();
        const levels: Hash[][] = [];
        for (const tile of tiles) {
          const bytes = await source.readTile(tile);
          edge.set(tile.level as number, bytes);
          levels[tile.level as number] = decodeTile(bytes, tile.width);
        }
        const filled = Array.from(levels, (hashes) => hashes ?? []);
        return bytesEqual(rootOfEdge(filled), this.root) ? edge : undefined;
      },
      () => `${tiles.map(tilePath).join(', ')}: the rightmost tiles do not lead to the signed root`,
    );
  }

  /** The answer of the first source that has a right one; the reason of the last one when none has. */
  async #firstOf<T>(read: (source: TileReader) => Promise<T | undefined>, wrong: () => string): Promise<T> {
    let reason: Error | undefined;
    for (const source of this.sources) {
      try {
        const found = await read(source);
        if (found !== undefined) return found;
        reason = undefined;
      } catch (error) {
        reason = error as Error;
      }
    }
    if (reason !== undefined && !(reason instanceof TlogError)) throw reason;
    const why = reason === undefined ? '' : ` (${reason.message})`;
    throw new TlogError('tile_mismatch', `${wrong()}${why}`);
  }
}

/** Hash number `position` of a tile, as a view of its bytes. */
export function hashAt(tile: Uint8Array, position: number): Hash {
  return tile.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES);
}
