import { decodingStrictness } from '../../assets/adapters/decoding-strictness.js';
import { sharp } from '../../assets/adapters/libvips.js';

/** Differences up to this much per channel (of 255) come from recompression, not from a hand. */
export const CHANNEL_TOLERANCE = 12;
export const CHANNELS = 4;
const OPAQUE = 255;

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** A picture in RGBA, upright. */
export interface PicturePixels extends PictureSize {
  readonly bytes: Uint8Array;
}

/** Upright. */
export async function sizeOf(path: string): Promise<PictureSize> {
  return (await sharp(path).metadata()).autoOrient;
}

/** @param size scaled to it, whatever its shape; its own size by default */
export async function pixelsOf(path: string, size?: PictureSize): Promise<PicturePixels> {
  // As strict as the probe that let these files in: what passed there must not fail here.
  const upright = sharp(path, { failOn: await decodingStrictness(path) }).rotate();
  const scaled = size === undefined ? upright : upright.resize(size.width, size.height, { fit: 'fill' });
  const { data, info } = await scaled
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, bytes: data };
}

/** A smaller copy, each pixel of it the mean of those that it stands for. */
export async function reduced(
  { width, height, bytes }: PicturePixels,
  size: PictureSize,
): Promise<PicturePixels> {
  const { data } = await sharp(bytes, { raw: { width, height, channels: CHANNELS } })
    .resize(size.width, size.height, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { ...size, bytes: data };
}

export function hasTransparency({ bytes }: PicturePixels): boolean {
  for (let i = CHANNELS - 1; i < bytes.length; i += CHANNELS) if (bytes[i] !== OPAQUE) return true;
  return false;
}

/** What a transparent picture is laid on to be compared. */
export type Backdrop = 'black' | 'white';
export const BACKDROPS: readonly Backdrop[] = ['black', 'white'];

/**
 * Whether two pixels are seen as different on one of the backdrops. Color under a transparent pixel is not seen, so it
 * does not count; what shines through differs with the backdrop, so both are asked.
 */
export function isSeenDifferent(
  before: Uint8Array,
  at: number,
  after: Uint8Array,
  to: number,
  backdrops: readonly Backdrop[],
): boolean {
  const [alpha, newAlpha] = [before[at + 3] ?? 0, after[to + 3] ?? 0];
  for (let channel = 0; channel < 3; channel++) {
    const old = ((before[at + channel] ?? 0) * alpha) / OPAQUE;
    const now = ((after[to + channel] ?? 0) * newAlpha) / OPAQUE;
    for (const backdrop of backdrops) {
      const shining = backdrop === 'white' ? newAlpha - alpha : 0;
      if (Math.abs(old - now + shining) > CHANNEL_TOLERANCE) return true;
    }
  }
  return false;
}
