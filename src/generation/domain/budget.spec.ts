import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Budget,
  BUDGET_LEVELS,
  budgetsWithout,
  committedMicroUsd,
  endOfMonth,
  limitProblem,
  monthOf,
  refusalText,
  remainingMicroUsd,
  scopeOf,
  softLimitWarnings,
} from './budget.js';

const amount = fc.bigInt(0n, 1_000_000_000n);
const budgets = fc.array(
  fc.record<Budget>({
    id: fc.uuid(),
    scope: fc.constant('organization'),
    level: fc.constantFrom(...BUDGET_LEVELS),
    targetId: fc.constant(''),
    period: fc.constant('total'),
    month: fc.constant(undefined),
    hardLimitMicroUsd: fc.option(amount, { nil: undefined }),
    softLimitMicroUsd: fc.option(amount, { nil: undefined }),
    reservedMicroUsd: amount,
    spentMicroUsd: amount,
  }),
  { maxLength: 8 },
);

describe('a reservation', () => {
  it('is taken when every hard limit holds it, and by no other rule', () => {
    fc.assert(
      fc.property(budgets, amount, (all, needed) => {
        const fits = all.every(
          ({ hardLimitMicroUsd, reservedMicroUsd, spentMicroUsd }) =>
            hardLimitMicroUsd === undefined || reservedMicroUsd + spentMicroUsd + needed <= hardLimitMicroUsd,
        );
        expect(budgetsWithout(all, needed).length === 0).toBe(fits);
      }),
    );
  });

  it('fits exactly what is left, and not a micro-USD more', () => {
    fc.assert(
      fc.property(budgets, (all) => {
        for (const budget of all) {
          const left = remainingMicroUsd(budget);
          if (left === undefined || left === 0n) continue;
          expect(budgetsWithout([budget], left)).toEqual([]);
          expect(budgetsWithout([budget], left + 1n)).toEqual([budget]);
        }
      }),
    );
  });

  it('crosses a soft limit once: by the step that goes beyond it', () => {
    fc.assert(
      fc.property(
        amount,
        fc.array(fc.bigInt(1n, 1_000_000n), { minLength: 1, maxLength: 40 }),
        (soft, steps) => {
          let reserved = 0n;
          let crossings = 0;
          for (const step of steps) {
            const [warning] = softLimitWarnings([budgetOf({ soft, reserved })], step);
            reserved += step;
            expect(warning !== undefined).toBe(reserved > soft);
            expect(warning?.committedMicroUsd ?? reserved).toBe(reserved);
            if (warning?.crossed) crossings++;
          }
          expect(crossings).toBe(reserved > soft ? 1 : 0);
        },
      ),
    );
  });

  it('is refused with what is left, and with the day on which there is more', () => {
    const budget = budgetOf({ hard: 1_000_000n, reserved: 250_001n, month: '2026-12' });
    expect(refusalText(budget, 800_000n)).toBe(
      'The run needs up to 0.800000 USD; the budget of the project in 2026-12 has 0.749999 USD left. The next month begins on 2027-01-01.',
    );
  });
});

describe('a month', () => {
  it('is the calendar month in UTC, and ends with the first moment of the next', () => {
    expect(monthOf(new Date('2026-11-30T23:59:59.999Z'))).toBe('2026-11');
    expect(monthOf(new Date('2026-12-01T00:30:00+01:00'))).toBe('2026-11');
    expect(endOfMonth('2026-12').toISOString()).toBe('2027-01-01T00:00:00.000Z');
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
        (at) => at < endOfMonth(monthOf(at)) && monthOf(endOfMonth(monthOf(at))) > monthOf(at),
      ),
    );
  });
});

it('names the row of each target and period differently', () => {
  expect(scopeOf({ level: 'organization', targetId: '', period: 'total' })).toBe('organization');
  expect(scopeOf({ level: 'organization', targetId: '', period: 'month' })).toBe('organization/month');
  expect(scopeOf({ level: 'api_key', targetId: 'k', period: 'month' })).toBe('api_key/k/month');
});

it('is never below zero, whatever a vendor billed', () => {
  const budget = budgetOf({ hard: 10n, reserved: 30n });
  expect(remainingMicroUsd(budget)).toBe(0n);
  expect(committedMicroUsd(budget)).toBe(30n);
});

function budgetOf(values: { hard?: bigint; soft?: bigint; reserved: bigint; month?: string }): Budget {
  return {
    id: 'x',
    scope: 'project/x',
    level: 'project',
    targetId: 'x',
    period: values.month === undefined ? 'total' : 'month',
    month: values.month,
    hardLimitMicroUsd: values.hard,
    softLimitMicroUsd: values.soft,
    reservedMicroUsd: values.reserved,
    spentMicroUsd: 0n,
  };
}

describe('limits', () => {
  it('are wrong where the soft one is above the hard one, and by no other rule', () => {
    const limit = fc.option(fc.bigInt(0n, 20n), { nil: undefined });
    fc.assert(
      fc.property(limit, limit, (hardLimitMicroUsd, softLimitMicroUsd) => {
        const isAbove =
          hardLimitMicroUsd !== undefined &&
          softLimitMicroUsd !== undefined &&
          softLimitMicroUsd > hardLimitMicroUsd;
        expect(limitProblem({ hardLimitMicroUsd, softLimitMicroUsd }) !== undefined).toBe(isAbove);
      }),
    );
  });
});
