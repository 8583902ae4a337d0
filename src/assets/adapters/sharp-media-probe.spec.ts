import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isColophonError } from '../../shared/errors.js';
import type { ProbedMedia } from '../domain/media-probe/media-probe.port.js';
import { sharp } from './libvips.js';
import { normalizePicture } from './normalize-picture.js';
import { SharpMediaProbe } from './sharp-media-probe.js';

const probe = new SharpMediaProbe();

async function codeOf(bytes: Uint8Array): Promise<string | ProbedMedia> {
  try {
    return await probe.probe({ bytes });
  } catch (error) {
    return isColophonError(error) ? error.code : String(error);
  }
}

/** A picture with detail, so that its compressed data is long enough to be cut anywhere. */
function picture(width = 61, height = 47) {
  const data = Buffer.from(
    Array.from({ length: width * height * 3 }, (_, i) => (i * 7919 + (i >> 3) * 31) % 256),
  );
  return sharp(data, { raw: { width, height, channels: 3 } });
}

const STILL = {
  'image/png': () => picture().png().toBuffer(),
  'image/jpeg': () => picture().jpeg().toBuffer(),
  'image/webp': () => picture().webp().toBuffer(),
  'image/avif': () => picture().avif({ effort: 0 }).toBuffer(),
  'image/tiff': () => picture().tiff().toBuffer(),
  'image/gif': () => picture().gif().toBuffer(),
} as const;
const TYPES = Object.keys(STILL) as (keyof typeof STILL)[];

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const out = Buffer.alloc(8 + data.length + 4);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), 8 + data.length);
  return out;
}

/** Gray, one bit per pixel: rows of zeros compress to nearly nothing. */
function flatPng(width: number, height: number, rows: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const data = deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * rows), { level: 9 });
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    pngChunk('IDAT', data),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function manyFrameGif(frames: number): Buffer {
  const head = Buffer.from('GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff', 'latin1');
  const frame = Buffer.from('\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00', 'latin1');
  return Buffer.concat([head, ...Array.from({ length: frames }, () => frame), Buffer.from([0x3b])]);
}

describe('media probe: what is accepted', () => {
  it.each(TYPES)('recognizes %s by its bytes and reports its size', async (mediaType) => {
    const bytes = await STILL[mediaType]();
    expect(await codeOf(bytes)).toEqual({
      mediaType,
      kind: 'image',
      width: 61,
      height: 47,
      frames: 1,
      sizeBytes: bytes.length,
      picture: await normalizePicture(bytes),
    });
  });

  it('says the same of a file as of its bytes, whatever the file is called', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'probe-'));
    try {
      const path = join(folder, 'harmless.txt');
      const bytes = await STILL['image/jpeg']();
      await writeFile(path, bytes);
      expect(await probe.probe({ path })).toEqual(await probe.probe({ bytes }));
      await writeFile(join(folder, 'picture.png'), '<html>just some words');
      await expect(probe.probe({ path: join(folder, 'picture.png') })).rejects.toMatchObject({
        code: 'unsupported_media',
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('reports width and height as a viewer shows them', async () => {
    const bytes = await picture().withExif({}).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await codeOf(bytes)).toMatchObject({ width: 47, height: 61 });
  });

  it('counts the frames of an animation', async () => {
    expect(await codeOf(manyFrameGif(7))).toMatchObject({ mediaType: 'image/gif', frames: 7 });
    const webp = await sharp(manyFrameGif(3), { animated: true }).webp().toBuffer();
    expect(await codeOf(webp)).toMatchObject({ mediaType: 'image/webp' });
  });

  it('tolerates zero padding and the secondary pictures of a phone behind a JPEG', async () => {
    const jpeg = await STILL['image/jpeg']();
    expect(await codeOf(Buffer.concat([jpeg, Buffer.alloc(512)]))).toMatchObject({ mediaType: 'image/jpeg' });
    expect(await codeOf(Buffer.concat([jpeg, jpeg]))).toMatchObject({ mediaType: 'image/jpeg' });
    expect(await codeOf(await picture().jpeg({ progressive: true }).toBuffer())).toMatchObject({ width: 61 });
  });
});

describe('media probe: what is refused as unsupported', () => {
  it.each([
    ['nothing', ''],
    ['HTML', '<!doctype html><script>alert(1)</script>'],
    ['PDF', '%PDF-1.7\n'],
    ['zip', 'PK\u0003\u0004rest'],
    ['a sequence of HEIC', '\u0000\u0000\u0000\u0018ftyphevc\u0000\u0000\u0000\u0000mif1heic'],
    ['PPM', 'P6 1 1 255\n\u0000\u0000\u0000'],
  ])('%s', async (_what, text) => {
    expect(await codeOf(Buffer.from(text, 'latin1'))).toBe('unsupported_media');
  });

  const withEnd = TYPES.filter((type) => type !== 'image/tiff');
  it.each(withEnd)('a zip archive or a page appended to %s', async (type) => {
    const bytes = await STILL[type]();
    for (const tail of ['PK\u0003\u0004............PK\u0005\u0006', '<html><script>alert(1)</script>']) {
      expect(await codeOf(Buffer.concat([bytes, Buffer.from(tail)]))).toBe('unsupported_media');
    }
  });

  it('animated PNG, of which a decoder shows the first frame only', async () => {
    const png = await STILL['image/png']();
    const animated = Buffer.concat([
      png.subarray(0, 33),
      pngChunk('acTL', Buffer.alloc(8, 1)),
      png.subarray(33),
    ]);
    expect(await codeOf(animated)).toBe('unsupported_media');
  });
});

describe('media probe: what is too large', () => {
  it('a PNG of 30,000 x 30,000 pixels in a few kilobytes, without decoding it', async () => {
    const bomb = flatPng(30_000, 30_000, 30);
    expect(bomb.length).toBeLessThan(10_000);
    const before = process.memoryUsage().rss;
    expect(await codeOf(bomb)).toBe('media_too_large');
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  it('one side beyond what viewers can show', async () => {
    expect(await codeOf(flatPng(40_000, 10, 10))).toBe('media_too_large');
  });

  it('a GIF of 100,000 frames', async () => {
    expect(await codeOf(manyFrameGif(100_000))).toBe('media_too_large');
  });

  it('a picture just within the limits is decoded and accepted', async () => {
    expect(await codeOf(flatPng(10_000, 10_000, 10_000))).toMatchObject({ width: 10_000, height: 10_000 });
  });
});

describe('media probe: what is corrupt', () => {
  it.each(TYPES)('%s cut off anywhere is never accepted', async (type) => {
    const bytes = await STILL[type]();
    // The last bytes of a TIFF are its directory; of the others, their end mark.
    for (const share of [0.15, 0.4, 0.7, 0.9, 0.99]) {
      const code = await codeOf(bytes.subarray(0, Math.floor(bytes.length * share)));
      expect([share, code]).toEqual([share, 'media_corrupt']);
    }
  });

  it('a PNG that promises more rows than it has', async () => {
    expect(await codeOf(flatPng(400, 400, 399))).toBe('media_corrupt');
  });

  it('empty dimensions', async () => {
    expect(await codeOf(flatPng(0, 5, 1))).toBe('media_corrupt');
  });

  it('any damage ends in an answer of ours, never in another error', async () => {
    const originals = await Promise.all(TYPES.map((type) => STILL[type]()));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        async (original, changes) => {
          const bytes = Buffer.from(original);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          const answer = await codeOf(bytes);
          if (typeof answer === 'string') {
            expect(['unsupported_media', 'media_corrupt', 'media_too_large']).toContain(answer);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
