import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DataSource } from 'typeorm';
import { AppendEntry } from '../../src/audit/application/append-entry.js';
import { SubjectVault } from '../../src/audit/application/subject-vault.js';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx, type Tx } from '../../src/database/organization-tx.js';
import { BudgetRepository } from '../../src/generation/adapters/budget.repository.js';
import { ManageBudgets } from '../../src/generation/application/manage-budgets.js';
import { Money } from '../../src/generation/application/money.js';
import { type Budget, type BudgetTarget, committedMicroUsd } from '../../src/generation/domain/budget.js';
import { type StepRun } from '../../src/generation/domain/run.js';
import { type Principal } from '../../src/identity/domain/principal.js';
import { ColophonError } from '../../src/shared/errors.js';
import { newId } from '../../src/shared/ids.js';
import { Inspector } from '../support/inspector.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/**
 * A thousand steps of two projects, four use cases and eight keys at once, against budgets at every level: what holds
 * at the end must hold to the micro-USD, whoever came first.
 */
const STEPS = 1000;
const CONNECTIONS = 16;
const NOVEMBER = new Date('2026-11-30T23:59:58.000Z');
const DECEMBER = new Date('2026-12-01T00:00:01.000Z');

let now = NOVEMBER;
const clock = { now: () => now };
const organization = newId();
const projects = [newId(), newId()];
const useCases = [0, 1, 2, 3].map(() => newId());
const keys = Array.from({ length: 8 }, (_, index) => `key00000000${index}`);
const principal: Principal = {
  organizationId: organization,
  principalId: newId(),
  keyId: keys[0] ?? '',
  mode: 'live',
  roles: ['admin'],
};

let database: TestDatabase;
let inspector: Inspector;
let dataSource: DataSource;
let organizationTx: OrganizationTx;
const appendEntry = new AppendEntry(new SubjectVault(randomBytes(32), clock), clock, () => undefined);
const repository = new BudgetRepository();
const money = new Money(appendEntry, repository, clock);
const budgets = new ManageBudgets(repository, appendEntry, clock);
const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => organizationTx.run(organization, work);

beforeAll(async () => {
  database = await createTestDatabase();
  inspector = await Inspector.open(database);
  dataSource = createDataSource({
    url: database.applicationUrl,
    applicationName: 'test',
    poolSize: CONNECTIONS,
    entities: [],
  });
  await dataSource.initialize();
  organizationTx = new OrganizationTx(dataSource);
  const insert = (sql: string, ...values: unknown[]) => inspector.query(sql, [organization, ...values]);
  await insert(`INSERT INTO organization VALUES ($1, 'o', now())`);
  await insert(
    `INSERT INTO principal VALUES ($1, $2, 'user', 'n', '{admin}', now(), NULL)`,
    principal.principalId,
  );
  for (const id of projects) await insert(`INSERT INTO project VALUES ($1, $2, $2::uuid::text, now())`, id);
  for (const [index, id] of useCases.entries())
    await insert(`INSERT INTO use_case VALUES ($1, $2, $3, $2::uuid::text, now())`, id, projects[index % 2]);
  for (const id of keys)
    await insert(
      `INSERT INTO api_key VALUES ($1, $2, $3, 'live', $4, now(), NULL, NULL)`,
      id,
      principal.principalId,
      Buffer.alloc(32),
    );
  await insert(
    `INSERT INTO budget (organization_id, scope, limit_micro_usd) VALUES ($1, 'organization', 7000000)`,
  );
});
afterAll(async () => {
  await dataSource.destroy();
  await inspector.close();
  await database.drop();
});

