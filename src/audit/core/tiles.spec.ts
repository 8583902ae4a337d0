import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, codeOfAsync } from '../../../test/vectors/tlog/refusal.js';
import {
  goldenEntry,
  goldenLeaves,
  MemoryLog,
  readGolden,
  readVector,
} from '../../../test/vectors/tlog/vectors.js';
import { CompactRange } from './compact-range.js';
import { decodeBundle, encodeBundle, MAX_ENTRY_BYTES } from './entry-bundle.js';
import { emptyRoot, leafHash } from './merkle.js';
import { verifyConsistency, verifyInclusion } from './merkle-proof.js';
import { growLog, growTree, rootOfEdge } from './tile-growth.js';
import {
  compactRangeFromTiles,
  consistencyProofFromTiles,
  inclusionProofFromTiles,
  rootFromTiles,
} from './tile-reading.js';
import {
  bundlesForGrowth,
  decodeTile,
  encodeTile,
  hashCountAtLevel,
  isTileWithin,
  parseTilePath,
  partialTiles,
  type Tile,
  tilePath,
  tilesForGrowth,
} from './tiles.js';

const golden = readGolden();
const roots: Uint8Array[] = [];
for (let range = CompactRange.empty(); range.size <= 301;) {
  roots.push(range.root());
  range = range.append(goldenLeaves(range.size, range.size + 1));
}

