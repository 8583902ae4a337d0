import { HASH_BYTES, type Hash, requireSize } from './merkle.js';
import { TlogError } from './tlog-error.js';

/** Tile arithmetic of C2SP tlog-tiles: tiles of height 8, 256 hashes wide. */

const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;

/** A full hash tile: 256 x 32 bytes. */
export const FULL_TILE_BYTES = TILE_WIDTH * HASH_BYTES;

/** One immutable resource of a log: hashes of one level, or (level `entries`) the entries under a level 0 tile. */
export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  /** Hashes or entries in it: 256 when full, 1 to 255 when partial. */
  readonly width: number;
}

/** Where tiles and entry bundles come from. The reader rejects when there is no such tile. */
export interface TileReader {
  readTile(tile: Tile): Promise<Uint8Array>;
}

/** Tile levels that a tree below 2^53 can have: 256^6 < 2^53 < 256^7. */
export const MAX_TILE_LEVELS = 7;

/** Number of complete subtrees of 256^level entries in a tree of `size`: the hashes at this tile level. */
export function hashCountAtLevel(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** Width of tile `index` at `level` in a tree of `size`: 256 full, 1 to 255 partial, 0 when there is none. */
export function tileWidth(level: number | 'entries', index: number, size: number): number {
  const count = hashCountAtLevel(level === 'entries' ? 0 : level, size);
  return Math.min(TILE_WIDTH, Math.max(0, count - index * TILE_WIDTH));
}

/** `{level: 0, index: 1067, width: 3}` -> `tile/0/x001/067.p/3`; level `entries` -> `tile/entries/...`. */
export function tilePath(tile: Tile): string {
  const digits = String(tile.index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/\d{3}/g) ?? [];
  const name = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  const partial = tile.width === TILE_WIDTH ? '' : `.p/${tile.width}`;
  return `tile/${tile.level}/${name}${partial}`;
}

const TILE_PATH = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;

/** The tile that a path names, or `undefined` when it is not the one canonical spelling of a tile path. */
export function parseTilePath(path: string): Tile | undefined {
  const match = TILE_PATH.exec(path);
  if (!match) return undefined;
  const [, levelText, indexText = '', widthText] = match;
  const tile: Tile = {
    level: levelText === 'entries' ? 'entries' : Number(levelText),
    index: Number(indexText.replaceAll(/[x/]/g, '')),
    width: widthText === undefined ? TILE_WIDTH : Number(widthText),
  };
  const inRange =
    (tile.level === 'entries' || tile.level <= 63) &&
    Number.isSafeInteger(tile.index) &&
    tile.width >= 1 &&
    tile.width <= TILE_WIDTH;
  // Leading zeros, superfluous groups and a partial width of 256 do not survive the way back.
  return inRange && tilePath(tile) === path ? tile : undefined;
}

/** Whether a log with a checkpoint of `size` has this tile, be it as the partial tile of an earlier size. */
export function isTileWithin(tile: Tile, size: number): boolean {
  return tile.width >= 1 && tile.width <= tileWidth(tile.level, tile.index, size);
}

/**
 * Hash tiles to write when a tree grows, level by level: those that became full, then the partial one of the new
 * size. Tiles that did not change are left out. O((newSize - oldSize) / 256 + levels).
 */
export function tilesForGrowth(oldSize: number, newSize: number): Tile[] {
  requireGrowth(oldSize, newSize);
  const tiles: Tile[] = [];
  for (let level = 0; hashCountAtLevel(level, newSize) > 0; level++) {
    tiles.push(...changedTiles(level, hashCountAtLevel(level, oldSize), hashCountAtLevel(level, newSize)));
  }
  return tiles;
}

/** Entry bundles to write when a log grows: those that became full, then the partial one of the new size. */
export function bundlesForGrowth(oldSize: number, newSize: number): Tile[] {
  requireGrowth(oldSize, newSize);
  return changedTiles('entries', oldSize, newSize);
}

function changedTiles(level: number | 'entries', oldCount: number, newCount: number): Tile[] {
  if (oldCount === newCount) return [];
  const tiles: Tile[] = [];
  const firstPartial = Math.floor(newCount / TILE_WIDTH);
  for (let index = Math.floor(oldCount / TILE_WIDTH); index < firstPartial; index++) {
    tiles.push({ level, index, width: TILE_WIDTH });
  }
  const width = newCount % TILE_WIDTH;
  // An empty tile must not be served (tlog-tiles, "Partial Tiles").
  if (width > 0) tiles.push({ level, index: firstPartial, width });
  return tiles;
}

/** The partial hash tiles of a tree of `size`, lowest level first: its right edge. */
export function partialTiles(size: number): Tile[] {
  requireSize(size, 'tree size');
  const tiles: Tile[] = [];
  for (let level = 0; hashCountAtLevel(level, size) > 0; level++) {
    const count = hashCountAtLevel(level, size);
    const width = count % TILE_WIDTH;
    if (width > 0) tiles.push({ level, index: Math.floor(count / TILE_WIDTH), width });
  }
  return tiles;
}

/** The tile that holds hash `index` of tree level `treeLevel` in a tree of `size`, and the leaves of it to join. */
export interface TileSlice {
  readonly tile: Tile;
  readonly start: number;
  readonly end: number;
}

/**
 * Where a complete subtree is found in tiles: level l lies in tile level floor(l / 8), where it is the root of
 * 2^(l mod 8) neighboring hashes.
 */
export function tileSlice(treeLevel: number, index: number, size: number): TileSlice {
  const level = Math.floor(treeLevel / TILE_HEIGHT);
  const span = 2 ** (treeLevel % TILE_HEIGHT);
  const first = index * span;
  const tileIndex = Math.floor(first / TILE_WIDTH);
  const width = tileWidth(level, tileIndex, size);
  const start = first - tileIndex * TILE_WIDTH;
  if (start + span > width) {
    throw new TlogError(
      'out_of_range',
      `no complete subtree ${treeLevel}/${index} in a tree of size ${size}`,
    );
  }
  return { tile: { level, index: tileIndex, width }, start, end: start + span };
}

export function encodeTile(hashes: readonly Hash[]): Buffer {
  return Buffer.concat(hashes);
}

/** The hashes of a tile. @throws TlogError malformed unless it has exactly `width` of them */
export function decodeTile(bytes: Uint8Array, width: number): Hash[] {
  if (bytes.length !== width * HASH_BYTES) {
    throw new TlogError(
      'malformed',
      `the tile has ${bytes.length} bytes, ${width} hashes have ${width * HASH_BYTES}`,
    );
  }
  return Array.from({ length: width }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

function requireGrowth(oldSize: number, newSize: number): void {
  requireSize(oldSize, 'old size');
  requireSize(newSize, 'new size');
  if (oldSize > newSize)
    throw new TlogError('out_of_range', `a log does not shrink from ${oldSize} to ${newSize}`);
}
