import { sha256 } from '../../../../shared/bytes.js';
import { math } from '../math.js';

/** A source of numbers in [0, 1). The same seed gives the same sequence on every machine. */
export type SeededRandom = () => number;

/**
 * Mulberry32: 32 bits of state, integer arithmetic only, so it does not depend on the platform. It decides where a
 * label line sits, never anything that must be unpredictable.
 */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The first 32 bits of SHA-256 over the text and an integer: free text becomes a seed, nothing else of it is used. */
export function seedFrom(text: string, seed: number): number {
  return sha256(text, '\u0000', String(seed)).readUInt32BE(0);
}

export function pick<T>(random: SeededRandom, choices: readonly [T, ...T[]]): T {
  return choices[math.floor(random() * choices.length)] ?? choices[0];
}

/** Hash of a pixel position to [0, 1): noise that does not depend on the order in which pixels are computed. */
export function pixelNoise(x: number, y: number, salt: number): number {
  let h = math.imul(x + 1, 0x9e3779b1) ^ math.imul(y + 1, 0x85ebca77) ^ math.imul(salt + 1, 0xc2b2ae3d);
  h = math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 4_294_967_296;
}
