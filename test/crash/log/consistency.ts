import { type Hash } from '../../../src/audit/core/merkle.js';
import { consistencyProof } from '../../../src/audit/core/merkle-proof.js';
import { TileHashReader } from '../../../src/audit/core/tile-reading.js';
import { type TileReader } from '../../../src/audit/core/tiles.js';

/** Consistency proofs to one new size, from published tiles that are read once. */
export function consistencyFromTiles(
  tiles: TileReader,
  newSize: number,
): (oldSize: number) => Promise<Hash[]> {
  const reader = new TileHashReader(tiles, newSize);
  return (oldSize) => consistencyProof(reader, oldSize, newSize);
}
