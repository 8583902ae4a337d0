import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { jpegWithSegments, plainPicture, pngWithChunk } from '../../testing/reserved-pictures.js';
import { avifMetadata } from './avif-metadata.js';
import { readPlaces } from './embedded-reservations.js';
import { exifTexts } from './exif-texts.js';
import { findMetadata, type FindableMediaType } from './metadata-places.js';

interface Field {
  readonly tag: number;
  readonly type: number;
  readonly value: Buffer;
}

/** A TIFF structure with one directory, and one of EXIF behind it. */
function exif(root: readonly Field[], nested: readonly Field[] = [], isLittle = true): Buffer {
  const u16 = (value: number) => {
    const bytes = Buffer.alloc(2);
    if (isLittle) bytes.writeUInt16LE(value);
    else bytes.writeUInt16BE(value);
    return bytes;
  };
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    if (isLittle) bytes.writeUInt32LE(value);
    else bytes.writeUInt32BE(value);
    return bytes;
  };
  const sizeOf = (count: number) => 2 + count * 12 + 4;
  const nestedAt = 8 + sizeOf(root.length + 1);
  let next = nestedAt + sizeOf(nested.length);
  const values: Buffer[] = [];
  const entry = ({ tag, type, value }: Field) => {
    const head = [u16(tag), u16(type), u32(value.length)];
    if (value.length <= 4) return Buffer.concat([...head, Buffer.concat([value, Buffer.alloc(4)], 4)]);
    values.push(value);
    next += value.length;
    return Buffer.concat([...head, u32(next - value.length)]);
  };
  const pointer = Buffer.concat([u16(0x8769), u16(4), u32(1), u32(nestedAt)]);
  const first = root.map(entry);
  const second = nested.map(entry);
  return Buffer.concat([
    Buffer.from(isLittle ? 'II' : 'MM'),
    u16(42),
    u32(8),
    ...[u16(root.length + 1), ...first, pointer, u32(0)],
    ...[u16(nested.length), ...second, u32(0)],
    ...values,
  ]);
}
const copyright = (text: string): Field => ({ tag: 0x8298, type: 2, value: Buffer.from(`${text}\0`) });
const comment = (code: string, words: Buffer): Field => ({
  tag: 0x9286,
  type: 7,
  value: Buffer.concat([Buffer.from(code.padEnd(8, '\0'), 'latin1'), words]),
});
const bigEndian = (text: string) => Buffer.from(text, 'utf16le').swap16();

const found = (text: string) => ({
  found: [{ origin: 'exif', act: 'ai-inference', use: 'constrained', constraint: text }],
  unread: [],
});
const readingOf = async (file: Buffer, mediaType: FindableMediaType | 'image/avif') => {
  const places = mediaType === 'image/avif' ? await avifMetadata(file) : findMetadata(file, mediaType);
  const { found: said, unread } = readPlaces(places);
  return { found: said, unread };
};

describe('words about AI in EXIF', () => {
  it.each([true, false])('are read in the copyright and in comments (little-endian: %s)', (isLittle) => {
    const utf16 = isLittle ? Buffer.from('人工知能禁止', 'utf16le') : bigEndian('人工知能禁止');
    const windows: Field = { tag: 0x9c9c, type: 1, value: Buffer.from('no AI\0', 'utf16le') };
    const bytes = exif([copyright('© X. NoAI'), windows], [comment('UNICODE', utf16)], isLittle);
    const { texts, isWhole } = exifTexts(bytes);
    expect(isWhole).toBe(true);
    expect(texts).toEqual(['© X. NoAI', 'no AI', expect.stringContaining('人工知能禁止')]);
  });

  it('are read in files of every format that carries it', async () => {
    const bytes = exif([copyright('X, no AI training')]);
    const named = Buffer.concat([Buffer.from('Exif\0\0'), bytes]);
    const jpeg = jpegWithSegments(await plainPicture('jpeg'), [{ code: 0xe1, data: named }]);
    expect(await readingOf(jpeg, 'image/jpeg')).toEqual(found('X, no AI training'));
    const png = pngWithChunk(await plainPicture('png'), 'eXIf', bytes);
    expect(await readingOf(png, 'image/png')).toEqual(found('X, no AI training'));
    // A TIFF file is the same structure as EXIF; sharp writes no copyright into one.
    expect(await readingOf(bytes, 'image/tiff')).toEqual(found('X, no AI training'));
    const raw = sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } }).withExif({
      IFD0: { Copyright: 'X, no AI training' },
    });
    for (const [format, mediaType] of [
      ['webp', 'image/webp'],
      ['avif', 'image/avif'],
    ] as const)
      expect(await readingOf(await raw.clone().toFormat(format).toBuffer(), mediaType)).toEqual(
        found('X, no AI training'),
      );
  });

  it('that speak of something else reserve nothing', async () => {
    const bytes = Buffer.concat([
      Buffer.from('Exif\0\0'),
      exif([copyright('© 2026 X')], [comment('ASCII', Buffer.from('sunset'))]),
    ]);
    const jpeg = jpegWithSegments(await plainPicture('jpeg'), [{ code: 0xe1, data: bytes }]);
    expect(await readingOf(jpeg, 'image/jpeg')).toEqual({ found: [], unread: [] });
  });

  it('are not taken for absent where the structure breaks off', () => {
    const whole = exif([copyright('a long text about no AI at all')]);
    for (const broken of [
      whole.subarray(0, 12),
      whole.subarray(0, whole.length - 5),
      Buffer.from('II'),
      Buffer.from('nothing'),
    ])
      expect(exifTexts(broken).isWhole).toBe(false);
  });

  it('are unread in a TIFF file whose directory or EXIF breaks off: unknown, never "nothing"', async () => {
    const whole = exif([copyright('a long text about no AI at all')]);
    expect((await readingOf(whole, 'image/tiff')).unread).toEqual([]);
    // The text lies beyond the end of the file; the pointer to EXIF leads nowhere; the type has no known length.
    const cut = whole.subarray(0, whole.length - 5);
    const lost = Buffer.from(whole);
    lost.writeUInt32LE(0x7fffffff, 8 + 2 + 12 + 8);
    const strange = Buffer.from(whole);
    strange.writeUInt16LE(99, 8 + 2 + 2);
    for (const file of [cut, lost, strange])
      expect((await readingOf(file, 'image/tiff')).unread).toEqual(['exif']);
  });

  it('are looked for in any bytes without an error', () => {
    const start = fc.constantFrom('II*\0\b\0\0\0', 'MM\0*\0\0\0\b', '');
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (head, rest) => {
        exifTexts(Buffer.concat([Buffer.from(head, 'latin1'), rest]));
      }),
      { numRuns: 2000 },
    );
  });
});
