import { describe, expect, it } from '@jest/globals';
import { type AnchorState, isDue, retryDelayMs } from './anchor-state.js';

const now = new Date('2026-11-22T10:00:00Z');
const stateOf = (change: Partial<AnchorState> & { agoMs?: number }): AnchorState => ({
  size: 3,
  failures: 0,
  lastError: undefined,
  conflict: undefined,
  attemptedAt: new Date(now.getTime() - (change.agoMs ?? 0)),
  succeededAt: undefined,
  ...change,
});

describe('the pause after failures', () => {
  it('doubles from 5 seconds and ends at 5 minutes', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 1_000_000].map(retryDelayMs)).toEqual([
      0, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000,
    ]);
  });

  it('is over to the millisecond, and a clock that was set back silences nobody', () => {
    expect(isDue(undefined, now)).toBe(true);
    expect(isDue(stateOf({}), now)).toBe(true);
    expect(isDue(stateOf({ failures: 2, agoMs: 9_999 }), now)).toBe(false);
    expect(isDue(stateOf({ failures: 2, agoMs: 10_000 }), now)).toBe(true);
    expect(isDue(stateOf({ failures: 99, agoMs: -1 }), now)).toBe(true);
  });

  it('never ends for a party that knows another history', () => {
    expect(isDue(stateOf({ conflict: 'another history', agoMs: 10 ** 9 }), now)).toBe(false);
  });
});
