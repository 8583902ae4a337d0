import { ColophonError } from '../../shared/errors.js';
import { MAX_PIXELS_TOTAL } from '../domain/media-probe/media-limits.js';
import { NORMALIZED_SIDE, type NormalizedPicture, THUMBNAIL_SIDE } from '../domain/picture-fingerprint.js';
import { decodingStrictness } from './decoding-strictness.js';
import { sharp } from './libvips.js';

/** A border is looked for in a picture of at most this side, so that no picture needs more memory than a small one. */
const WORKING_SIDE = 256;
const THUMBNAIL_QUALITY = 80;
/** How far a channel may be from the upper left pixel and still be border (libvips `find_trim`). */
const BORDER_TOLERANCE = 10;
/** Below the time after which the process that decodes is ended, so that it can still say why. */
const TIMEOUT_SECONDS = 25;
/** ITU-R BT.601 luma. */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * Normalizes as ISO 24138:2024 says (IEP-0004 "Processing"): orientation tag applied, white under what is transparent,
 * even borders cut (in one of the two codes), 32 x 32, gray. What the standard leaves open is fixed here, and a change of it is another version
 * of the normalization: sRGB with 8 bits; the first frame of an animation; at most 256 pixels a side before the border
 * is cut with a tolerance of 10, without a median filter; `cubic` (Catmull-Rom, widened when reducing) for both resizes,
 * without the shrinking of the JPEG decoder; BT.601 luma of the small picture.
 *
 * @throws ColophonError `media_corrupt` when the picture cannot be decoded
 */
export async function normalizePicture(input: string | Uint8Array): Promise<NormalizedPicture> {
  try {
    return await decodeAndNormalize(input);
  } catch (cause) {
    throw new ColophonError('media_corrupt', 'The picture cannot be compared with others.', { cause });
  }
}

async function decodeAndNormalize(input: string | Uint8Array): Promise<NormalizedPicture> {
  const working = await decodeSmall(input);
  const [trimmed, whole, thumbnail] = await Promise.all([
    normalizedPixels(openRaw(working).trim({ threshold: BORDER_TOLERANCE, lineArt: true })),
    normalizedPixels(openRaw(working)),
    smallCopy(openRaw(working)),
  ]);
  return { trimmed, whole, thumbnail };
}

type RawPicture = Awaited<ReturnType<typeof decodeSmall>>;

async function decodeSmall(input: string | Uint8Array) {
  const failOn = await decodingStrictness(input);
  return sharp(input, { limitInputPixels: MAX_PIXELS_TOTAL, failOn, sequentialRead: true })
    .timeout({ seconds: TIMEOUT_SECONDS })
    .autoOrient()
    .resize({
      width: WORKING_SIDE,
      height: WORKING_SIDE,
      fit: 'inside',
      withoutEnlargement: true,
      kernel: 'cubic',
      fastShrinkOnLoad: false,
    })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
}

function openRaw({ data, info: { width, height, channels } }: RawPicture) {
  return sharp(data, { raw: { width, height, channels } });
}

/** The working picture is small already: decoding the file once more would cost as much as signing it. */
function smallCopy(picture: ReturnType<typeof openRaw>): Promise<Uint8Array> {
  return picture
    .resize({ width: THUMBNAIL_SIDE, height: THUMBNAIL_SIDE, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: THUMBNAIL_QUALITY })
    .toBuffer();
}

/** 1,024 gray values, row by row. */
async function normalizedPixels(picture: ReturnType<typeof openRaw>): Promise<Uint8Array> {
  const pixels = await picture
    .resize({ width: NORMALIZED_SIDE, height: NORMALIZED_SIDE, fit: 'fill', kernel: 'cubic' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer();
  return lumaOf(pixels);
}

function lumaOf(rgb: Uint8Array): Uint8Array {
  const luma = new Uint8Array(rgb.length / 3);
  for (let at = 0; at < luma.length; at += 1) {
    const [red, green, blue] = [rgb[3 * at] ?? 0, rgb[3 * at + 1] ?? 0, rgb[3 * at + 2] ?? 0];
    luma[at] = Math.round(LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue);
  }
  return luma;
}
