import { IMAGE_CODE_BYTES } from './iscc/image-code.js';

/** Bits of the fingerprint. */
export const CODE_BITS = 8 * IMAGE_CODE_BYTES;

/**
 * In how many of 256 bits two pictures may differ and still be told as similar. Measured on 2,000 synthetic pictures
 * (docs/recovery.md): copies that were recompressed, resized or cropped by 2 % all stay below; 0.02 % of the pairs of
 * distinct pictures do as well, of a series that looks alike 8 %.
 */
export const MAX_DISTANCE = 40;

/** A picture with structure has 128 ones. Below this it is an even area, and all even areas are alike. */
const MIN_ONES = 64;

/** Whether there is enough in a picture to tell it from others. The index keeps to the same limit (migration 0014). */
export function isDistinctive(code: Uint8Array): boolean {
  let ones = 0;
  for (const byte of code) for (let rest = byte; rest !== 0; rest &= rest - 1) ones += 1;
  return ones >= MIN_ONES;
}

/** 100 for equal codes, floor(100 * (1 - distance / 256)) otherwise: unrelated pictures come to about 50. */
export function similarityScore(distance: number): number {
  return Math.floor(100 * (1 - distance / CODE_BITS));
}
