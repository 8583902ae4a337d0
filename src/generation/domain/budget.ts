import { formatUsd, type MicroUsd } from '../../shared/money.js';

/** From the widest to the narrowest; also the order in which their rows are locked. */
export const BUDGET_LEVELS = ['organization', 'project', 'use_case', 'api_key'] as const;
export type BudgetLevel = (typeof BUDGET_LEVELS)[number];

/** `month`: a calendar month in UTC. A step counts in the month in which its money was reserved. */
export const BUDGET_PERIODS = ['total', 'month'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

export interface BudgetTarget {
  readonly level: BudgetLevel;
  /** Project and use case: a UUID. API key: its id. Empty for the organization. */
  readonly targetId: string;
  readonly period: BudgetPeriod;
}

export interface Limits {
  /** Nothing is reserved beyond it. `undefined`: it only warns. */
  readonly hardLimitMicroUsd: MicroUsd | undefined;
  /** Whoever spends beyond it is told. */
  readonly softLimitMicroUsd: MicroUsd | undefined;
}

/** What is wrong with limits as such, in words for people, or `undefined`. */
export function limitProblem({ hardLimitMicroUsd, softLimitMicroUsd }: Limits): string | undefined {
  if (hardLimitMicroUsd === undefined || softLimitMicroUsd === undefined) return undefined;
  if (softLimitMicroUsd <= hardLimitMicroUsd) return undefined;
  return `The soft limit of ${formatUsd(softLimitMicroUsd)} USD is above the hard limit of ${formatUsd(hardLimitMicroUsd)} USD: nothing is reserved beyond that one, so nobody would ever be told.`;
}

export interface Counters {
  readonly reservedMicroUsd: MicroUsd;
  readonly spentMicroUsd: MicroUsd;
}

/** A budget with what is used of it in the period in question. */
export interface Budget extends BudgetTarget, Limits, Counters {
  readonly id: string;
  /** The key of its row. */
  readonly scope: string;
  /** `2026-11`, for a budget by month. */
  readonly month: string | undefined;
}

export function scopeOf({ level, targetId, period }: BudgetTarget): string {
  return [level, ...(targetId === '' ? [] : [targetId]), ...(period === 'total' ? [] : [period])].join('/');
}

export function monthOf(at: Date): string {
  return at.toISOString().slice(0, 7);
}

/** When the counters of a month begin at 0 again: the first moment of the next one. */
export function endOfMonth(month: string): Date {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number, 1));
}

export function committedMicroUsd({ reservedMicroUsd, spentMicroUsd }: Counters): MicroUsd {
  return reservedMicroUsd + spentMicroUsd;
}

/** Never below 0: a vendor may have billed more than was reserved. `undefined` where nothing limits. */
export function remainingMicroUsd(budget: Limits & Counters): MicroUsd | undefined {
  if (budget.hardLimitMicroUsd === undefined) return undefined;
  const rest = budget.hardLimitMicroUsd - committedMicroUsd(budget);
  return rest > 0n ? rest : 0n;
}

/** Budgets that do not hold `amount` more, the widest first. */
export function budgetsWithout(budgets: readonly Budget[], amount: MicroUsd): Budget[] {
  return budgets.filter(
    (budget) =>
      budget.hardLimitMicroUsd !== undefined && committedMicroUsd(budget) + amount > budget.hardLimitMicroUsd,
  );
}

export interface SoftLimitWarning {
  readonly budget: Budget;
  readonly softLimitMicroUsd: MicroUsd;
  /** What is reserved and spent with the new reservation. */
  readonly committedMicroUsd: MicroUsd;
  /** It is this reservation that went beyond the limit. */
  readonly crossed: boolean;
}

/** Budgets whose soft limit is exceeded once `amount` more is reserved. */
export function softLimitWarnings(budgets: readonly Budget[], amount: MicroUsd): SoftLimitWarning[] {
  return budgets.flatMap((budget) => {
    const { softLimitMicroUsd } = budget;
    const before = committedMicroUsd(budget);
    if (softLimitMicroUsd === undefined || before + amount <= softLimitMicroUsd) return [];
    const crossed = before <= softLimitMicroUsd;
    return [{ budget, softLimitMicroUsd, committedMicroUsd: before + amount, crossed }];
  });
}

const NAMES: Readonly<Record<BudgetLevel, string>> = {
  organization: 'the organization',
  project: 'the project',
  use_case: 'the use case',
  api_key: 'the API key',
};

/** For people: `the project in 2026-11`. */
export function nameOfBudget({ level, month }: Pick<Budget, 'level' | 'month'>): string {
  return `${NAMES[level]}${month === undefined ? '' : ` in ${month}`}`;
}

export function refusalText(budget: Budget, amount: MicroUsd): string {
  const left = formatUsd(remainingMicroUsd(budget) ?? 0n);
  const wait =
    budget.month === undefined
      ? ''
      : ` The next month begins on ${endOfMonth(budget.month).toISOString().slice(0, 10)}.`;
  return `The run needs up to ${formatUsd(amount)} USD; the budget of ${nameOfBudget(budget)} has ${left} USD left.${wait}`;
}
