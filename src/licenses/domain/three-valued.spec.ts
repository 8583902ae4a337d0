import { describe, expect, it } from '@jest/globals';
import { and, not, or, THREE_VALUES } from './three-valued.js';

describe('three-valued logic', () => {
  it('is strong Kleene logic, for all nine pairs', () => {
    const rank = { no: 0, unknown: 1, yes: 2 } as const;
    for (const a of THREE_VALUES) {
      for (const b of THREE_VALUES) {
        expect(rank[and(a, b)]).toBe(Math.min(rank[a], rank[b]));
        expect(rank[or(a, b)]).toBe(Math.max(rank[a], rank[b]));
        expect(not(and(a, b))).toBe(or(not(a), not(b)));
      }
    }
  });
});
