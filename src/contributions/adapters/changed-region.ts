import { setImmediate } from 'node:timers/promises';
import { sharp } from '../../assets/adapters/libvips.js';
import { type VersionDifference } from '../domain/contribution.js';
import { DifferencePicture } from './difference-picture.js';

/** Differences up to this much per channel (of 255) come from recompression, not from a hand. */
const CHANNEL_TOLERANCE = 12;
const CHANNELS = 4;
const ROWS_AT_ONCE = 256;
/** As strict as the probe that let these files in: what passed there must not fail here. */
const AS_PROBED = { failOn: 'error' } as const;

/**
 * Compares two pictures pixel by pixel. A version of another size is compared after scaling the old one to it, so
 * that a crop or an enlargement shows as a change of everything it moved.
 * @returns `undefined` when no pixel differs beyond the tolerance
 */
export async function changedRegion(
  beforePath: string,
  afterPath: string,
): Promise<VersionDifference | undefined> {
  const after = await sharp(afterPath, AS_PROBED)
    .rotate()
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = after.info;
  const before = await sharp(beforePath, AS_PROBED)
    .rotate()
    .resize(width, height, { fit: 'fill' })
    .ensureAlpha()
    .raw()
    .toBuffer();
  const [old, now] = [pixelsOf(before), pixelsOf(after.data)];
  const picture = new DifferencePicture(width, height);
  let [left, top, right, bottom, changed] = [width, height, -1, -1, 0];
  for (let y = 0; y < height; y++) {
    // Other requests are answered between bands of a large picture.
    if (y % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await setImmediate();
    for (let x = 0, i = y * width; x < width; x++, i++) {
      if (old.words[i] === now.words[i] || !differs(old.bytes, now.bytes, i * CHANNELS)) continue;
      changed += 1;
      picture.mark(x, y);
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (changed === 0) return undefined;
  return {
    region: {
      left,
      top,
      width: right - left + 1,
      height: bottom - top + 1,
      changedShare: Math.round((changed / (width * height)) * 1e6) / 1e6,
    },
    changedPixels: changed,
    picture: await picture.png(),
  };
}

/** The same memory as bytes and as one word a pixel: most pixels are equal, and one comparison says so. */
function pixelsOf(data: Buffer): { readonly bytes: Uint8Array; readonly words: Uint32Array } {
  const bytes = data.byteOffset % 4 === 0 ? data : Buffer.from(new Uint8Array(data));
  return { bytes, words: new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / CHANNELS) };
}

function differs(before: Uint8Array, after: Uint8Array, offset: number): boolean {
  for (let i = offset; i < offset + CHANNELS; i++) {
    const difference = (before[i] ?? 0) - (after[i] ?? 0);
    if (difference > CHANNEL_TOLERANCE || difference < -CHANNEL_TOLERANCE) return true;
  }
  return false;
}
