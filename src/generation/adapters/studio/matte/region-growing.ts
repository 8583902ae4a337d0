import { BackdropModel } from './backdrop-model.js';
import type { LabImage } from './lab-image.js';
import { dilate } from './mask.js';
import { math } from '../math.js';

/** A step of this size in OKLab between a pixel and the backdrop next to it is an edge, not shading. */
const EDGE_STEP = 0.016;
/** How far a border pixel may be from the median of its side and still be taken for backdrop. */
const SEED_DISTANCE = 0.16;
/** Gaps of an outline up to about twice this share of the longer side are closed. */
const GAP_SHARE = 0.008;
/** How far from the seam a contact shadow is looked for, and how steep it may be. */
const SHADOW_SHARE = 0.06;
const SHADOW_STEP = 0.045;
/** The more the subject differs in hue from the backdrop, the surer a shadow can be told from it. */
const SHADOW_HUE_SHARE = 0.32;
const SHADOW_HUE_RANGE = [0.012, 0.035] as const;
/** How fast the estimate of the backdrop follows the pixels: about the last 7 of them count. */
const FOLLOW = 0.15;
/** How far the backdrop may be from what the border predicts: a lit spot is lighter, a shadow is darker. */
const MAX_LIGHTER = 0.25;
const MAX_DARKER = 0.36;
const MAX_CHROMA_DISTANCE = 0.05;
/** Shadows darken a backdrop without changing its hue, so darkening counts less than a change of color. */
const DARKENING_WEIGHT = 0.75;

/**
 * Marks the backdrop: 1 where it is, 0 where something stands before it.
 *
 * Grows inwards from the border. Each pixel taken carries an estimate of the backdrop at its place, a running mean
 * along the way it was reached, so gradients and soft shadows are followed while an edge stops the growth. An outline
 * has faint places, so the first pass keeps a distance from every edge and cannot slip through a gap; the second pass
 * then grows the remaining few pixels up to the edge.
 */
export function growBackdrop(image: LabImage): Uint8Array {
  const { width, height } = image;
  const step = EDGE_STEP + 3 * borderNoise(image);
  const reach = math.max(2, math.round(math.max(width, height) * GAP_SHARE));
  const edges = dilate({ width, height, data: edgesOf(image, step * 1.5) }, reach);
  const growth: Growth = {
    image,
    step,
    backdrop: new Uint8Array(width * height),
    estimate: new Float32Array(image.lab),
    queue: new Int32Array(width * height),
    tail: 0,
  };
  const model = new BackdropModel(image, seedBorder(growth));
  grow(growth, 0, Infinity, (at) => edges.data[at] === 0 && isPlausible(model, image.lab, at));
  const firstPass = growth.tail;
  // From the seam only, and no farther than the distance that was kept.
  growth.tail = requeue(growth, firstPass);
  grow(growth, 0, reach + 1, (at) => isPlausible(model, image.lab, at));
  trimContactShadow(growth);
  return growth.backdrop;
}

interface Growth {
  readonly image: LabImage;
  readonly step: number;
  readonly backdrop: Uint8Array;
  readonly estimate: Float32Array;
  readonly queue: Int32Array;
  /** Length of the part of the queue that is filled. */
  tail: number;
}

/** Breadth first, at most `rounds` rings beyond the pixels that are queued. */
function grow(growth: Growth, head: number, rounds: number, allowed: (at: number) => boolean): void {
  const { image, backdrop, estimate, queue, step } = growth;
  const { width, height, lab } = image;
  for (let round = 0; round < rounds && head < growth.tail; round++) {
    for (const end = growth.tail; head < end; head++) {
      const from = queue[head] ?? 0;
      const x = from % width;
      for (let side = 0; side < 4; side++) {
        const to = neighbor(from, x, side, width, height);
        if (to < 0 || backdrop[to] === 1 || distance(lab, to, estimate, from) > step || !allowed(to))
          continue;
        backdrop[to] = 1;
        for (let c = 0; c < 3; c++) {
          const old = estimate[from * 3 + c] ?? 0;
          estimate[to * 3 + c] = old + FOLLOW * ((lab[to * 3 + c] ?? 0) - old);
        }
        queue[growth.tail++] = to;
      }
    }
  }
}

/**
 * The shadow where the subject stands is too steep to pass for shading. Around the foot of the subject, and a little
 * way only, the backdrop may therefore also darken quickly as long as it keeps its hue: a shadow is the backdrop times
 * a factor. The estimate of the unshaded backdrop is carried along unchanged.
 */
function trimContactShadow(growth: Growth): void {
  const { image, backdrop, estimate, queue } = growth;
  const { width, height, lab } = image;
  const foot = footOf(image, backdrop);
  const tolerance = shadowTolerance(image, backdrop);
  growth.tail = requeue(growth, growth.tail);
  let head = 0;
  const rounds = math.round(math.max(width, height) * SHADOW_SHARE);
  for (let round = 0; round < rounds && head < growth.tail; round++) {
    for (const end = growth.tail; head < end; head++) {
      const from = queue[head] ?? 0;
      for (let side = 0; side < 4; side++) {
        const to = neighbor(from, from % width, side, width, height);
        if (to < foot * width || backdrop[to] === 1) continue;
        if (distance(lab, to, lab, from) > SHADOW_STEP || !isShadowOf(estimate, from, lab, to, tolerance))
          continue;
        backdrop[to] = 1;
        for (let c = 0; c < 3; c++) estimate[to * 3 + c] = estimate[from * 3 + c] ?? 0;
        queue[growth.tail++] = to;
      }
    }
  }
}

