import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { resumptionOf, type EndedStep } from './resumption.js';
import { TERMINAL_STEP_STATES } from './run-states.js';

const step: fc.Arbitrary<Omit<EndedStep, 'key'>> = fc.record({
  state: fc.constantFrom(...TERMINAL_STEP_STATES),
  outputAssetId: fc.constantFrom(undefined, 'asset'),
  skipReason: fc.constantFrom(undefined, 'substituted', 'condition', 'input_missing', 'failed_before'),
  released: fc.boolean(),
});

describe('going on with a run', () => {
  it('keeps what was made, and tries nothing again that may have been paid', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (drawn) => {
        const steps = drawn.map((given, index): EndedStep => ({ ...given, key: `s${index}` }));
        const { substitutes, abandoned, triedAgain } = resumptionOf(steps);
        for (const { key, state, outputAssetId, released } of steps) {
          if (state === 'SUCCEEDED' && outputAssetId !== undefined) expect(substitutes[key]).toBe('asset');
          if (state === 'FAILED' && !released)
            expect([key in substitutes, triedAgain.includes(key)][1]).toBe(false);
          if (triedAgain.includes(key)) expect([state, released]).toEqual(['FAILED', true]);
          if (abandoned.includes(key)) expect(triedAgain).not.toContain(key);
        }
      }),
    );
  });
});
