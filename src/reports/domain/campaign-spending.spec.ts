import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { spendingOf, type StepsOfListing } from './campaign-spending.js';

const settled = fc.record({
  basis: fc.constantFrom('billed', 'estimate', 'free', 'stated'),
  settledMicroUsd: fc.bigInt({ min: 0n, max: 10n ** 12n }),
  openSteps: fc.constant(0),
  openMicroUsd: fc.constant(0n),
});
const open = fc.record({
  basis: fc.constant(null),
  settledMicroUsd: fc.constant(0n),
  openSteps: fc.integer({ min: 0, max: 5 }),
  openMicroUsd: fc.bigInt({ min: 0n, max: 10n ** 12n }),
});
const row: fc.Arbitrary<StepsOfListing> = fc
  .tuple(
    fc.record({
      listingId: fc.constantFrom('a@x', 'b@x', 'c@y', null),
      mode: fc.constantFrom('live' as const, 'test' as const),
      succeeded: fc.boolean(),
      steps: fc.integer({ min: 1, max: 1000 }),
    }),
    fc.oneof(settled, open),
  )
  .map(([what, money]) => ({ ...what, ...money }));

describe('what a campaign spent', () => {
  it('is each cent once: models, charged failures, test work and people are together what is settled', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
        const { models, chargedFailures = [], testWork = [], peopleSteps, costs } = spendingOf(rows);
        const parts = [...models, ...chargedFailures, ...testWork, ...(peopleSteps ? [peopleSteps] : [])];
        const sum = parts.reduce((total, { settledMicroUsd }) => total + BigInt(settledMicroUsd), 0n);
        expect(sum.toString()).toBe(costs.settledMicroUsd);
        const known = Object.values(costs.basis).reduce((total, steps) => total + steps, 0);
        expect(known).toBe(costs.settledSteps);
        const shares = models.reduce((total, { shareBasisPoints }) => total + shareBasisPoints, 0);
        expect(Math.abs(shares - (models.length === 0 ? 0 : 10_000))).toBeLessThanOrEqual(models.length);
      }),
    );
  });

  it('names among models none but those that made something with a live key', () => {
    const one: StepsOfListing = {
      listingId: 'a@x',
      mode: 'live',
      succeeded: true,
      steps: 3,
      settledMicroUsd: 30n,
      basis: 'billed',
      openSteps: 0,
      openMicroUsd: 0n,
    };
    const spending = spendingOf([
      one,
      { ...one, succeeded: false, steps: 2, settledMicroUsd: 20n, basis: 'stated' },
      {
        ...one,
        succeeded: false,
        steps: 7,
        settledMicroUsd: 0n,
        basis: null,
        openSteps: 1,
        openMicroUsd: 5n,
      },
      { ...one, mode: 'test', settledMicroUsd: 0n, basis: 'free' },
      { ...one, listingId: null, steps: 1, settledMicroUsd: 0n, basis: null },
    ]);
    expect(spending).toEqual({
      models: [{ listingId: 'a@x', steps: 3, settledMicroUsd: '30', shareBasisPoints: 10_000 }],
      chargedFailures: [{ listingId: 'a@x', steps: 2, settledMicroUsd: '20' }],
      testWork: [{ listingId: 'a@x', steps: 3, settledMicroUsd: '0' }],
      peopleSteps: { steps: 1, settledMicroUsd: '0' },
      costs: {
        settledMicroUsd: '50',
        openMicroUsd: '5',
        settledSteps: 8,
        openSteps: 1,
        basis: { billed: 3, stated: 2, free: 3 },
      },
    });
  });
});
