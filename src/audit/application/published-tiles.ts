import { decodeBundle, encodeBundle } from '../core/entry-bundle.js';
import { HASH_BYTES } from '../core/merkle.js';
import { type Tile, TILE_WIDTH, tilePath, type TileReader } from '../core/tiles.js';
import { type TileStore } from './tile-store.port.js';

/** A store, or whatever else holds the files of a log. */
type ReadableLog = Pick<TileStore, 'read'>;

/**
 * Tiles and bundles as a store holds them. A partial one is removed once the full one exists, which begins with what
 * the partial one held (tlog-tiles, "Partial Tiles"): so it is cut from there.
 */
export function tileReaderOf(store: ReadableLog): TileReader {
  return {
    async readTile(tile) {
      const bytes = await findTile(store, tile);
      if (bytes === undefined) throw new Error(`the published log lacks ${tilePath(tile)}`);
      return bytes;
    },
  };
}

/** The same; `undefined` when there is no such tile. */
export async function findTile(store: ReadableLog, tile: Tile): Promise<Uint8Array | undefined> {
  return (await store.read(tilePath(tile))) ?? (await cutFromFull(store, tile));
}

async function cutFromFull(store: ReadableLog, tile: Tile): Promise<Uint8Array | undefined> {
  if (tile.width === TILE_WIDTH) return undefined;
  const full = await store.read(tilePath({ ...tile, width: TILE_WIDTH }));
  if (full === undefined) return undefined;
  if (tile.level !== 'entries') return full.subarray(0, tile.width * HASH_BYTES);
  return encodeBundle(decodeBundle(full, TILE_WIDTH).slice(0, tile.width));
}
