import { describe, expect, it } from '@jest/globals';
import { pauseAfterMs } from './sequencer.js';

describe('the pause between two publications', () => {
  it('is the least one while little is to be done', () => {
    expect(pauseAfterMs(0, 50)).toBe(50);
    expect(pauseAfterMs(60, 50)).toBe(50);
  });

  it('leaves most of the time to others under load', () => {
    expect(pauseAfterMs(150, 50)).toBe(300);
  });

  it('keeps no entry waiting for more than a second', () => {
    expect(pauseAfterMs(60_000, 50)).toBe(1_000);
  });
});
