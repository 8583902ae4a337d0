import { CONTENT_SUBTYPES, type IsccUnit, MAIN_TYPES } from './iscc-unit.js';

/** Side of the square of gray values that is transformed. */
export const NORMALIZED_SIDE = 32;
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
  const rows: number[][] = [];
  for (let row = 0; row < NORMALIZED_SIDE; row += 1) {
    const values = Array.from(
      { length: NORMALIZED_SIDE },
      (_, at) => pixels[row * NORMALIZED_SIDE + at] ?? 0,
    );
    rows.push(cosineTransform(values));
  }
  const columns = Array.from({ length: NEEDED }, (_, column) =>
    cosineTransform(rows.map((row) => row[column] ?? 0)),
  );
  return Array.from({ length: NEEDED }, (_, row) => columns.map((column) => column[row] ?? 0));
}

/**
 * Type-II discrete cosine transform without scaling, X[k] = sum over n of x[n] cos(pi (n + 1/2) k / N), for a length
 * that is a power of two, by Lee's recursion (IEEE ASSP-32, 1984): sums of mirrored values give the even coefficients,
 * weighted differences the odd ones. It matters which algorithm: an even picture must give zeros, not rounding noise,
 * or its bits would be noise as well.
 */
function cosineTransform(values: readonly number[]): number[] {
  const { length } = values;
  if (length === 1) return [...values];
  const half = length / 2;
  const sums: number[] = [];
  const differences: number[] = [];
  for (let at = 0; at < half; at += 1) {
    const [near, far] = [values[at] ?? 0, values[length - 1 - at] ?? 0];
    sums.push(near + far);
    differences.push((near - far) / (2 * Math.cos(((at + 0.5) * Math.PI) / length)));
  }
  const even = cosineTransform(sums);
  const odd = cosineTransform(differences);
  return Array.from({ length }, (_, at) => {
    const from = at >> 1;
    return at % 2 === 0 ? (even[from] ?? 0) : (odd[from] ?? 0) + (odd[from + 1] ?? 0);
  });
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
