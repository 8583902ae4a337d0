import { describe, expect, it } from '@jest/globals';
import { MemoryLog } from '../../../test/vectors/tlog/vectors.js';
import { hashCountAtLevel, type Tile, tilePath, type TileReader, tileWidth } from '../core/tiles.js';
import { AuthenticTiles } from './authentic-tiles.js';

async function logOf(size: number): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.appendGolden(size);
  return log;
}

/** The tiles of a log, one of them with a flipped bit. */
function damaged(log: MemoryLog, path: string, at: number): TileReader {
  return {
    async readTile(tile: Tile) {
      const bytes = Buffer.from(await log.readTile(tile));
      if (tilePath(tile) === path) bytes[at] = (bytes[at] ?? 0) ^ 1;
      return bytes;
    },
  };
}

function* everyTile(size: number): Generator<[level: number, index: number]> {
  for (let level = 0; hashCountAtLevel(level, size) > 0; level++)
    for (let index = 0; tileWidth(level, index, size) > 0; index++) yield [level, index];
}

describe('tiles that are proved before they are used', () => {
  it.each([1, 2, 255, 256, 257, 65_535, 65_536, 65_537, 70_000])(
    'of a log of %p are the stored ones',
    async (size) => {
      const log = await logOf(size);
      const tiles = new AuthenticTiles([log], size, log.range.root());
      for (const [level, index] of everyTile(size)) {
        const stored = await log.readTile({ level, index, width: tileWidth(level, index, size) });
        expect(Buffer.from(await tiles.bytes(level, index)).equals(stored)).toBe(true);
      }
    },
  );

  it('finds one flipped bit in any tile when it is read, names it, and reads the rest', async () => {
    const size = 66_000;
    const log = await logOf(size);
    for (const path of [
      'tile/0/000',
      'tile/0/100',
      'tile/1/000',
      'tile/0/257.p/208',
      'tile/1/001.p/1',
      'tile/2/000.p/1',
    ]) {
      const tiles = new AuthenticTiles([damaged(log, path, 3)], size, log.range.root());
      let refused: string[] = [];
      for (const [level, index] of everyTile(size))
        await tiles.bytes(level, index).catch((error: Error) => refused.push(error.message));
      expect(refused.length).toBeGreaterThan(0);
      for (const message of refused) expect(message).toContain(path);
      refused = [];
    }
  });

  it('takes each tile from whoever has the right one', async () => {
    const size = 66_000;
    const log = await logOf(size);
    const empty: TileReader = { readTile: () => Promise.reject(new Error('gone')) };
    const sources = [empty, damaged(log, 'tile/0/100', 5), log];
    const tiles = new AuthenticTiles(sources, size, log.range.root());
    for (const [level, index] of everyTile(size)) expect(await tiles.bytes(level, index)).toBeDefined();
    await expect(new AuthenticTiles([empty], size, log.range.root()).bytes(0, 3)).rejects.toThrow('gone');
  });

  it('has no tiles of another tree, nor beyond the end', async () => {
    const log = await logOf(600);
    const tiles = new AuthenticTiles([log], 600, Buffer.alloc(32, 1));
    await expect(tiles.bytes(0, 0)).rejects.toThrow('do not lead to the signed root');
    const own = new AuthenticTiles([log], 600, log.range.root());
    expect(() => own.bytes(0, 3)).toThrow('no such tile');
    expect(() => own.bytes(5, 0)).toThrow('no such tile');
  });
});
