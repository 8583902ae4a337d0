import { CompactRange } from './compact-range.js';
import { decodeBundle, encodeBundle } from './entry-bundle.js';
import { completeSubtrees, foldSubtrees, type Hash, leafHash, treeRoot } from './merkle.js';
import { bytesEqual } from './strict-encoding.js';
import {
  bundlesForGrowth,
  decodeTile,
  encodeTile,
  hashCountAtLevel,
  partialTiles,
  type Tile,
  TILE_WIDTH,
  type TileReader,
  tilesForGrowth,
  tileWidth,
} from './tiles.js';
import { TlogError } from './tlog-error.js';

/** A resource of the log with its bytes. Writing it twice writes the same bytes: a retry after a crash is harmless. */
export interface TileContent {
  readonly tile: Tile;
  readonly bytes: Buffer;
}

export interface TreeGrowth {
  /** The tree after the new leaves. */
  readonly range: CompactRange;
  /** Hash tiles to store before a checkpoint of the new size may be signed, lowest level first. */
  readonly tiles: TileContent[];
}

/**
 * Appends leaves to a tree and makes every hash tile that this changes. It reads only the partial tiles of the old
 * size (at most 7) and checks them against the old root, so a damaged store cannot lead to a signed fork.
 * O(new leaves + 256 x levels).
 * @throws TlogError tile_mismatch when the stored tiles contradict `range`
 */
export async function growTree(
  range: CompactRange,
  leafHashes: readonly Hash[],
  stored: TileReader,
): Promise<TreeGrowth> {
  const edge = await readEdge(range, stored);
  const levels = appendToLevels(edge, leafHashes);
  const newRange = new CompactRange(range.size + leafHashes.length, subtreesOfEdge(levels.map(partialEnd)));
  const tiles = tilesForGrowth(range.size, newRange.size).map((tile): TileContent => {
    const hashes = levels[tile.level as number] ?? [];
    // Each level starts with the hashes of its old partial tile, i.e. at a tile boundary.
    const firstTile = Math.floor(hashCountAtLevel(tile.level as number, range.size) / TILE_WIDTH);
    const start = (tile.index - firstTile) * TILE_WIDTH;
    return { tile, bytes: encodeTile(hashes.slice(start, start + tile.width)) };
  });
  return { range: newRange, tiles };
}

/** Hashes of the partial tiles, by level, authenticated against the range. */
async function readEdge(range: CompactRange, stored: TileReader): Promise<Hash[][]> {
  const edge: Hash[][] = [];
  await Promise.all(
    partialTiles(range.size).map(async (tile) => {
      edge[tile.level as number] = decodeTile(await stored.readTile(tile), tile.width);
    }),
  );
  const filled = Array.from(edge, (hashes) => hashes ?? []);
  if (!bytesEqual(rootOfEdge(filled), range.root())) {
    throw new TlogError('tile_mismatch', 'the stored partial tiles lead to another root than the head');
  }
  return filled;
}

/**
 * Root of a tree from the hashes of its partial tiles, by tile level (an empty list where there is none).
 * O(256 x levels).
 */
export function rootOfEdge(levels: readonly (readonly Hash[])[]): Hash {
  return foldSubtrees(subtreesOfEdge(levels));
}

/** The complete subtrees of such a tree, largest first: the edge of its compact range. */
function subtreesOfEdge(levels: readonly (readonly Hash[])[]): Hash[] {
  const subtrees = levels.map((hashes) =>
    completeSubtrees(0, hashes.length).map(({ level, index }) => {
      const width = 2 ** level;
      return treeRoot(hashes.slice(index * width, (index + 1) * width));
    }),
  );
  // The higher level covers the entries further left.
  return subtrees.reverse().flat();
}

/** Of the hashes of a level, which begin where a tile does, those that fill no tile. */
function partialEnd(hashes: readonly Hash[]): readonly Hash[] {
  return hashes.slice(hashes.length - (hashes.length % TILE_WIDTH));
}

function appendToLevels(edge: readonly Hash[][], leafHashes: readonly Hash[]): Hash[][] {
  const levels: Hash[][] = [];
  let added: readonly Hash[] = leafHashes;
  for (let level = 0; level < edge.length || added.length > 0; level++) {
    const hashes = [...(edge[level] ?? []), ...added];
    levels.push(hashes);
    const above: Hash[] = [];
    for (let start = 0; start + TILE_WIDTH <= hashes.length; start += TILE_WIDTH) {
      above.push(treeRoot(hashes.slice(start, start + TILE_WIDTH)));
    }
    added = above;
  }
  return levels;
}

/**
 * {@link growTree} for entries: hash tiles and entry bundles to store before a checkpoint of the new size may be
 * signed. Reads the partial tiles and the partial bundle of the old size and checks them against `range`.
 * @throws TlogError tile_mismatch, malformed, limit_exceeded (an entry over 65,535 bytes)
 */
export async function growLog(
  range: CompactRange,
  entries: readonly Uint8Array[],
  stored: TileReader,
): Promise<TreeGrowth> {
  const growth = await growTree(range, entries.map(leafHash), stored);
  const old = await readPartialBundle(range.size, stored);
  requireSameLeaves(old, growth.tiles);
  const all = [...old, ...entries];
  const firstBundle = Math.floor(range.size / TILE_WIDTH);
  const bundles = bundlesForGrowth(range.size, growth.range.size).map((tile): TileContent => {
    const start = (tile.index - firstBundle) * TILE_WIDTH;
    return { tile, bytes: encodeBundle(all.slice(start, start + tile.width)) };
  });
  return { range: growth.range, tiles: [...bundles, ...growth.tiles] };
}

async function readPartialBundle(size: number, stored: TileReader): Promise<Uint8Array[]> {
  const index = Math.floor(size / TILE_WIDTH);
  const width = tileWidth('entries', index, size);
  if (width === 0) return [];
  return decodeBundle(await stored.readTile({ level: 'entries', index, width }), width);
}

/** The first level 0 tile begins with the authenticated leaf hashes of the old partial tile. */
function requireSameLeaves(oldEntries: readonly Uint8Array[], tiles: readonly TileContent[]): void {
  const leaves = tiles[0]?.bytes;
  if (leaves === undefined) return;
  const derived = encodeTile(oldEntries.map(leafHash));
  if (!bytesEqual(derived, leaves.subarray(0, derived.length))) {
    throw new TlogError('tile_mismatch', 'the stored partial entry bundle is not the one under the head');
  }
}
