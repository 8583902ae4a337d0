import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { afterFailure, type AttemptFailure } from './attempt.js';
import { NOT_ACCEPTED } from './provider.port.js';
import { type StepPlan } from './step-plan.js';

const other = {
  listingId: 'a@b',
  provider: 'fal',
  endpoint: 'e',
  components: [],
  estimateMicroUsd: '1',
} as const;
const plan: fc.Arbitrary<Pick<StepPlan, 'retry' | 'alternatives'>> = fc.record({
  retry: fc.record({
    attempts: fc.integer({ min: 1, max: 5 }),
    on: fc.uniqueArray(fc.constantFrom(...NOT_ACCEPTED), { minLength: 1 }),
    backoffSeconds: fc.integer({ min: 1, max: 3600 }),
  }),
  alternatives: fc.array(fc.constant(other), { minLength: 1, maxLength: 5 }),
});
const failure: fc.Arbitrary<AttemptFailure> = fc.record({
  code: fc.constantFrom(
    'upstream_error',
    'upstream_timeout',
    'clearance_denied',
    'inputs_erased',
    'deadline_passed',
  ),
  charged: fc.boolean(),
  notAccepted: fc.constantFrom(undefined, ...NOT_ACCEPTED),
});

describe('another try', () => {
  it('is never made after a failure that may have been paid, nor for what no model can help', () => {
    fc.assert(
      fc.property(plan, failure, fc.nat(6), fc.nat(4), (given, failed, made, alternative) => {
        const next = afterFailure(given, { made, alternative }, failed);
        if (failed.charged || !failed.code.startsWith('upstream_')) expect(next).toEqual({ kind: 'fail' });
        if (next.kind === 'retry') expect(given.retry?.on).toContain(failed.notAccepted);
        if (next.kind === 'retry') expect(next.delaySeconds).toBeLessThanOrEqual(3600);
      }),
    );
  });

  it('comes to an end: at most (1 + attempts) requests for each model', () => {
    fc.assert(
      fc.property(plan, fc.infiniteStream(failure), (given, failures) => {
        let state = { made: 0, alternative: 0 };
        let requests = 0;
        for (const failed of failures) {
          state = { ...state, made: state.made + 1 };
          requests++;
          const next = afterFailure(given, state, { ...failed, charged: false, code: 'upstream_error' });
          if (next.kind === 'fail') break;
          if (next.kind === 'fallback') state = { made: 0, alternative: next.alternative };
        }
        const models = given.alternatives?.length ?? 1;
        expect(requests).toBeLessThanOrEqual(models * (1 + (given.retry?.attempts ?? 0)));
        expect(requests).toBeGreaterThanOrEqual(models);
      }),
    );
  });

  it('is safe by default: without a word in the definition there is none', () => {
    const busy = { code: 'upstream_error', charged: false, notAccepted: 'rate_limited' as const };
    expect(afterFailure(undefined, { made: 1, alternative: 0 }, busy)).toEqual({ kind: 'fail' });
    expect(afterFailure({}, { made: 1, alternative: 0 }, busy)).toEqual({ kind: 'fail' });
  });
});
