import { type ByteSource } from '../byte-source.js';
import { type Box, isC2paBox, topLevelBoxes } from '../iso-media-manifest-store.js';
import { type Stretch } from '../manifest-store-slice.js';
import { someMediaPlace } from './media-places.js';

/** Whether a hash leaves out what is in a box at the top level. */
export type LeavesOut = (box: Box) => boolean;

/** Padding by its name; whoever wants to can put anything there. */
export const PADDING: ReadonlySet<string> = new Set(['free', 'skip']);
/** What hashes that we write leave out beside padding and C2PA's own boxes. */
const NOT_HASHED: ReadonlySet<string> = new Set(['ftyp', 'mfra']);

export function ourHashLeavesOut(box: Box): boolean {
  return PADDING.has(box.type) || NOT_HASHED.has(box.type) || isC2paBox(box);
}

/**
 * Whether pictures or sounds of a file of ISO base media lie where a hash does not look: its sample tables, fragments, items
 * or indexes point into a box that is left out, or behind the last box, or its only movie header lies in padding. What
 * else lies in padding is nobody's business: encoders leave all sorts of things there.
 */
export async function isMediaLeftOut(file: ByteSource, leavesOut: LeavesOut): Promise<boolean> {
  const { stretches, movieIsPadding } = await leftOutStretches(file, leavesOut);
  if (movieIsPadding) return true;
  return someMediaPlace(file, (offset, sizeBytes) => touches(stretches, offset, sizeBytes));
}

async function leftOutStretches(
  file: ByteSource,
  leavesOut: LeavesOut,
): Promise<{ readonly stretches: readonly Stretch[]; readonly movieIsPadding: boolean }> {
  const stretches: Stretch[] = [];
  let end = 0;
  let hasMovie = false;
  let hasMovieInPadding = false;
  for await (const box of topLevelBoxes(file)) {
    end = box.offset + box.sizeBytes;
    if (box.type === 'moov') hasMovie = true;
    if (!leavesOut(box)) continue;
    if (PADDING.has(box.type)) hasMovieInPadding ||= beginsLikeMovie(box);
    const { offset, headerBytes, sizeBytes } = box;
    if (sizeBytes > headerBytes)
      stretches.push({ offset: offset + headerBytes, sizeBytes: sizeBytes - headerBytes });
  }
  if (end < file.sizeBytes) stretches.push({ offset: end, sizeBytes: file.sizeBytes - end });
  return { stretches, movieIsPadding: hasMovieInPadding && !hasMovie };
}

/** Where there is no `moov`, players (libavformat) look for one whose name was overwritten. */
function beginsLikeMovie({ head, headerBytes }: Box): boolean {
  return ['mvhd', 'cmov'].includes(head.toString('latin1', headerBytes + 4, headerBytes + 8));
}

/** The stretches are in order and do not overlap. */
function touches(stretches: readonly Stretch[], offset: number, sizeBytes: number): boolean {
  let [low, high] = [0, stretches.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const { offset: start = 0, sizeBytes: length = 0 } = stretches[middle] ?? {};
    if (start + length > offset) high = middle;
    else low = middle + 1;
  }
  const first = stretches[low];
  return first !== undefined && first.offset < offset + sizeBytes;
}
