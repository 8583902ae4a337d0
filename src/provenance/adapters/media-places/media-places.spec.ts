import { describe, expect, it } from '@jest/globals';
import { isoBox } from '../../testing/tampering/film-in-padding.js';
import { ByteSource } from '../byte-source.js';
import { isMediaLeftOut, ourHashLeavesOut } from './left-out-boxes.js';
import { someMediaPlace } from './media-places.js';

type Place = readonly [offset: number, sizeBytes: number];

async function placesIn(...boxes: readonly Buffer[]): Promise<Place[]> {
  const found: Place[] = [];
  await someMediaPlace(ByteSource.of(Buffer.concat(boxes)), (offset, sizeBytes) => {
    found.push([offset, sizeBytes]);
    return false;
  });
  return found;
}

const words = (...numbers: readonly number[]) =>
  Buffer.concat(
    numbers.map((number) => {
      const word = Buffer.alloc(4);
      word.writeUInt32BE(number >>> 0);
      return word;
    }),
  );
const long = (number: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(number);
  return bytes;
};
const full = (type: string, flags: number, ...content: readonly Buffer[]) =>
  isoBox(type, words(flags), ...content);

const track = (...tables: readonly Buffer[]) =>
  isoBox('moov', isoBox('trak', isoBox('mdia', isoBox('minf', isoBox('stbl', ...tables)))));
const CHUNKS = full('stco', 0, words(3, 100, 200, 300));
/** Two samples in the first two chunks, one in the third. */
const RUNS = full('stsc', 0, words(2, 1, 2, 1, 3, 1, 1));

describe('where a film says that its media lie', () => {
  it('is by chunks, with the sizes of their samples', async () => {
    const sizes = full('stsz', 0, words(0, 5, 1, 2, 3, 4, 5));
    const expected = [
      [100, 3],
      [200, 7],
      [300, 5],
    ];
    expect(await placesIn(track(CHUNKS, RUNS, sizes))).toEqual(expected);
    expect(
      await placesIn(track(full('stz2', 0, words(4, 5), Buffer.from('123450', 'hex')), CHUNKS, RUNS)),
    ).toEqual(expected);
    const wide = full('co64', 0, words(1), long(2n ** 40n));
    expect(await placesIn(track(wide, RUNS, full('stsz', 0, words(10, 2))))).toEqual([[2 ** 40, 20]]);
  });

  it('is by the tables of each track, wherever they stand in it, and by those outside of any', async () => {
    const tables = [CHUNKS, full('stsz', 0, words(9, 9))];
    const expected = [100, 200, 300].map((offset) => [offset, 9]);
    expect(await placesIn(isoBox('trak', ...tables))).toEqual(expected);
    expect(await placesIn(isoBox('moov', isoBox('udta', ...tables)))).toEqual(expected);
    expect(await placesIn(track(...tables), ...tables)).toHaveLength(6);
  });

  it('is by runs of fragments, from the base that they name', async () => {
    const trex = isoBox('moov', isoBox('mvex', full('trex', 0, words(7, 1, 0, 11, 0))));
    const start = trex.length;
    const fragment = (header: Buffer, ...runs: readonly Buffer[]) =>
      isoBox('moof', full('mfhd', 0, words(1)), isoBox('traf', header, ...runs));
    const fromMoof = full('tfhd', 0x20000, words(7));
    const run = full('trun', 0x1, words(3, 500));
    expect(await placesIn(trex, fragment(fromMoof, run, full('trun', 0, words(2))))).toEqual([
      [start + 500, 33],
      [start + 533, 22],
    ]);
    const sized = full('trun', 0x301, words(2, 500, 9, 40, 9, 50));
    expect(await placesIn(trex, fragment(fromMoof, sized))).toEqual([[start + 500, 90]]);
    const ownSize = full('tfhd', 0x1 | 0x2 | 0x8 | 0x10, words(7), long(9000n), words(1, 2, 6));
    expect(await placesIn(fragment(ownSize, full('trun', 0, words(4))))).toEqual([[9000, 24]]);
    // Players add with overflow.
    const wrapping = full('tfhd', 0x1, words(7), long(-1000n));
    expect(await placesIn(fragment(wrapping, full('trun', 0x1, words(1, 3000))))).toEqual([[2000, 0]]);
  });

  it('is by items that lie in the file', async () => {
    const item = (method: number, base: number, extent: number, length: number) =>
      Buffer.concat([
        Buffer.from([0, 1, 0, method, 0, 0]),
        words(base),
        Buffer.from([0, 1]),
        words(extent, length),
      ]);
    const items = [item(0, 1000, 20, 7), item(1, 0, 0, 5), item(0, 50, 0, 0)];
    const iloc = full('iloc', 0x01000000, Buffer.from([0x44, 0x40, 0, items.length]), ...items);
    expect(await placesIn(full('meta', 0, iloc))).toEqual([
      [1020, 7],
      [50, Infinity],
    ]);
  });

  it('is where indexes say that fragments begin', async () => {
    const sidx = full('sidx', 0, words(1, 1000, 0, 6), words(2), words(700, 1, 0, 300, 1, 0));
    expect(await placesIn(sidx)).toEqual([
      [sidx.length + 6, 1],
      [sidx.length + 706, 1],
    ]);
    const tfra = full(
      'tfra',
      0,
      words(1, 0, 2),
      words(0, 400),
      Buffer.alloc(3),
      words(9, 800),
      Buffer.alloc(3),
    );
    expect(await placesIn(isoBox('mfra', tfra))).toEqual([
      [400, 1],
      [800, 1],
    ]);
  });

  it('is believed no further than the file goes', async () => {
    const lies = [
      full('stco', 0, words(0xffffffff, 100)),
      full('stsc', 0, words(0xffffffff)),
      full('stsz', 0, words(0, 0xffffffff, 3)),
      full('stz2', 0, words(3, 0xffffffff)),
    ];
    expect(await placesIn(track(...lies))).toEqual([[100, 3]]);
    for (const type of ['iloc', 'sidx', 'tfra', 'trex', 'stco', 'stsz'])
      expect(
        await placesIn(full(type, 0xff000000), isoBox(type), full(type, 0, Buffer.alloc(60, 0xff))),
      ).toBeDefined();
  });

  it('may be anywhere when it says more than can be read', async () => {
    let deep = isoBox('moov');
    for (let i = 0; i < 20; i += 1) deep = isoBox('moov', deep);
    expect(await someMediaPlace(ByteSource.of(deep), () => false)).toBe(true);
    // Every combination of tables would be tried.
    const many = track(
      ...Array.from({ length: 500 }, () => full('stco', 0, words(200), Buffer.alloc(800))),
      ...Array.from({ length: 500 }, () => full('stsz', 0, words(0, 200), Buffer.alloc(800))),
    );
    expect(await someMediaPlace(ByteSource.of(many), () => false)).toBe(true);
  });
});