/** Distance in a and b within which a pixel has the hue of the backdrop, from the mean colors of both sides. */
function shadowTolerance({ lab }: LabImage, backdrop: Uint8Array): number {
  const sums = [0, 0, 0, 0];
  const counts = [0, 0];
  for (let at = 0; at < backdrop.length; at++) {
    const side = backdrop[at] ?? 0;
    counts[side] = (counts[side] ?? 0) + 1;
    for (let c = 0; c < 2; c++) sums[side * 2 + c] = (sums[side * 2 + c] ?? 0) + (lab[at * 3 + 1 + c] ?? 0);
  }
  const mean = (i: number) => (sums[i] ?? 0) / math.max(1, counts[i >> 1] ?? 1);
  const difference = math.hypot(mean(0) - mean(2), mean(1) - mean(3));
  const [least, most] = SHADOW_HUE_RANGE;
  return math.min(most, math.max(least, SHADOW_HUE_SHARE * difference));
}

/** Row where the lowest eighth of the subject begins. */
function footOf({ width, height }: LabImage, backdrop: Uint8Array): number {
  const top = math.floor(backdrop.indexOf(0) / width);
  const bottom = math.floor(backdrop.lastIndexOf(0) / width);
  return top < 0 ? height : math.round(bottom - (bottom - top) / 8);
}

function isShadowOf(
  estimate: Float32Array,
  from: number,
  lab: Float32Array,
  to: number,
  tolerance: number,
): boolean {
  const factor = (lab[to * 3] ?? 0) / math.max(0.05, estimate[from * 3] ?? 0);
  const da = (lab[to * 3 + 1] ?? 0) - factor * (estimate[from * 3 + 1] ?? 0);
  const db = (lab[to * 3 + 2] ?? 0) - factor * (estimate[from * 3 + 2] ?? 0);
  return factor > 0.4 && factor < 1.03 && da * da + db * db < tolerance ** 2;
}

function neighbor(from: number, x: number, side: number, width: number, height: number): number {
  if (side === 0) return x > 0 ? from - 1 : -1;
  if (side === 1) return x < width - 1 ? from + 1 : -1;
  if (side === 2) return from - width;
  return from < width * (height - 1) ? from + width : -1;
}

/** Moves those of the first `count` queued pixels that have a neighbor outside to the front; returns how many. */
function requeue({ image, backdrop, queue }: Growth, count: number): number {
  const { width, height } = image;
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const at = queue[i] ?? 0;
    const open = [0, 1, 2, 3].some((side) => {
      const to = neighbor(at, at % width, side, width, height);
      return to >= 0 && backdrop[to] === 0;
    });
    if (open) queue[kept++] = at;
  }
  return kept;
}

/** 1 where the color changes faster than shading does. Central differences over two pixels. */
function edgesOf({ width, height, lab }: LabImage, step: number): Uint8Array {
  const edges = new Uint8Array(width * height);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const across = distance(lab, at + 1, lab, at - 1);
      const down = distance(lab, at + width, lab, at - width);
      if (math.max(across, down) > step) edges[at] = 1;
    }
  }
  return edges;
}

function distance(pixels: Float32Array, at: number, estimate: Float32Array, from: number): number {
  let dl = (pixels[at * 3] ?? 0) - (estimate[from * 3] ?? 0);
  if (dl < 0) dl *= DARKENING_WEIGHT;
  const da = (pixels[at * 3 + 1] ?? 0) - (estimate[from * 3 + 1] ?? 0);
  const db = (pixels[at * 3 + 2] ?? 0) - (estimate[from * 3 + 2] ?? 0);
  return math.sqrt(dl * dl + da * da + db * db);
}

const predicted = new Float64Array(3);

function isPlausible(model: BackdropModel, lab: Float32Array, at: number): boolean {
  model.predict(predicted, at);
  const dl = (lab[at * 3] ?? 0) - (predicted[0] ?? 0);
  const da = (lab[at * 3 + 1] ?? 0) - (predicted[1] ?? 0);
  const db = (lab[at * 3 + 2] ?? 0) - (predicted[2] ?? 0);
  return dl < MAX_LIGHTER && dl > -MAX_DARKER && da * da + db * db < MAX_CHROMA_DISTANCE ** 2;
}

/** Border pixels near the median of their own side; a subject that touches the border is left out. */
function seedBorder(growth: Growth): number[] {
  const { image, backdrop, queue } = growth;
  const { width, height, lab } = image;
  const seeds: number[] = [];
  for (const side of borderSides(width, height)) {
    const middle = Float32Array.from([0, 1, 2], (c) => median(side.map((at) => lab[at * 3 + c] ?? 0)));
    for (const at of side) {
      if (backdrop[at] === 1 || distance(lab, at, middle, 0) > SEED_DISTANCE) continue;
      backdrop[at] = 1;
      queue[growth.tail++] = at;
      seeds.push(at);
    }
  }
  return seeds;
}

/** Median difference of neighbors along the border: grain of film or sensor. Capped, since a pattern is no grain. */
function borderNoise({ width, height, lab }: LabImage): number {
  const differences = borderSides(width, height).flatMap((side) =>
    side.slice(1).map((at, i) => distance(lab, at, lab, side[i] ?? at)),
  );
  return math.min(0.012, median(differences));
}

function borderSides(width: number, height: number): number[][] {
  const across = Array.from({ length: width }, (_, x) => x);
  const down = Array.from({ length: height }, (_, y) => y * width);
  return [across, across.map((x) => x + width * (height - 1)), down, down.map((at) => at + width - 1)];
}

function median(values: number[]): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  return sorted[sorted.length >> 1] ?? 0;
}
