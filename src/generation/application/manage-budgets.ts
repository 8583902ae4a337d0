import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { formatUsd } from '../../shared/money.js';
import { type BudgetRepository, type CounterDifference } from '../adapters/budget.repository.js';
import {
  type Budget,
  type BudgetTarget,
  committedMicroUsd,
  limitProblem,
  type Limits,
  monthOf,
} from '../domain/budget.js';
import { budgetFacts } from './budget-view.js';

/** New limits, and whether the admin knows that they are below what is used already. */
export interface LimitChange extends Limits {
  readonly allowBelowCommitted: boolean;
}

const TARGET_TABLES = {
  project: ['project', 'id'],
  use_case: ['use_case', 'id'],
  api_key: ['api_key', 'id'],
} as const;

/** Budgets as admins keep them: each change with its entry, in the caller's transaction. */
export class ManageBudgets {
  constructor(
    private readonly budgets: BudgetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  list(tx: Tx): Promise<Budget[]> {
    return this.budgets.list(tx, this.month());
  }

  async get(tx: Tx, id: string): Promise<Budget> {
    const [budget] = await this.budgets.list(tx, this.month(), id);
    if (!budget) throw new ColophonError('not_found', 'There is no budget with this id.');
    return budget;
  }

  async organizationTotal(tx: Tx): Promise<Budget> {
    const found = (await this.list(tx)).find(({ scope }) => scope === 'organization');
    if (!found) throw new ColophonError('not_found', 'The organization has no budget.');
    return found;
  }

  async create(tx: Tx, principal: Principal, target: BudgetTarget, change: LimitChange): Promise<Budget> {
    refuseSoftAboveHard(change);
    await this.requireTarget(tx, target);
    this.budgets.lock(tx);
    const id = newId();
    if (!(await this.budgets.insert(tx, id, target, change)))
      throw new ColophonError('conflict', 'There is a budget for this already: change that one.');
    const budget = await this.get(tx, id);
    refuseBelowCommitted(budget, change);
    await this.tell(tx, principal, budget);
    return budget;
  }

  async change(tx: Tx, principal: Principal, id: string, change: LimitChange): Promise<Budget> {
    refuseSoftAboveHard(change);
    this.budgets.lock(tx);
    const before = await this.get(tx, id);
    if (before.scope === 'organization' && change.hardLimitMicroUsd === undefined)
      throw new ColophonError('conflict', 'The organization always has a hard limit.');
    refuseBelowCommitted(before, change);
    await this.budgets.setLimits(tx, before.scope, change);
    const budget = await this.get(tx, id);
    await this.tell(tx, principal, budget);
    return budget;
  }

  async remove(tx: Tx, principal: Principal, id: string): Promise<void> {
    this.budgets.lock(tx);
    const budget = await this.get(tx, id);
    if (budget.scope === 'organization')
      throw new ColophonError('conflict', 'The organization always has a budget: set its limit instead.');
    await this.budgets.remove(tx, budget.scope);
    await this.appendEntry.append(tx, {
      type: 'budget.removed',
      actor: actorOf(principal),
      subject: { kind: 'budget', id: publicId('budget', id) },
      data: { ...budgetFacts(budget), ...countersOf(budget) },
    });
  }

  /** Every counter that differs from the sum of the ledger. Money waits while this looks. */
  async differences(tx: Tx): Promise<CounterDifference[]> {
    this.budgets.lock(tx);
    return this.budgets.differences(tx);
  }

  private month(): string {
    return monthOf(this.clock.now());
  }

  private async requireTarget(tx: Tx, { level, targetId }: BudgetTarget): Promise<void> {
    if (level === 'organization') return;
    const [table, column] = TARGET_TABLES[level];
    const found = await tx.query(`SELECT 1 FROM ${table} WHERE organization_id = $1 AND ${column} = $2`, [
      tx.organizationId,
      targetId,
    ]);
    if (found.length === 0)
      throw new ColophonError('not_found', `There is no ${level.replace('_', ' ')} with this id.`);
  }

  private async tell(tx: Tx, principal: Principal, budget: Budget): Promise<void> {
    const { hardLimitMicroUsd, softLimitMicroUsd } = budget;
    const soft = softLimitMicroUsd === undefined ? {} : { softLimitMicroUsd: softLimitMicroUsd.toString() };
    const below = isBelowCommitted(budget, budget) ? { belowCommitted: true as const } : {};
    const common = { actor: actorOf(principal) };
    if (budget.scope === 'organization') {
      await this.appendEntry.append(tx, {
        ...common,
        type: 'budget.set',
        subject: { kind: 'organization', id: publicId('organization', tx.organizationId) },
        data: { limitMicroUsd: (hardLimitMicroUsd ?? 0n).toString(), ...soft, ...below },
      });
      return;
    }
    await this.appendEntry.append(tx, {
      ...common,
      type: 'budget.defined',
      subject: { kind: 'budget', id: publicId('budget', budget.id) },
      data: {
        ...budgetFacts(budget),
        ...(hardLimitMicroUsd === undefined ? {} : { hardLimitMicroUsd: hardLimitMicroUsd.toString() }),
        ...soft,
        ...below,
        ...countersOf(budget),
      },
    });
  }
}

function countersOf({ reservedMicroUsd, spentMicroUsd }: Budget) {
  return { reservedMicroUsd: reservedMicroUsd.toString(), spentMicroUsd: spentMicroUsd.toString() };
}

function isBelowCommitted(budget: Budget, { hardLimitMicroUsd }: Limits): boolean {
  return hardLimitMicroUsd !== undefined && hardLimitMicroUsd < committedMicroUsd(budget);
}

function refuseSoftAboveHard(change: Limits): void {
  const problem = limitProblem(change);
  if (problem !== undefined)
    throw new ColophonError(
      'invalid_request',
      `${problem} Lower the soft limit, or leave it out (PUT /v1/budgets/{id}).`,
    );
}

/** Nothing new would be accepted, and what is used stays above the limit: whoever sets that must say that they mean it. */
function refuseBelowCommitted(budget: Budget, change: LimitChange): void {
  if (change.allowBelowCommitted || !isBelowCommitted(budget, change)) return;
  const { reservedMicroUsd, spentMicroUsd } = budget;
  throw new ColophonError(
    'conflict',
    `${formatUsd(spentMicroUsd)} USD are spent and ${formatUsd(reservedMicroUsd)} USD reserved, which is more than the new limit. Send "allowBelowCommitted": true if that is meant: then nothing new is accepted.`,
    { extensions: countersOf(budget) },
  );
}