describe('media in boxes that the hash leaves out', () => {
  const film = (offset: number, sizeBytes: number, ...rest: readonly Buffer[]) =>
    isMediaLeftOut(
      ByteSource.of(
        Buffer.concat([
          isoBox('ftyp', Buffer.alloc(16)),
          track(full('stco', 0, words(1, offset)), full('stsz', 0, words(sizeBytes, 1))),
          ...rest,
        ]),
      ),
      ourHashLeavesOut,
    );
  const head = 24 + track(full('stco', 0, words(1, 0)), full('stsz', 0, words(0, 1))).length;
  const [mdat, free] = [isoBox('mdat', Buffer.alloc(100)), isoBox('free', Buffer.alloc(100))];

  it('are those that begin there, end there or go over it', async () => {
    expect(await film(head + 8, 100, mdat, free)).toBe(false);
    expect(await film(head + 8, 108, mdat, free)).toBe(false);
    expect(await film(head + 8, 109, mdat, free)).toBe(true);
    expect(await film(head + 8, 400, mdat, free, mdat)).toBe(true);
    expect(await film(head + 150, 10, mdat, free)).toBe(true);
    expect(await film(12, 4, mdat)).toBe(true);
    expect(await film(head + 116, 50, free, mdat)).toBe(false);
  });

  it('are those behind the last box, which no hash knows', async () => {
    expect(await film(head + 108, 4, mdat, Buffer.alloc(4))).toBe(true);
    expect(await film(head + 8, 4, mdat, Buffer.alloc(4))).toBe(false);
  });

  it('are fragments to which an index leads, but not what lies where an index is wrong', async () => {
    const leftOut = (padding: Buffer) => {
      const tfra = full('tfra', 0, words(1, 0, 1), words(0, 8), Buffer.alloc(3));
      const file = Buffer.concat([isoBox('free', padding), mdat, isoBox('mfra', tfra)]);
      return isMediaLeftOut(ByteSource.of(file), ourHashLeavesOut);
    };
    expect(await leftOut(isoBox('moof'))).toBe(true);
    expect(await leftOut(Buffer.alloc(40, 1))).toBe(false);
  });

  it('are those of a film whose only movie header lies in padding', async () => {
    const movie = isoBox('free', full('mvhd', 0, Buffer.alloc(96)));
    const leftOut = (...boxes: readonly Buffer[]) =>
      isMediaLeftOut(ByteSource.of(Buffer.concat(boxes)), ourHashLeavesOut);
    expect(await leftOut(movie, mdat)).toBe(true);
    // An editor left the old one behind: players take the one that has its name.
    expect(await leftOut(movie, isoBox('moov'), mdat)).toBe(false);
  });
});
