import { describe, expect, it } from '@jest/globals';
import { variantsOf } from './call-variants.js';

const seedsOf = (seed: number) => {
  const { variant } = variantsOf(3, { prompt: 'x', seed }, false);
  return [0, 1, 2].map((ordinal) => variant(ordinal).seed);
};

describe('several pictures of one call', () => {
  it('have seeds that count up from the one that was given, each its own', () => {
    expect(seedsOf(7)).toEqual([7, 8, 9]);
    for (const seed of [0, -5, 0.5, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1]) {
      expect(seedsOf(seed)[0]).toBe(seed);
      expect(new Set(seedsOf(seed)).size).toBe(3);
    }
  });

  it('are refused with a seed next to which there is no other number', () => {
    expect(() => seedsOf(2 ** 64)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(variantsOf(1, { seed: 2 ** 64 }, false).values).toEqual({ seed: 2 ** 64 });
  });

  it('leave it to the vendor when no seed was given, and differ in the sandbox', () => {
    expect(variantsOf(2, { prompt: 'x' }, false).variant(1)).toEqual({});
    expect(variantsOf(2, { prompt: 'x' }, true).variant(1)).toEqual({ seed: 1 });
  });
});