/** One run with one step for each price, spread over projects, use cases and keys. */
async function makeSteps(prices: readonly bigint[]): Promise<StepRun[]> {
  const clearanceId = newId();
  await inspector.query(`INSERT INTO clearance VALUES ($1, $2, 'allow', '', '', $2, now())`, [
    organization,
    clearanceId,
  ]);
  const steps = prices.map((reservedMicroUsd, index) => ({
    id: newId(),
    runId: newId(),
    key: 'generate',
    reservedMicroUsd,
    projectId: projects[index % 2],
    useCaseId: useCases[index % 4],
    keyId: keys[(index * 5) % 8],
  }));
  const column = (name: keyof (typeof steps)[number]) => steps.map((step) => String(step[name]));
  await inspector.query(
    `INSERT INTO run (organization_id, id, project_id, use_case_id, pipeline_name, pipeline_version, definition,
                      sealed_inputs, mode, state, clearance_id, created_by, api_key_id, created_at)
     SELECT $1, run, project, use_case, 'p', 1, '', '', 'live', 'RUNNING', $2, $2, key, now()
       FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[]) AS r (run, project, use_case, key)`,
    [organization, clearanceId, column('runId'), column('projectId'), column('useCaseId'), column('keyId')],
  );
  await inspector.query(
    `INSERT INTO step_run (organization_id, id, run_id, key, ordinal, operation, provider, listing_id, endpoint,
                           depends_on, state, reserved_micro_usd, created_at, updated_at)
     SELECT $1, id, run, 'generate', 0, 'generate', 'fal', 'x', 'x', '{}', 'RESERVED', price, now(), now()
       FROM unnest($2::uuid[], $3::uuid[], $4::bigint[]) AS s (id, run, price)`,
    [organization, column('id'), column('runId'), column('reservedMicroUsd')],
  );
  return steps as unknown as StepRun[];
}

async function all(): Promise<Budget[]> {
  return inTx((tx) => budgets.list(tx));
}
const limit = (hard: bigint | undefined, soft?: bigint) => ({
  hardLimitMicroUsd: hard,
  softLimitMicroUsd: soft,
  allowBelowCommitted: false,
});
const create = (target: BudgetTarget, hard: bigint | undefined, soft?: bigint) =>
  inTx((tx) => budgets.create(tx, principal, target, limit(hard, soft)));
const entriesOf = async (type: string) =>
  (await inspector.query('SELECT 1 FROM audit_pending WHERE entry_type = $1', [type])).length;

/** Keeps every connection busy until all is done; a thousand at once would only wait for one of them. */
async function onEveryConnection<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const serve = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: CONNECTIONS - 1 }, serve));
}

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error instanceof ColophonError ? error.code : String(error)),
  );
}

