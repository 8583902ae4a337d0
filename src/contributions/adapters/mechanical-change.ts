import {
  type Backdrop,
  CHANNELS,
  isSeenDifferent,
  type PicturePixels,
  type PictureSize,
  pixelsOf,
  reduced,
} from './picture-pixels.js';

/** Saving a picture again leaves single pixels that differ; more than these are somebody's work. */
const MAX_DIFFERENT_SHARE = 0.001;
const THUMB_SIDE = 32;
/** Of a thumbnail: mean difference per channel up to which it is looked at closely. */
const MAX_THUMB_DIFFERENCE = 6;

/** Where a pixel of the result comes from, in a picture of the given sides before the turn. */
type Source = (x: number, y: number, width: number, height: number) => readonly [x: number, y: number];

interface Turn {
  readonly swapsSides: boolean;
  readonly source: Source;
}

/** All ways to lay a rectangle onto itself, without the one that does nothing. */
const TURNS: readonly Turn[] = [
  { swapsSides: false, source: (x, y, width) => [width - 1 - x, y] },
  { swapsSides: false, source: (x, y, _width, height) => [x, height - 1 - y] },
  { swapsSides: false, source: (x, y, width, height) => [width - 1 - x, height - 1 - y] },
  { swapsSides: true, source: (x, y) => [y, x] },
  { swapsSides: true, source: (x, y, _width, height) => [y, height - 1 - x] },
  { swapsSides: true, source: (x, y, width) => [width - 1 - y, x] },
  { swapsSides: true, source: (x, y, width, height) => [width - 1 - y, height - 1 - x] },
];

/** @param before scaled to the size of `after` */
export async function isMirroredOrTurned(
  beforePath: string,
  before: PicturePixels,
  after: PicturePixels,
  backdrops: readonly Backdrop[],
): Promise<boolean> {
  const square = { width: THUMB_SIDE, height: THUMB_SIDE };
  const [old, now] = [await reduced(before, square), await reduced(after, square)];
  const unturned = meanDifference(old, now, (x, y) => [x, y]);
  for (const { swapsSides, source } of TURNS) {
    const difference = meanDifference(old, now, source);
    if (difference > MAX_THUMB_DIFFERENCE || difference > unturned) continue;
    const whole = swapsSides
      ? await pixelsOf(beforePath, { width: after.height, height: after.width })
      : before;
    if (differentShare(whole, after, source, backdrops) <= MAX_DIFFERENT_SHARE) return true;
  }
  return false;
}

function meanDifference(before: PicturePixels, after: PicturePixels, source: Source): number {
  let sum = 0;
  for (let y = 0; y < after.height; y++)
    for (let x = 0; x < after.width; x++) {
      const [oldX, oldY] = source(x, y, before.width, before.height);
      const [at, to] = [(oldY * before.width + oldX) * CHANNELS, (y * after.width + x) * CHANNELS];
      for (let channel = 0; channel < CHANNELS; channel++)
        sum += Math.abs((before.bytes[at + channel] ?? 0) - (after.bytes[to + channel] ?? 0));
    }
  return sum / (after.width * after.height * CHANNELS);
}

function differentShare(
  before: PicturePixels,
  after: PicturePixels,
  source: Source,
  backdrops: readonly Backdrop[],
): number {
  let count = 0;
  for (let y = 0; y < after.height; y++)
    for (let x = 0; x < after.width; x++) {
      const [oldX, oldY] = source(x, y, before.width, before.height);
      const at = (oldY * before.width + oldX) * CHANNELS;
      if (isSeenDifferent(before.bytes, at, after.bytes, (y * after.width + x) * CHANNELS, backdrops))
        count += 1;
    }
  return count / (after.width * after.height);
}

/** Below this a small copy shows too little of the picture to say anything. */
const MIN_REDUCED_SIDE = 16;
const REDUCTION = 4;
/** Two ways of scaling put hard edges half a pixel apart. */
const MAX_SHARE_OF_EDGES = 0.002;

/**
 * Whether the two look the same in a copy of a quarter of the size. Then they differ as much as compression, noise or
 * another way of scaling makes them differ. A stroke of a single pixel still shows in the copy when it can be seen well.
 * @param before scaled to the size of `after`
 */
