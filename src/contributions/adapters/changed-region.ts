import { setImmediate } from 'node:timers/promises';
import { type ChangeKind, isTrifling, type VersionDifference } from '../domain/contribution.js';
import { DifferencePicture } from './difference-picture.js';
import { isCropped, isMirroredOrTurned, isResampled } from './mechanical-change.js';
import {
  type Backdrop,
  BACKDROPS,
  CHANNELS,
  hasTransparency,
  isSeenDifferent,
  type PicturePixels,
  pixelsOf,
  sizeOf,
} from './picture-pixels.js';

const ROWS_AT_ONCE = 256;

/**
 * Compares two pictures pixel by pixel, as they are seen. A version of another size is compared after scaling the old one
 * to it, so that a crop or an enlargement shows as a change of everything it moved.
 * @returns `undefined` when no pixel differs beyond the tolerance
 */
export async function changedRegion(
  beforePath: string,
  afterPath: string,
): Promise<VersionDifference | undefined> {
  const after = await pixelsOf(afterPath);
  const before = await pixelsOf(beforePath, after);
  const backdrops = backdropsFor(before, after);
  const { width, height } = after;
  const [old, now] = [words(before.bytes), words(after.bytes)];
  const picture = new DifferencePicture(width, height);
  let [left, top, right, bottom, changed] = [width, height, -1, -1, 0];
  for (let y = 0; y < height; y++) {
    // Other requests are answered between bands of a large picture.
    if (y % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await setImmediate();
    for (let x = 0, i = y * width; x < width; x++, i++) {
      if (old[i] === now[i]) continue;
      const at = i * CHANNELS;
      if (!isSeenDifferent(before.bytes, at, after.bytes, at, backdrops)) continue;
      changed += 1;
      picture.mark(x, y);
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (changed === 0) return undefined;
  const changedShare = Math.round((changed / (width * height)) * 1e6) / 1e6;
  return {
    region: { left, top, width: right - left + 1, height: bottom - top + 1, changedShare },
    changedPixels: changed,
    kind: isTrifling(changed, width * height)
      ? 'trifling'
      : await kindOf(beforePath, before, after, backdrops),
    picture: await picture.png(),
  };
}

/**
 * A format without transparency puts a backdrop of its own under what shone through. It is black or white, and that alone
 * is no change of the picture: the one that explains more is taken.
 */
function backdropsFor(before: PicturePixels, after: PicturePixels): readonly Backdrop[] {
  if (!hasTransparency(before) || hasTransparency(after)) return BACKDROPS;
  const [black, white] = BACKDROPS.map((backdrop) => countDifferent(before, after, [backdrop]));
  return [(black ?? 0) <= (white ?? 0) ? 'black' : 'white'];
}

function countDifferent(before: PicturePixels, after: PicturePixels, backdrops: readonly Backdrop[]): number {
  let count = 0;
  for (let at = 0; at < after.bytes.length; at += CHANNELS)
    if (isSeenDifferent(before.bytes, at, after.bytes, at, backdrops)) count += 1;
  return count;
}

async function kindOf(
  beforePath: string,
  before: PicturePixels,
  after: PicturePixels,
  backdrops: readonly Backdrop[],
): Promise<ChangeKind> {
  const ownSize = await sizeOf(beforePath);
  const isScaled = ownSize.width !== after.width || ownSize.height !== after.height;
  if (await isMirroredOrTurned(beforePath, before, after, backdrops)) return 'mirrored_or_turned';
  if (await isResampled(before, after, { backdrops, isScaled })) return 'resampled';
  return (await isCropped(beforePath, ownSize, after, backdrops)) ? 'cropped' : 'changed';
}

/** The same memory as one word a pixel: most pixels are equal, and one comparison says so. */
function words(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / CHANNELS);
}
