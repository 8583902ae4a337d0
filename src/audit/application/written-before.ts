import { type TileContent } from '../core/tile-growth.js';
import { type Tile, TILE_WIDTH, tilePath, tileWidth } from '../core/tiles.js';
import { type TileStore } from './tile-store.port.js';

/**
 * Looks for a file that an earlier publication wrote beyond the published checkpoint and that says something else than
 * what is to be written now. After a crash there are such files, and they say the same: entries have their indices,
 * committed, before the first of their tiles is written. A file that says something else is of another history: the
 * database and the checkpoint were put back, and what the log had signed after them was left in place.
 *
 * @param publishedSize the tree under the published checkpoint; what lies under it was authenticated before
 * @returns the path of the first one; `undefined` when there is none
 */
export async function findOtherHistory(
  store: TileStore,
  publishedSize: number,
  tiles: readonly TileContent[],
): Promise<string | undefined> {
  for (const { tile, bytes } of tiles) {
    for (const width of await widthsBeyond(store, publishedSize, tile)) {
      const path = tilePath({ ...tile, width });
      const found = await store.read(path);
      if (found !== undefined && !agree(found, bytes)) return path;
    }
  }
  return undefined;
}

/**
 * Looks for entries that were published, or were about to be, and that the database does not have. There are none: what
 * is written into tiles was committed before. Whoever finds one has a database of before.
 *
 * @returns the path of the file; `undefined` when there is none
 */
export async function findEntriesAhead(store: TileStore, headSize: number): Promise<string | undefined> {
  const tile: Tile = { level: 'entries', index: Math.floor(headSize / TILE_WIDTH), width: TILE_WIDTH };
  for (const width of await widthsBeyond(store, headSize, tile)) {
    const path = tilePath({ ...tile, width });
    if ((await store.read(path)) !== undefined) return path;
  }
  return undefined;
}

/** All forms of a tile that hold more than in a tree of this size. The full one is asked for by its name. */
async function widthsBeyond(store: TileStore, size: number, tile: Tile): Promise<number[]> {
  const within = tileWidth(tile.level, tile.index, size);
  const partials = await store.partialWidths(tilePath({ ...tile, width: TILE_WIDTH }));
  return [...partials.filter((width) => width > within && width < TILE_WIDTH), TILE_WIDTH];
}

/** Hashes follow one another, and so do entries, each after its length: the smaller form is how the larger one begins. */
function agree(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length);
  return Buffer.compare(a.subarray(0, length), b.subarray(0, length)) === 0;
}
