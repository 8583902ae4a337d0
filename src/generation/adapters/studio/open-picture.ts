import { sniffStillImage } from '../../../assets/domain/media-probe/still-image-type.js';
import { MAX_PIXELS_TOTAL } from '../../../assets/domain/media-probe/media-limits.js';
import { sharp } from '../../../assets/adapters/libvips.js';
import { ColophonError, isColophonError } from '../../../shared/errors.js';
import type { StudioPicture } from './studio-picture.js';

/** Operations that touch every pixel in this process hold several copies: 40 megapixels are 160 MB each. */
export const MAX_STUDIO_PIXELS = 40_000_000;

/** Pixels in hand: sRGB, 8 bits, straight alpha. */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;
}

/**
 * A libvips pipeline at its beginning: orientation applied, colors converted to sRGB from whatever profile the file
 * has, first frame only. Nothing of the file's metadata survives, because no operation asks to keep it.
 */
export function openPicture(bytes: Buffer) {
  if (!sniffStillImage(bytes)) {
    throw new ColophonError('unsupported_media', 'The input of this step is not a supported still picture.');
  }
  return sharp(bytes, { limitInputPixels: MAX_PIXELS_TOTAL, failOn: 'truncated' })
    .autoOrient()
    .toColourspace('srgb');
}

/** Width and height as shown, from the header. @throws ColophonError `media_corrupt` or `unsupported_media` */
export async function shownSize(
  bytes: Buffer,
): Promise<{ width: number; height: number; hasAlpha: boolean }> {
  const header = await readable(() => openPicture(bytes).metadata());
  return { ...header.autoOrient, hasAlpha: header.hasAlpha };
}

/** @throws ColophonError `media_too_large` above {@link MAX_STUDIO_PIXELS} */
export async function readRgba(bytes: Buffer): Promise<RgbaImage> {
  const { width, height } = await shownSize(bytes);
  assertStudioSize(width, height);
  const { data, info } = await readable(() =>
    openPicture(bytes).ensureAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }),
  );
  return { width: info.width, height: info.height, data };
}

export function assertStudioSize(width: number, height: number): void {
  if (width * height > MAX_STUDIO_PIXELS) {
    throw new ColophonError(
      'media_too_large',
      `The studio works on pictures of at most ${MAX_STUDIO_PIXELS / 1_000_000} megapixels; this would be ${width} x ${height}.`,
    );
  }
}

export async function encodeRgbaPng({ data, width, height }: RgbaImage): Promise<StudioPicture> {
  const bytes = await sharp(data, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 7 })
    .toBuffer();
  return { bytes, mediaType: 'image/png', width, height };
}

/** Runs a pipeline of libvips; what it throws is a damaged input, since parameters were checked before. */
export async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isColophonError(error)) throw error;
    throw new ColophonError('media_corrupt', 'The input of this step cannot be decoded.', { cause: error });
  }
}
