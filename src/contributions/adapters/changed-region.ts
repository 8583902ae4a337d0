import { sharp } from '../../assets/adapters/libvips.js';
import { type ChangedRegion } from '../domain/contribution.js';

/** Differences up to this much per channel (of 255) come from recompression, not from a hand. */
const CHANNEL_TOLERANCE = 12;
const CHANNELS = 4;
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
): Promise<ChangedRegion | undefined> {
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
  let [left, top, right, bottom, changed] = [width, height, -1, -1, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!differs(before, after.data, (y * width + x) * CHANNELS)) continue;
      changed += 1;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (changed === 0) return undefined;
  return {
    left,
    top,
    width: right - left + 1,
    height: bottom - top + 1,
    changedShare: Math.round((changed / (width * height)) * 1e6) / 1e6,
  };
}

function differs(before: Buffer, after: Buffer, offset: number): boolean {
  for (let channel = 0; channel < CHANNELS; channel++) {
    const a = before[offset + channel] ?? 0;
    const b = after[offset + channel] ?? 0;
    if (Math.abs(a - b) > CHANNEL_TOLERANCE) return true;
  }
  return false;
}