describe('tile paths', () => {
  it('are those of Tessera, there and back', () => {
    for (const { level, index, width, tile, entries } of golden.paths) {
      expect(tilePath({ level, index, width })).toBe(tile);
      expect(parseTilePath(tile)).toEqual({ level, index, width });
      expect(tilePath({ level: 'entries', index, width })).toBe(entries);
      expect(parseTilePath(entries)).toEqual({ level: 'entries', index, width });
    }
  });

  it('read back for every tile', () => {
    const level = fc.oneof(fc.nat(63), fc.constant('entries' as const));
    fc.assert(
      fc.property(level, fc.maxSafeNat(), fc.integer({ min: 1, max: 256 }), (l, index, width) => {
        const tile: Tile = { level: l, index, width };
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
    );
  });

  it.each([
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/00',
    'tile/0/0000',
    'tile/0/001/067',
    'tile/0/x000/001',
    'tile/0/x001/x067',
    'tile/0/x001/67',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p/1/',
    'tile/0/000.p',
    'tile/8/0/000',
    'tile/data/000',
    'tile/entries/000.p/300',
    'tile/0/x999/x999/x999/x999/x999/999',
    'tile/0/../checkpoint',
    '/tile/0/000',
    'tile/0/000\n',
    'tile/0/٠٠٠',
    '',
  ])('refuse %j', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});

describe('tiles of a growing log', () => {
  it('are those that x/mod publishes', () => {
    for (const { oldSize, newSize, tiles } of golden.growth) {
      const ours = tilesForGrowth(oldSize, newSize).map(tilePath);
      expect(ours.sort()).toEqual([...tiles].sort());
    }
  });

  it('are those of the examples in the specification', () => {
    const { tiles } = readVector('c2sp.json') as { tiles: Record<string, string[]> };
    for (const [sizeText, levels] of Object.entries(tiles)) {
      const size = Number(sizeText);
      const found = levels.map((_, level) => {
        const ofLevel = tilesForGrowth(0, size).filter((tile) => tile.level === level);
        const partial = ofLevel.find(({ width }) => width < 256);
        return `${level}:${ofLevel.filter(({ width }) => width === 256).length}:${partial?.width ?? 0}`;
      });
      expect(found).toEqual(levels);
      expect(hashCountAtLevel(levels.length, size)).toBe(0);
    }
  });

  it('hold together for any way of growing: nothing missing, nothing outside the new size', () => {
    fc.assert(
      fc.property(fc.nat(200_000), fc.nat(2_000), (oldSize, added) => {
        const newSize = oldSize + added;
        const written = new Set(
          [...tilesForGrowth(0, oldSize), ...tilesForGrowth(oldSize, newSize)].map(tilePath),
        );
        expect(
          tilesForGrowth(0, newSize)
            .map(tilePath)
            .filter((path) => !written.has(path)),
        ).toEqual([]);
        const grown = [...tilesForGrowth(oldSize, newSize), ...bundlesForGrowth(oldSize, newSize)];
        expect(grown.every((tile) => isTileWithin(tile, newSize) && !isTileWithin(tile, oldSize))).toBe(true);
        expect(partialTiles(newSize).every((tile) => isTileWithin(tile, newSize))).toBe(true);
      }),
    );
    expect(codeOf(() => tilesForGrowth(2, 1))).toBe('out_of_range');
    expect(codeOf(() => bundlesForGrowth(0, 2 ** 53))).toBe('out_of_range');
  });
});

describe('a log written batch by batch', () => {
  it('has the same root at every size of 0 to 300, by range, edge and tiles', async () => {
    const log = new MemoryLog();
    for (let size = 0; size <= 300; size++) {
      expect(log.range.root()).toEqual(roots[size]);
      expect(await rootFromTiles(log, size)).toEqual(roots[size]);
      expect((await compactRangeFromTiles(log, size, roots[size] as Uint8Array)).edge).toEqual(
        log.range.edge,
      );
      await log.appendGolden(1);
    }
    // Every size was published, so every size can still be read after all the growth.
    for (let size = 0; size <= 300; size++) expect(await rootFromTiles(log, size)).toEqual(roots[size]);
  });

  it('gives the same files however it grew, and proofs from tiles at every size', async () => {
    const [slow, fast] = [new MemoryLog(), new MemoryLog()];
    await slow.appendGolden(1, 2, 253, 1, 256, 7, 1000, 20_000, 48_480);
    await fast.appendGolden(70_000);
    for (const [path, bytes] of fast.files) expect(slow.files.get(path)?.equals(bytes)).toBe(true);
    expect(Buffer.from(fast.range.root()).toString('base64')).toBe(golden.checkpoints.at(-1)?.root);

    for (const { size, index, leaf, proof } of golden.inclusion.filter(({ size }) => size === 70_000)) {
      const found = await inclusionProofFromTiles(fast, index, size, fast.range.root());
      expect(found.proof.map((hash) => Buffer.from(hash).toString('base64'))).toEqual(proof);
      expect(Buffer.from(found.leafHash).toString('base64')).toBe(leaf);
    }
    for (const { oldSize, newSize, proof } of golden.consistency.filter(
      ({ newSize }) => newSize === 70_000,
    )) {
      const found = await consistencyProofFromTiles(fast, oldSize, newSize, fast.range.root());
      expect(found.proof.map((hash) => Buffer.from(hash).toString('base64'))).toEqual(proof);
    }
  });

  it('proves every entry and every growth of 300 entries from tiles', async () => {
    const log = new MemoryLog();
    await log.appendGolden(...Array.from({ length: 300 }, () => 1));
    const root = log.range.root();
    for (let index = 0; index < 300; index++) {
      const { leafHash: leaf, proof } = await inclusionProofFromTiles(log, index, 300, root);
      verifyInclusion({ index, size: 300, leafHash: leaf, root }, proof);
      const growth = await consistencyProofFromTiles(log, index, 300, root);
      expect(growth.oldRoot).toEqual(roots[index]);
      verifyConsistency(
        { oldSize: index, oldRoot: roots[index] as Uint8Array, newSize: 300, newRoot: root },
        growth.proof,
      );
    }
  });

  it('refuses to prove from, or to build on, a tile with one flipped bit', async () => {
    const log = new MemoryLog();
    await log.appendGolden(1000);
    const root = log.range.root();
    for (const path of ['tile/0/003.p/232', 'tile/1/000.p/3', 'tile/entries/003.p/232']) {
      const bytes = log.files.get(path) as Buffer;
      for (const at of [2, 40, bytes.length - 1]) {
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        expect(['tile_mismatch', 'malformed']).toContain(await codeOfAsync(() => log.appendGolden(1)));
        if (!path.includes('entries')) {
          expect(await codeOfAsync(() => compactRangeFromTiles(log, 1000, root))).toBe('tile_mismatch');
          expect(await codeOfAsync(() => consistencyProofFromTiles(log, 1000, 1000, root))).toBe(
            'tile_mismatch',
          );
          expect(await codeOfAsync(() => inclusionProofFromTiles(log, 800, 1000, root))).toBe(
            'proof_mismatch',
          );
        }
        bytes[at] = (bytes[at] ?? 0) ^ 1;
      }
    }
    expect(log.range.size).toBe(1000);
    await log.appendGolden(1);
    expect(log.range.root()).toEqual(CompactRange.empty().append(goldenLeaves(0, 1001)).root());
  });

  it('appends nothing as nothing, and refuses an entry that no bundle can hold', async () => {
    const log = new MemoryLog();
    await log.appendGolden(3);
    expect((await growLog(log.range, [], log)).tiles).toEqual([]);
    expect((await growTree(log.range, [], log)).range.root()).toEqual(roots[3]);
    const tooLong = [new Uint8Array(MAX_ENTRY_BYTES + 1)];
    expect(await codeOfAsync(() => growLog(log.range, tooLong, log))).toBe('limit_exceeded');
    expect(rootOfEdge([])).toEqual(emptyRoot());
  });

  it('reports reads outside the tree', async () => {
    const log = new MemoryLog();
    await log.appendGolden(10);
    const root = log.range.root();
    expect(await codeOfAsync(() => inclusionProofFromTiles(log, 10, 10, root))).toBe('out_of_range');
    expect(await codeOfAsync(() => consistencyProofFromTiles(log, 11, 10, root))).toBe('out_of_range');
  });
});

describe('bytes of tiles and bundles', () => {
  it('read back, and nothing else does', () => {
    const entryArbitrary = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 });
    fc.assert(
      fc.property(entryArbitrary, (entries) => {
        const bytes = encodeBundle(entries);
        expect(decodeBundle(bytes, entries.length).map((entry) => Buffer.from(entry))).toEqual(
          entries.map((entry) => Buffer.from(entry)),
        );
        expect(codeOf(() => decodeBundle(bytes, entries.length + 1))).toBe('malformed');
        expect(codeOf(() => decodeBundle(Buffer.concat([bytes, Buffer.of(0)]), entries.length))).toBe(
          'malformed',
        );
        if (entries.length > 0) {
          expect(codeOf(() => decodeBundle(bytes, entries.length - 1))).toBe('malformed');
          expect(codeOf(() => decodeBundle(bytes.subarray(0, -1), entries.length))).toBe('malformed');
        }
      }),
    );
  });

  it('keep the length as big-endian uint16', () => {
    expect(encodeBundle([Buffer.from('ab'), Buffer.alloc(0)]).toString('hex')).toBe('000261620000');
    const longest = Buffer.alloc(MAX_ENTRY_BYTES, 1);
    expect(encodeBundle([longest]).subarray(0, 3).toString('hex')).toBe('ffff01');
    expect(codeOf(() => encodeBundle(Array.from({ length: 257 }, () => longest)))).toBe('limit_exceeded');
  });

  it('refuse a tile with a hash too many or half a hash', () => {
    const hashes = [leafHash(goldenEntry(0)), leafHash(goldenEntry(1))];
    expect(decodeTile(encodeTile(hashes), 2).map((hash) => Buffer.from(hash))).toEqual(hashes);
    for (const width of [0, 1, 3, 256]) {
      expect(codeOf(() => decodeTile(encodeTile(hashes), width))).toBe('malformed');
    }
    expect(codeOf(() => decodeTile(encodeTile(hashes).subarray(1), 2))).toBe('malformed');
  });
});
