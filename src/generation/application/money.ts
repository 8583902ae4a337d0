import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type MicroUsd } from '../../shared/money.js';
import { type BudgetRepository, type CounterChange } from '../adapters/budget.repository.js';
import {
  type Budget,
  BUDGET_LEVELS,
  type BudgetLevel,
  budgetsWithout,
  monthOf,
  refusalText,
  softLimitWarnings,
  type SoftLimitWarning,
} from '../domain/budget.js';
import { type StepRun } from '../domain/run.js';
import { budgetFacts, budgetView } from './budget-view.js';

/**
 * `billed`: what the provider reported. `estimate`: it reported nothing, the reservation stands. `free`: done on this
 * machine or in the sandbox. `none`: never sent. `stated`: a person says so, of a step whose outcome was unknown.
 */
export type SettlementBasis = 'billed' | 'estimate' | 'free' | 'none' | 'stated';

/** Since the start of this process. */
export interface MoneyFigures {
  readonly refusals: Readonly<Record<BudgetLevel, number>>;
  readonly softLimitCrossings: Readonly<Record<BudgetLevel, number>>;
  /** Settlements above their reservation. */
  readonly overruns: number;
}

/**
 * Reservation, settlement, release. The budgets of an organization are locked before they are read, so parallel
 * requests cannot overspend at any level; settlement and release are unique per step, so a repeated step is never paid
 * twice.
 */
export class Money {
  private readonly refusals = zeroByLevel();
  private readonly crossings = zeroByLevel();
  private overruns = 0;

  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly budgets: BudgetRepository,
    private readonly clock: Clock,
  ) {}

  get figures(): MoneyFigures {
    return { refusals: this.refusals, softLimitCrossings: this.crossings, overruns: this.overruns };
  }

  /**
   * Steps of one run, together or not at all; their rows must be there.
   * @returns budgets whose soft limit is exceeded now
   * @throws ColophonError `budget_exceeded`, with every budget that does not hold it
   */
  async reserve(
    tx: Tx,
    steps: readonly { id: string; reservedMicroUsd: MicroUsd }[],
  ): Promise<readonly SoftLimitWarning[]> {
    const total = steps.reduce((sum, step) => sum + step.reservedMicroUsd, 0n);
    const now = this.clock.now();
    const [first] = steps;
    const warnings = total > 0n && first ? await this.hold(tx, first.id, total, now) : [];
    tx.send(
      `INSERT INTO money_movement (organization_id, step_run_id, kind, amount_micro_usd, basis, created_at)
       SELECT $1, id, 'reservation', amount, 'estimate', $4 FROM unnest($2::uuid[], $3::bigint[]) AS step (id, amount)`,
      [
        tx.organizationId,
        steps.map(({ id }) => id),
        steps.map(({ reservedMicroUsd }) => reservedMicroUsd.toString()),
        now,
      ],
    );
    return warnings;
  }

  /** What the step cost in the end. The rest of its reservation is free again. */
  async settle(
    tx: Tx,
    projectId: string,
    step: StepRun,
    { cost, basis }: { readonly cost: MicroUsd; readonly basis: SettlementBasis },
  ): Promise<void> {
    if (!(await this.end(tx, step, 'settlement', { reserved: -step.reservedMicroUsd, spent: cost }, basis)))
      return;
    // Beyond what was reserved: it is owed all the same, so it is written down as it is, even past a hard limit.
    const overrun = cost > step.reservedMicroUsd;
    if (overrun) tx.afterCommit(() => this.overruns++);
    await this.appendEntry.append(tx, {
      type: 'step.settled',
      projectId,
      actor: SYSTEM_ACTOR,
      subject: { kind: 'step_run', id: publicId('stepRun', step.id) },
      data: {
        runId: publicId('run', step.runId),
        stepKey: step.key,
        costMicroUsd: cost.toString(),
        basis,
        ...(overrun ? { reservedMicroUsd: step.reservedMicroUsd.toString() } : {}),
      },
    });
  }

  /** The step will never be sent. */
  async release(tx: Tx, step: StepRun): Promise<void> {
    await this.end(tx, step, 'release', { reserved: -step.reservedMicroUsd, spent: 0n }, 'none');
  }

  private async hold(tx: Tx, stepRunId: string, amount: MicroUsd, now: Date): Promise<SoftLimitWarning[]> {
    this.budgets.lock(tx);
    const budgets = await this.budgets.concerned(tx, stepRunId, monthOf(now));
    const without = budgetsWithout(budgets, amount);
    if (without.length > 0) throw this.refusal(without, amount);
    // Every organization has one; without it nothing would limit anything.
    if (!budgets.some(({ scope }) => scope === 'organization'))
      throw new ColophonError('budget_exceeded', 'The organization has no budget.');
    await this.budgets.count(tx, budgets, { reserved: amount, spent: 0n });
    const warnings = softLimitWarnings(budgets, amount);
    await this.tellCrossings(tx, warnings);
    return warnings;
  }

  private async tellCrossings(tx: Tx, warnings: readonly SoftLimitWarning[]): Promise<void> {
    for (const warning of warnings.filter(({ crossed }) => crossed)) await this.tellCrossing(tx, warning);
  }

  private refusal(without: readonly Budget[], amount: MicroUsd): ColophonError {
    for (const { level } of without) this.refusals[level]++;
    const [first] = without;
    return new ColophonError('budget_exceeded', first ? refusalText(first, amount) : '', {
      extensions: { neededMicroUsd: amount.toString(), budgets: without.map(budgetView) },
    });
  }

  private async tellCrossing(tx: Tx, warning: SoftLimitWarning): Promise<void> {
    const { budget, softLimitMicroUsd, committedMicroUsd } = warning;
    tx.afterCommit(() => this.crossings[budget.level]++);
    await this.appendEntry.append(tx, {
      type: 'budget.soft_limit_crossed',
      actor: SYSTEM_ACTOR,
      subject: { kind: 'budget', id: publicId('budget', budget.id) },
      data: {
        ...budgetFacts(budget),
        ...(budget.month === undefined ? {} : { month: budget.month }),
        softLimitMicroUsd: softLimitMicroUsd.toString(),
        committedMicroUsd: committedMicroUsd.toString(),
      },
    });
  }

  /** False when the step was paid or given back before: its effect is there already. */
  private async end(
    tx: Tx,
    step: StepRun,
    kind: 'settlement' | 'release',
    change: CounterChange,
    basis: SettlementBasis,
  ): Promise<boolean> {
    const amount = kind === 'settlement' ? change.spent : step.reservedMicroUsd;
    const now = this.clock.now();
    const inserting = tx.query(
      `INSERT INTO money_movement (organization_id, step_run_id, kind, amount_micro_usd, basis, created_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING kind`,
      [tx.organizationId, step.id, kind, amount.toString(), basis, now],
    );
    if (change.reserved === 0n && change.spent === 0n) return (await inserting).length > 0;
    this.budgets.lock(tx);
    const [inserted, budgets] = await Promise.all([
      inserting,
      this.budgets.concerned(tx, step.id, monthOf(now)),
    ]);
    if (inserted.length === 0) return false;
    await this.budgets.count(tx, budgets, change);
    // More was billed than was reserved: that may be what goes beyond a soft limit.
    const more = change.reserved + change.spent;
    if (more > 0n) await this.tellCrossings(tx, softLimitWarnings(budgets, more));
    return true;
  }
}

function zeroByLevel(): Record<BudgetLevel, number> {
  return Object.fromEntries(BUDGET_LEVELS.map((level) => [level, 0])) as Record<BudgetLevel, number>;
}
