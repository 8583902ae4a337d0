import { hashCountAtLevel, type Tile, TILE_WIDTH, tileWidth } from './tiles.js';

/**
 * The tiles and bundles that make up a log of one size, level by level from the entries upwards: what a static copy of
 * it consists of beside the checkpoint. Lazy, because a log of 10^9 entries has 8 million of them.
 *
 * @param from a smaller size: then only what is not in a copy of that size
 */
export function* filesOfLog(size: number, from = 0): Generator<Tile> {
  for (const level of levelsOf(size)) {
    const width = level === 'entries' ? 1 : TILE_WIDTH ** level;
    // The tile in which the smaller log ended has grown, unless it was full.
    const first = Math.floor(Math.floor(from / width) / TILE_WIDTH);
    for (let index = first; tileWidth(level, index, size) > 0; index++) {
      const tile = { level, index, width: tileWidth(level, index, size) };
      if (tileWidth(level, index, from) < tile.width) yield tile;
    }
  }
}

function levelsOf(size: number): (number | 'entries')[] {
  const levels: (number | 'entries')[] = ['entries'];
  for (let level = 0; hashCountAtLevel(level, size) > 0; level++) levels.push(level);
  return levels;
}
