import { NORMALIZED_SIDE } from '../../../assets/domain/picture-fingerprint.js';
import { CONTENT_SUBTYPES, type IsccUnit, MAIN_TYPES } from './iscc-unit.js';

const WINDOW_SIDE = 8;
/** (x, y) of the upper left corners, in this order; each window gives 64 bits. */
const WINDOWS = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
] as const;
/** Rows and columns of the coefficient matrix that a window reaches. */
const NEEDED = WINDOW_SIDE + 1;
export const IMAGE_CODE_BYTES = 32;

/**
 * The bits of the ISCC Image-Code version 0 (ISO 24138:2024): type-II cosine transform of the rows and then of the
 * columns; in each of four overlapping 8 x 8 windows a bit is 1 where the coefficient is above the window's median.
 * The windows share 49 of their 64 coefficients, so the 256 bits hold some 81 independent ones.
 *
 * @param pixels 1,024 gray values from 0 to 255, row by row
 * @returns 32 bytes, most significant bit first
 */
export function imageCodeBits(pixels: ArrayLike<number>): Uint8Array {
  if (pixels.length !== NORMALIZED_SIDE ** 2) throw new Error('the image code is over 32 x 32 gray values');
  const matrix = lowCoefficients(pixels);
  const bits = new Uint8Array(IMAGE_CODE_BYTES);
  let at = 0;
  for (const [x, y] of WINDOWS) {
    const window: number[] = [];
    for (let row = y; row < y + WINDOW_SIDE; row += 1)
      for (let column = x; column < x + WINDOW_SIDE; column += 1) window.push(matrix[row]?.[column] ?? 0);
    const middle = median(window);
    for (const value of window) {
      if (value > middle) bits[at >> 3] = (bits[at >> 3] ?? 0) | (0x80 >> (at & 7));
      at += 1;
    }
  }
  return bits;
}

/** The unit of these bits, or of their beginning. */
export function imageUnit(bits: Uint8Array): IsccUnit {
  return { mainType: MAIN_TYPES.content, subType: CONTENT_SUBTYPES.image, version: 0, body: bits };
}

/** `matrix[row][column]`, only as far as a window reaches. */
function lowCoefficients(pixels: ArrayLike<number>): number[][] {
  const side = NORMALIZED_SIDE;
  const rows = Float64Array.from(pixels);
  const columns = new Float64Array(NEEDED * side);
  const scratch = new Float64Array(side * side);
  for (let row = 0; row < side; row += 1) {
    cosineTransform(rows, row * side, side, scratch);
    for (let column = 0; column < NEEDED; column += 1)
      columns[column * side + row] = rows[row * side + column] ?? 0;
  }
  for (let column = 0; column < NEEDED; column += 1) cosineTransform(columns, column * side, side, scratch);
  return Array.from({ length: NEEDED }, (_, row) =>
    Array.from({ length: NEEDED }, (_value, column) => columns[column * side + row] ?? 0),
  );
}

/** 2 cos(pi (n + 1/2) / N), by N. */
const WEIGHTS = new Map(
  [2, 4, 8, 16, 32].map((length) => [
    length,
    Float64Array.from({ length: length / 2 }, (_, at) => Math.cos(((at + 0.5) * Math.PI) / length) * 2),
  ]),
);

/**
 * Type-II discrete cosine transform without scaling, X[k] = sum over n of x[n] cos(pi (n + 1/2) k / N), in place, for a
 * length that is a power of two up to 32, by Lee's recursion (IEEE ASSP-32, 1984): sums of mirrored values give the even
 * coefficients, weighted differences the odd ones. It matters which algorithm: an even picture must give zeros, not
 * rounding noise, or its bits would be noise as well.
 */
function cosineTransform(values: Float64Array, offset: number, length: number, scratch: Float64Array): void {
  const weights = WEIGHTS.get(length);
  if (weights === undefined) return;
  const half = length / 2;
  const middle = offset + half;
  for (let at = 0; at < half; at += 1) {
    const near = values[offset + at] ?? 0;
    const far = values[offset + length - 1 - at] ?? 0;
    scratch[offset + at] = near + far;
    scratch[middle + at] = (near - far) / (weights[at] ?? 1);
  }
  cosineTransform(scratch, offset, half, values);
  cosineTransform(scratch, middle, half, values);
  for (let at = 0; at < half; at += 1) {
    const next = at + 1 < half ? (scratch[middle + at + 1] ?? 0) : 0;
    values[offset + 2 * at] = scratch[offset + at] ?? 0;
    values[offset + 2 * at + 1] = (scratch[middle + at] ?? 0) + next;
  }
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length / 2;
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** In how many of 256 bits two codes differ. */
export function hammingDistance(a: Uint8Array, b: Uint8Array): number {
  let distance = 0;
  for (let at = 0; at < IMAGE_CODE_BYTES; at += 1) {
    let different = (a[at] ?? 0) ^ (b[at] ?? 0);
    for (; different !== 0; different &= different - 1) distance += 1;
  }
  return distance;
}