export async function isResampled(
  before: PicturePixels,
  after: PicturePixels,
  { backdrops, isScaled }: { readonly backdrops: readonly Backdrop[]; readonly isScaled: boolean },
): Promise<boolean> {
  const size = {
    width: Math.floor(after.width / REDUCTION),
    height: Math.floor(after.height / REDUCTION),
  };
  if (size.width < MIN_REDUCED_SIDE || size.height < MIN_REDUCED_SIDE) return false;
  const [old, now] = [await reduced(before, size), await reduced(after, size)];
  const share = differentShare(old, now, (x, y) => [x, y], backdrops);
  return share <= (isScaled ? MAX_SHARE_OF_EDGES : 0);
}

/** Positions in a small copy at most: so many are tried. */
const SEARCH_SIDE = 96;
const SAMPLES_A_SIDE = 24;
/** Above this the whole of the earlier picture is not held in memory beside the others. */
const MAX_SEARCHED_PIXELS = 64_000_000;

/** Whether a picture is a part of an earlier one, cut out and not scaled. */
export async function isCropped(
  beforePath: string,
  { width, height }: PictureSize,
  after: PicturePixels,
  backdrops: readonly Backdrop[],
): Promise<boolean> {
  if (width < after.width || height < after.height || width * height > MAX_SEARCHED_PIXELS) return false;
  if (width === after.width && height === after.height) return false;
  const whole = await pixelsOf(beforePath);
  const step = Math.max(1, Math.ceil(Math.max(width, height) / SEARCH_SIDE));
  const place = await roughPlace(whole, after, step);
  const [left, top] = finePlace(whole, after, place, step);
  return differentShare(whole, after, (x, y) => [left + x, top + y], backdrops) <= MAX_DIFFERENT_SHARE;
}

type Place = readonly [left: number, top: number];

async function roughPlace(whole: PicturePixels, part: PicturePixels, step: number): Promise<Place> {
  const smaller = ({ width, height }: PicturePixels) => ({
    width: Math.max(1, Math.round(width / step)),
    height: Math.max(1, Math.round(height / step)),
  });
  const [old, now] = [await reduced(whole, smaller(whole)), await reduced(part, smaller(part))];
  const [left, top] = bestPlace(old, now, {
    ...{ left: 0, top: 0 },
    ...{ right: old.width - now.width, bottom: old.height - now.height },
  });
  return [left * step, top * step];
}

function finePlace(whole: PicturePixels, part: PicturePixels, [left, top]: Place, step: number): Place {
  const reach = step + 1;
  return bestPlace(whole, part, {
    left: Math.max(0, left - reach),
    top: Math.max(0, top - reach),
    right: Math.min(whole.width - part.width, left + reach),
    bottom: Math.min(whole.height - part.height, top + reach),
  });
}

/** Where the part lies best, judged by pixels of an even grid. */
function bestPlace(
  whole: PicturePixels,
  part: PicturePixels,
  range: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number },
): Place {
  const points = gridOf(part);
  let [best, found]: [number, Place] = [Number.POSITIVE_INFINITY, [range.left, range.top]];
  for (let top = range.top; top <= range.bottom; top++)
    for (let left = range.left; left <= range.right; left++) {
      const difference = differenceAt(whole, part, points, [left, top], best);
      if (difference < best) [best, found] = [difference, [left, top]];
    }
  return found;
}

function gridOf({ width, height }: PicturePixels): Place[] {
  const across = (side: number): number[] => {
    const count = Math.min(side, SAMPLES_A_SIDE);
    return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * side) / count));
  };
  return across(height).flatMap((y) => across(width).map((x): Place => [x, y]));
}

/** Ends early where it is worse than another place already. */
function differenceAt(
  whole: PicturePixels,
  part: PicturePixels,
  points: readonly Place[],
  [left, top]: Place,
  limit: number,
): number {
  let sum = 0;
  for (const [x, y] of points) {
    const at = ((top + y) * whole.width + left + x) * CHANNELS;
    const to = (y * part.width + x) * CHANNELS;
    for (let channel = 0; channel < CHANNELS; channel++)
      sum += Math.abs((whole.bytes[at + channel] ?? 0) - (part.bytes[to + channel] ?? 0));
    if (sum >= limit) return sum;
  }
  return sum;
}