describe('budgets at every level', () => {
  const held: StepRun[] = [];

  it(`hold what they hold when ${STEPS} steps come at once, and one of them is made meanwhile`, async () => {
    await create({ level: 'organization', targetId: '', period: 'month' }, 6_000_000n, 3_000_000n);
    for (const targetId of projects)
      await create({ level: 'project', targetId, period: 'month' }, 2_500_000n);
    for (const targetId of useCases) await create({ level: 'use_case', targetId, period: 'total' }, 900_000n);
    for (const targetId of keys.slice(0, 6))
      await create({ level: 'api_key', targetId, period: 'month' }, 400_003n);

    const steps = await makeSteps(Array.from({ length: STEPS }, (_, index) => BigInt(7_001 + (index % 977))));
    const outcomes = new Set<string>();
    const reserving = onEveryConnection(steps, async (step) => {
      const outcome = await outcomeOf(inTx((tx) => money.reserve(tx, [step])));
      if (outcome === 'done') held.push(step);
      outcomes.add(outcome);
    });
    const late = create({ level: 'api_key', targetId: keys[7] ?? '', period: 'month' }, 400_003n).catch(
      // Whoever comes late may find more used than the limit allows: then that must be said.
      () => undefined,
    );
    await Promise.all([reserving, late]);

    expect(outcomes).toEqual(new Set(['done', 'budget_exceeded']));
    for (const budget of await all()) {
      if (budget.hardLimitMicroUsd === undefined) continue;
      expect(committedMicroUsd(budget) <= budget.hardLimitMicroUsd).toBe(true);
    }
    const [total] = await all();
    expect(total?.reservedMicroUsd).toBe(
      held.reduce((sum, { reservedMicroUsd }) => sum + reservedMicroUsd, 0n),
    );
    // Money was left in the organization, so it was the narrower budgets that refused.
    expect(committedMicroUsd(total ?? { reservedMicroUsd: 0n, spentMicroUsd: 0n }) < 3_700_000n).toBe(true);
    expect(await inTx((tx) => budgets.differences(tx))).toEqual([]);
    expect(await entriesOf('budget.soft_limit_crossed')).toBe(1);
  });

  it('say which of them refuses, what is left of it, and until when', async () => {
    const [step] = await makeSteps([2_000_000n]);
    if (!step) throw new Error('no step');
    const error: unknown = await inTx((tx) => money.reserve(tx, [step])).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'budget_exceeded',
      message: expect.stringContaining('The next month begins on 2026-12-01'),
      extensions: { neededMicroUsd: '2000000' },
    });
    const { extensions } = error as ColophonError;
    const named = (extensions.budgets as { level: string; remainingMicroUsd: string }[]).map(
      ({ level }) => level,
    );
    expect(named).toEqual(['project', 'use_case', 'api_key']);
  });

  it('are settled and given back once, in the month of the reservation, whatever it cost in the end', async () => {
    now = DECEMBER;
    const cost = (step: StepRun, index: number): bigint =>
      index % 3 === 0 ? step.reservedMicroUsd + 5n : step.reservedMicroUsd - 3n;
    const ends = held.map(
      (step, index) => (): Promise<void> =>
        index % 4 === 0
          ? inTx((tx) => money.release(tx, step))
          : inTx((tx) =>
              money.settle(tx, projects[0] ?? '', step, { cost: cost(step, index), basis: 'billed' }),
            ),
    );
    const again = ends.filter((_, index) => index % 5 === 0);
    await onEveryConnection([...ends, ...again], (end) => end());
    const spent = held.reduce((sum, step, index) => sum + (index % 4 === 0 ? 0n : cost(step, index)), 0n);

    expect(await inTx((tx) => budgets.differences(tx))).toEqual([]);
    const [total, ...others] = await all();
    expect(total).toMatchObject({ reservedMicroUsd: 0n, spentMicroUsd: spent });
    // December has not seen any of it.
    for (const budget of others.filter(({ period }) => period === 'month'))
      expect(budget).toMatchObject({ month: '2026-12', reservedMicroUsd: 0n, spentMicroUsd: 0n });
    const months = await inspector.query<{ month: string; spent: string }>(
      `SELECT month, spent_micro_usd AS spent FROM budget_month WHERE scope = 'organization/month'`,
    );
    expect(months).toEqual([{ month: '2026-11', spent: spent.toString() }]);
  });

  it('tell of a cost above the reservation, in the log and in the figures', async () => {
    const above = held.filter((_, index) => index % 4 !== 0 && index % 3 === 0).length;
    expect(money.figures.overruns).toBe(above);
    const entries = await inspector.query<{ entry: Buffer }>(
      `SELECT entry FROM audit_pending WHERE entry_type = 'step.settled' AND entry::text <> ''`,
    );
    const told = entries.map(({ entry }) => JSON.parse(entry.toString('utf8')) as { data: object });
    expect(told.filter(({ data }) => 'reservedMicroUsd' in data)).toHaveLength(above);
  });
});

describe('a soft limit', () => {
  it('that a cost above its reservation goes beyond is crossed by that', async () => {
    const before = await entriesOf('budget.soft_limit_crossed');
    const [step] = await makeSteps([100n]);
    if (!step) throw new Error('no step');
    const target = { level: 'project', targetId: projects[0] ?? '', period: 'total' } as const;
    const used = await create(target, 90_000_000n);
    const soft = committedMicroUsd(used) + 150n;
    await inTx((tx) => budgets.change(tx, principal, used.id, limit(90_000_000n, soft)));
    await inTx((tx) => money.reserve(tx, [step]));
    await inTx((tx) => money.settle(tx, projects[0] ?? '', step, { cost: 150n, basis: 'billed' }));
    expect(await entriesOf('budget.soft_limit_crossed')).toBe(before);
    await inTx((tx) => budgets.change(tx, principal, used.id, limit(90_000_000n, soft + 20n)));
    const [again] = await makeSteps([20n]);
    if (!again) throw new Error('no step');
    await inTx((tx) => money.reserve(tx, [again]));
    await inTx((tx) => money.settle(tx, projects[0] ?? '', again, { cost: 21n, basis: 'billed' }));
    expect(await entriesOf('budget.soft_limit_crossed')).toBe(before + 1);
    await inTx((tx) => budgets.remove(tx, principal, used.id));
  });
});

