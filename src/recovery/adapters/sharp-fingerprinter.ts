import { sharp } from '../../assets/adapters/libvips.js';
import { MAX_PIXELS_TOTAL } from '../../assets/domain/media-probe/media-limits.js';
import {
  type PictureFingerprint,
  type PictureFingerprinter,
} from '../../assets/domain/picture-fingerprint.js';
import { imageCodeBits, NORMALIZED_SIDE } from '../domain/iscc/image-code.js';

/** A border is looked for in a picture of at most this side, so that no picture needs more memory than a small one. */
const WORKING_SIDE = 256;
/** How far a channel may be from the upper left pixel and still be border (libvips `find_trim`). */
const BORDER_TOLERANCE = 10;
const TIMEOUT_SECONDS = 30;
/** ITU-R BT.601 luma. */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * Normalizes as ISO 24138:2024 says (IEP-0004 "Processing"): orientation tag applied, white under what is transparent,
 * even borders cut (in one of the two codes), 32 x 32, gray. What the standard leaves open is fixed here, and a change of it is another version
 * of the normalization: sRGB with 8 bits; the first frame of an animation; at most 256 pixels a side before the border
 * is cut with a tolerance of 10, without a median filter; `cubic` (Catmull-Rom, widened when reducing) for both resizes,
 * without the shrinking of the JPEG decoder; BT.601 luma of the small picture.
 *
 * Pixels are counted in libvips' own threads. What is left for this one is the transform of 1,024 numbers.
 */
export class SharpFingerprinter implements PictureFingerprinter {
  private failures = 0;

  constructor(private readonly onFailure: (error: unknown) => void) {}

  async fingerprint(path: string): Promise<PictureFingerprint | undefined> {
    try {
      return await fingerprintOf(path);
    } catch (error) {
      this.failures += 1;
      this.onFailure(error);
      return undefined;
    }
  }

  /** Since the start of this process. */
  get failureCount(): number {
    return this.failures;
  }
}

/** @throws Error when the picture cannot be decoded */
export async function fingerprintOf(input: string | Uint8Array): Promise<PictureFingerprint> {
  const working = await decodeSmall(input);
  const [trimmed, whole] = await Promise.all([
    normalizedPixels(openRaw(working).trim({ threshold: BORDER_TOLERANCE, lineArt: true })),
    normalizedPixels(openRaw(working)),
  ]);
  return { trimmed: imageCodeBits(trimmed), whole: imageCodeBits(whole) };
}

type RawPicture = Awaited<ReturnType<typeof decodeSmall>>;

function decodeSmall(input: string | Uint8Array) {
  return sharp(input, { limitInputPixels: MAX_PIXELS_TOTAL, failOn: 'error', sequentialRead: true })
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
