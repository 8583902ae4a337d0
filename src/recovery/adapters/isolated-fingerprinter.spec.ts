import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { scenePicture } from '../../../test/support/pictures.js';
import { hammingDistance } from '../domain/iscc/image-code.js';
import { isDistinctive, MAX_DISTANCE, similarityScore } from '../domain/similarity.js';
import { codesOf } from '../../assets/domain/picture-fingerprint.js';
import { normalizePicture } from '../../assets/adapters/normalize-picture.js';
import { IsolatedFingerprinter } from './isolated-fingerprinter.js';
import { pictureFingerprint } from '../../../test/support/picture-fingerprint.js';

const fingerprints = async (picture: Buffer): Promise<Uint8Array[]> =>
  codesOf(await pictureFingerprint(picture));
/** As the search does it: the nearest pair counts. */
async function distance(a: Buffer, b: Buffer): Promise<number> {
  const [left, right] = await Promise.all([fingerprints(a), fingerprints(b)]);
  return Math.min(...left.flatMap((one) => right.map((other) => hammingDistance(one, other))));
}

describe('the fingerprint of a picture', () => {
  it.each([
    ['JPEG of low quality', (picture: Buffer) => sharp(picture).jpeg({ quality: 40 }).toBuffer()],
    ['a quarter of the size', (picture: Buffer) => sharp(picture).resize(80).webp().toBuffer()],
    ['grayscale', (picture: Buffer) => sharp(picture).grayscale().png().toBuffer()],
    ['16 bits', (picture: Buffer) => sharp(picture).toColourspace('rgb16').png().toBuffer()],
    ['CMYK', (picture: Buffer) => sharp(picture).toColourspace('cmyk').tiff().toBuffer()],
    [
      'turned pixels with the tag that turns them back',
      async (picture: Buffer) =>
        sharp(await sharp(picture).rotate(90).png().toBuffer())
          .withMetadata({ orientation: 8 })
          .jpeg({ quality: 90 })
          .toBuffer(),
    ],
    [
      'a border around it',
      (picture: Buffer) =>
        sharp(picture).extend({ top: 9, bottom: 30, left: 5, right: 5, background: '#fff' }).png().toBuffer(),
    ],
  ])('survives %s', async (_what, change) => {
    const picture = await scenePicture(1);
    expect(await distance(picture, await change(picture))).toBeLessThanOrEqual(MAX_DISTANCE);
  });

  it('is another one for another picture, and for a mirrored one', async () => {
    const picture = await scenePicture(1);
    expect(await distance(picture, await scenePicture(2))).toBeGreaterThan(MAX_DISTANCE);
    expect(await distance(picture, await sharp(picture).flop().png().toBuffer())).toBeGreaterThan(
      MAX_DISTANCE,
    );
  });

  it('sees white under what is transparent', async () => {
    const clear = await sharp({ create: { width: 90, height: 90, channels: 4, background: '#0000' } })
      .composite([
        {
          input: Buffer.from('<svg width="40" height="30"><rect width="40" height="30" fill="red"/></svg>'),
          left: 30,
          top: 20,
        },
      ])
      .png()
      .toBuffer();
    const white = await sharp(clear).flatten({ background: '#fff' }).png().toBuffer();
    expect(await distance(clear, white)).toBe(0);
  });

  it('of an even area has too little to tell it by', async () => {
    const even = await sharp({ create: { width: 50, height: 50, channels: 3, background: '#345' } })
      .png()
      .toBuffer();
    expect((await fingerprints(even)).some(isDistinctive)).toBe(false);
  });

  it('is absent for what is no picture, and that is told', async () => {
    const errors: unknown[] = [];
    const fingerprinter = new IsolatedFingerprinter({ normalize: normalizePicture }, (error) =>
      errors.push(error),
    );
    expect(await fingerprinter.see('/nowhere.png')).toBeUndefined();
    expect([errors.length, fingerprinter.failureCount]).toEqual([1, 1]);
  });
});

describe('the score', () => {
  it('is 100 for equal codes only, and falls with the distance', () => {
    expect([0, 1, 40, 128, 256].map(similarityScore)).toEqual([100, 99, 84, 50, 0]);
  });
});
