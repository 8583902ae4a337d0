import { CompactRange } from './compact-range.js';
import { completeSubtrees, type Hash, treeRoot } from './merkle.js';
import {
  consistencyProof,
  type HashReader,
  inclusionProof,
  rootFromHashes,
  verifyConsistency,
  verifyInclusion,
} from './merkle-proof.js';
import { bytesEqual } from './strict-encoding.js';
import { decodeTile, type Tile, tilePath, type TileReader, tileSlice } from './tiles.js';
import { TlogError } from './tlog-error.js';

/**
 * Hashes of a tree of a given size, read from its tiles. Each tile is fetched once and kept as long as the reader
 * lives, and each node is worked out once, so make one for a proof, or for all of one report. What it returns is as
 * trustworthy as the tiles: see the functions below.
 */
export class TileHashReader implements HashReader {
  readonly #tiles: TileReader;
  readonly #size: number;
  readonly #cache = new Map<string, Promise<Hash[]>>();
  readonly #nodes = new Map<string, Hash>();

  constructor(tiles: TileReader, size: number) {
    this.#tiles = tiles;
    this.#size = size;
  }

  /** O(1) tile reads, at most 127 hashes. @throws TlogError out_of_range, malformed */
  async readHash(level: number, index: number): Promise<Hash> {
    const node = `${level}/${index}`;
    const known = this.#nodes.get(node);
    if (known) return known;
    const { tile, start, end } = tileSlice(level, index, this.#size);
    const hashes = await this.#read(tile);
    const hash = treeRoot(hashes.slice(start, end));
    this.#nodes.set(node, hash);
    return hash;
  }

  #read(tile: Tile): Promise<Hash[]> {
    const path = tilePath(tile);
    const cached = this.#cache.get(path);
    if (cached) return cached;
    const read = this.#tiles.readTile(tile).then((bytes) => decodeTile(bytes, tile.width));
    this.#cache.set(path, read);
    return read;
  }
}

/** Root that the tiles of a log of `size` claim. Unauthenticated: compare it with a signed checkpoint. */
export async function rootFromTiles(tiles: TileReader, size: number): Promise<Hash> {
  return rootFromHashes(new TileHashReader(tiles, size), size);
}

/**
 * The writer's right edge, rebuilt from tiles and checked against the root that the writer signed.
 * @throws TlogError tile_mismatch when the tiles belong to another tree
 */
export async function compactRangeFromTiles(
  tiles: TileReader,
  size: number,
  root: Hash,
): Promise<CompactRange> {
  const reader = new TileHashReader(tiles, size);
  const edge = await Promise.all(
    completeSubtrees(0, size).map(({ level, index }) => reader.readHash(level, index)),
  );
  const range = new CompactRange(size, edge);
  requireRoot(range.root(), root);
  return range;
}

/**
 * Inclusion proof read from tiles, with the leaf hash that level 0 names. Both are checked against `root`, so
 * that a damaged tile is found here and not by the person who receives the proof.
 * @throws TlogError out_of_range, malformed, proof_mismatch
 */
export async function inclusionProofFromTiles(
  tiles: TileReader,
  index: number,
  size: number,
  root: Hash,
): Promise<{ leafHash: Hash; proof: Hash[] }> {
  return inclusionProofByReader(new TileHashReader(tiles, size), index, { size, root });
}

/** The same for several entries of one tree, by one reader, which fetches each tile once for all of them. */
export async function inclusionProofByReader(
  reader: TileHashReader,
  index: number,
  { size, root }: { readonly size: number; readonly root: Hash },
): Promise<{ leafHash: Hash; proof: Hash[] }> {
  const proof = await inclusionProof(reader, index, size);
  const leafHash = await reader.readHash(0, index);
  verifyInclusion({ index, size, leafHash, root }, proof);
  return { leafHash, proof };
}

/**
 * Consistency proof read from tiles of a log of at least `newSize`, with the old root they lead to; both are
 * checked against `newRoot`.
 * @throws TlogError out_of_range, malformed, proof_mismatch, tile_mismatch
 */
export async function consistencyProofFromTiles(
  tiles: TileReader,
  oldSize: number,
  newSize: number,
  newRoot: Hash,
): Promise<{ oldRoot: Hash; proof: Hash[] }> {
  const reader = new TileHashReader(tiles, newSize);
  const proof = await consistencyProof(reader, oldSize, newSize);
  const oldRoot = await rootFromHashes(reader, oldSize);
  // An empty proof says nothing about the new root.
  if (proof.length === 0) requireRoot(await rootFromHashes(reader, newSize), newRoot);
  verifyConsistency({ oldSize, oldRoot, newSize, newRoot }, proof);
  return { oldRoot, proof };
}

function requireRoot(derived: Hash, expected: Hash): void {
  if (!bytesEqual(derived, expected))
    throw new TlogError('tile_mismatch', 'the tiles lead to another root than the known one');
}
