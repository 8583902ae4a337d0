import { publicId } from '../../shared/ids.js';
import {
  type Budget,
  type BudgetTarget,
  committedMicroUsd,
  endOfMonth,
  nameOfBudget,
  remainingMicroUsd,
  type SoftLimitWarning,
} from '../domain/budget.js';
import { formatUsd } from '../../shared/money.js';

/** How the API and the log name what a budget is for. Empty for the organization. */
export function publicTarget({ level, targetId }: Pick<BudgetTarget, 'level' | 'targetId'>): string {
  if (level === 'project') return publicId('project', targetId);
  return level === 'use_case' ? publicId('useCase', targetId) : targetId;
}

/** What entries say of a budget, beside its limits. */
export function budgetFacts({ level, targetId, period }: BudgetTarget) {
  return {
    level,
    ...(targetId === '' ? {} : { targetId: publicTarget({ level, targetId }) }),
    period,
  };
}

/** Amounts in micro-USD as decimal text; `null` where nothing limits or nothing is asked. */
export function budgetView(budget: Budget) {
  const { hardLimitMicroUsd, softLimitMicroUsd, month } = budget;
  const target = publicTarget(budget);
  return {
    id: publicId('budget', budget.id),
    level: budget.level,
    targetId: target === '' ? null : target,
    period: budget.period,
    month: month ?? null,
    resetsAt: month === undefined ? null : endOfMonth(month).toISOString(),
    hardLimitMicroUsd: hardLimitMicroUsd?.toString() ?? null,
    softLimitMicroUsd: softLimitMicroUsd?.toString() ?? null,
    reservedMicroUsd: budget.reservedMicroUsd.toString(),
    spentMicroUsd: budget.spentMicroUsd.toString(),
    remainingMicroUsd: remainingMicroUsd(budget)?.toString() ?? null,
    state: stateOf(budget),
  };
}

function stateOf(budget: Budget): 'open' | 'above_soft_limit' | 'exhausted' {
  if (remainingMicroUsd(budget) === 0n) return 'exhausted';
  const { softLimitMicroUsd } = budget;
  return softLimitMicroUsd !== undefined && committedMicroUsd(budget) > softLimitMicroUsd
    ? 'above_soft_limit'
    : 'open';
}

export function warningView({ budget, softLimitMicroUsd, committedMicroUsd: committed }: SoftLimitWarning) {
  return {
    code: 'soft_limit_exceeded',
    message: `${formatUsd(committed)} USD are reserved or spent of the budget of ${nameOfBudget(budget)}, whose soft limit is ${formatUsd(softLimitMicroUsd)} USD.`,
    budgetId: publicId('budget', budget.id),
    level: budget.level,
    softLimitMicroUsd: softLimitMicroUsd.toString(),
    committedMicroUsd: committed.toString(),
  };
}

/** A step whose price nobody knows. */
export function ceilingView(stepKey: string) {
  return {
    code: 'price_unknown_ceiling_reserved',
    message: `The price of the step "${stepKey}" is not known. A configured ceiling is reserved for it, and stands unless the vendor says what it cost.`,
    stepKey,
  };
}
