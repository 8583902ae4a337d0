import { math } from '../math.js';

/** Binary masks, one byte per pixel, 0 or 1. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** 1 where every pixel of the square around it is 1; outside the picture counts as 1. */
export function erode(mask: Mask, radius: number): Mask {
  return invert(dilate(invert(mask), radius));
}

/** 1 where any pixel of the square around it is 1. Two passes, so the cost does not depend on the radius. */
export function dilate(mask: Mask, radius: number): Mask {
  if (radius <= 0) return mask;
  const { width, height } = mask;
  const rows = new Uint8Array(width * height);
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) spread(mask.data, rows, y * width, 1, width, radius);
  for (let x = 0; x < width; x++) spread(rows, out, x, width, height, radius);
  return { width, height, data: out };
}

function spread(
  from: Uint8Array,
  to: Uint8Array,
  start: number,
  stride: number,
  count: number,
  radius: number,
): void {
  let until = -1;
  for (let i = 0; i < math.min(radius, count); i++) if (from[start + i * stride] === 1) until = i + radius;
  for (let i = 0; i < count; i++) {
    const ahead = i + radius;
    if (ahead < count && from[start + ahead * stride] === 1) until = ahead + radius;
    if (i <= until) to[start + i * stride] = 1;
  }
}

export function invert({ width, height, data }: Mask): Mask {
  return { width, height, data: data.map((value) => 1 - value) };
}

export function coverage({ data }: Mask): number {
  let count = 0;
  for (const value of data) count += value;
  return count / data.length;
}

/** Keeps the largest region of ones, neighbors in four directions. */
export function largestComponent({ width, height, data }: Mask): Mask {
  const labels = new Int32Array(width * height);
  const queue = new Int32Array(width * height);
  let [best, bestSize, next] = [0, 0, 0];
  for (let start = 0; start < data.length; start++) {
    if (data[start] !== 1 || labels[start] !== 0) continue;
    next += 1;
    const size = flood(data, labels, queue, width, start, next);
    if (size > bestSize) [best, bestSize] = [next, size];
  }
  return { width, height, data: Uint8Array.from(labels, (label) => (label !== 0 && label === best ? 1 : 0)) };
}

function flood(
  data: Uint8Array,
  labels: Int32Array,
  queue: Int32Array,
  width: number,
  start: number,
  label: number,
): number {
  let tail = 1;
  queue[0] = start;
  labels[start] = label;
  for (let head = 0; head < tail; head++) {
    const at = queue[head] ?? 0;
    const x = at % width;
    const neighbors = [x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1, at - width, at + width];
    for (const to of neighbors) {
      if (to < 0 || to >= data.length || data[to] !== 1 || labels[to] !== 0) continue;
      labels[to] = label;
      queue[tail++] = to;
    }
  }
  return tail;
}