describe('an admin', () => {
  it('does not lower a limit below what is used without saying so', async () => {
    const [total] = await all();
    if (!total) throw new Error('no budget');
    const lower = (allowBelowCommitted: boolean) =>
      inTx((tx) => budgets.change(tx, principal, total.id, { ...limit(1n), allowBelowCommitted }));
    expect(await outcomeOf(lower(false))).toBe('conflict');
    expect(await lower(true)).toMatchObject({ hardLimitMicroUsd: 1n });
    const [last] = await inspector.query<{ entry: Buffer }>(
      `SELECT entry FROM audit_pending WHERE entry_type = 'budget.set' ORDER BY entry_id DESC LIMIT 1`,
    );
    expect(last?.entry.toString('utf8')).toContain('"belowCommitted":true');
    await inTx((tx) => budgets.change(tx, principal, total.id, limit(9_000_000n)));
  });

  it('is told that a soft limit above the hard one would never tell anybody', async () => {
    const target = { level: 'project', targetId: projects[0] ?? '', period: 'total' } as const;
    await expect(create(target, 5n, 6n)).rejects.toThrow('The soft limit of 0.000006 USD is above');
    const budget = await create(target, 90_000_000n, 90_000_000n);
    const change = inTx((tx) => budgets.change(tx, principal, budget.id, limit(90_000_000n, 90_000_001n)));
    expect(await outcomeOf(change)).toBe('invalid_request');
    await inTx((tx) => budgets.remove(tx, principal, budget.id));
  });

  it('removes a budget and makes it again: what was spent is still known', async () => {
    const target = { level: 'use_case', targetId: useCases[1] ?? '', period: 'total' } as const;
    const before = (await all()).find(
      ({ level, targetId }) => level === 'use_case' && targetId === useCases[1],
    );
    await inTx((tx) => budgets.remove(tx, principal, before?.id ?? ''));
    expect(await outcomeOf(create(target, 1n))).toBe('conflict');
    const again = await create(target, 900_000n);
    expect({ ...again, id: before?.id }).toEqual(before);
    expect(await outcomeOf(create(target, 900_000n))).toBe('conflict');
  });

  it('cannot take the last limit from the organization, nor make a budget of something unknown', async () => {
    const [total] = await all();
    expect(await outcomeOf(inTx((tx) => budgets.remove(tx, principal, total?.id ?? '')))).toBe('conflict');
    expect(
      await outcomeOf(inTx((tx) => budgets.change(tx, principal, total?.id ?? '', limit(undefined, 5n)))),
    ).toBe('conflict');
    expect(await outcomeOf(create({ level: 'project', targetId: newId(), period: 'month' }, 1n))).toBe(
      'not_found',
    );
  });
});

describe('the comparison with the ledger', () => {
  it('names every counter that somebody changed by hand', async () => {
    expect(await inTx((tx) => budgets.differences(tx))).toEqual([]);
    await inspector.query(
      `UPDATE budget_month SET spent_micro_usd = spent_micro_usd - 1 WHERE scope = 'organization/month' AND month = '2026-11'`,
    );
    await inspector.query(`UPDATE budget SET reserved_micro_usd = 4 WHERE scope = 'organization'`);
    expect(await inTx((tx) => budgets.differences(tx))).toMatchObject([
      {
        level: 'organization',
        period: 'total',
        counter: 'reserved',
        countedMicroUsd: 4n,
        ledgerMicroUsd: 0n,
      },
      { level: 'organization', period: 'month', month: '2026-11', counter: 'spent' },
    ]);
  });
});
