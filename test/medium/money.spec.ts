import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DataSource } from 'typeorm';
import { AppendEntry } from '../../src/audit/application/append-entry.js';
import { SubjectVault } from '../../src/audit/application/subject-vault.js';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import { BudgetRepository } from '../../src/generation/adapters/budget.repository.js';
import { Money } from '../../src/generation/application/money.js';
import { type StepRun } from '../../src/generation/domain/run.js';
import { systemClock } from '../../src/shared/clock.js';
import { isColophonError } from '../../src/shared/errors.js';
import { newId } from '../../src/shared/ids.js';
import { Inspector } from '../support/inspector.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const REQUESTS = 100;
const PRICE = 30_001n;
/** Holds 33 of the requests, and 9,970 micro-USD that nobody may touch. */
const LIMIT = 33n * PRICE + 9_970n;

let database: TestDatabase;
let inspector: Inspector;
let dataSource: DataSource;
let organizationTx: OrganizationTx;
const organization = newId();
const runId = newId();
const money = new Money(
  new AppendEntry(new SubjectVault(randomBytes(32), systemClock), systemClock, () => undefined),
  new BudgetRepository(),
  systemClock,
);

beforeAll(async () => {
  database = await createTestDatabase();
  inspector = await Inspector.open(database);
  dataSource = createDataSource({
    url: database.applicationUrl,
    applicationName: 'test',
    poolSize: 16,
    entities: [],
  });
  await dataSource.initialize();
  organizationTx = new OrganizationTx(dataSource);
  const id = newId();
  const statements: [string, unknown[]][] = [
    [`INSERT INTO organization VALUES ($1, 'o', now())`, [organization]],
    [`INSERT INTO project VALUES ($1, $2, 'p', now())`, [organization, id]],
    [`INSERT INTO use_case VALUES ($1, $2, $2, 'u', now())`, [organization, id]],
    [`INSERT INTO clearance VALUES ($1, $2, 'allow', '', '', $2, now())`, [organization, id]],
    [
      `INSERT INTO run (organization_id, id, project_id, use_case_id, pipeline_name, pipeline_version, definition,
                        sealed_inputs, mode, state, clearance_id, created_by, created_at)
       VALUES ($1, $2, $3, $3, 'p', 1, '', '', 'live', 'RUNNING', $3, $3, now())`,
      [organization, runId, id],
    ],
    [
      `INSERT INTO budget (organization_id, scope, limit_micro_usd) VALUES ($1, 'organization', $2)`,
      [organization, LIMIT.toString()],
    ],
  ];
  for (const [sql, values] of statements) await inspector.query(sql, values);
});
afterAll(async () => {
  await dataSource.destroy();
  await inspector.close();
  await database.drop();
});

async function newStep(reserved: bigint): Promise<StepRun> {
  const id = newId();
  await inspector.query(
    `INSERT INTO step_run (organization_id, id, run_id, key, ordinal, operation, provider, listing_id, endpoint,
                           depends_on, state, reserved_micro_usd, created_at, updated_at)
     VALUES ($1, $2, $3, $4, 0, 'generate', 'fal', 'x', 'x', '{}', 'RESERVED', $5, now(), now())`,
    [organization, id, runId, id, reserved.toString()],
  );
  return {
    id,
    runId,
    key: 'generate',
    ordinal: 0,
    operation: 'generate',
    provider: 'fal',
    listingId: 'x',
    endpoint: 'x',
    dependsOn: [],
    state: 'RESERVED',
    reservedMicroUsd: reserved,
    requestSha256: undefined,
    upstreamId: undefined,
    progress: undefined,
    originalSha256: undefined,
    originalMediaType: undefined,
    usage: undefined,
    preparation: undefined,
    components: [],
    claims: {},
    outputAssetId: undefined,
    errorCode: undefined,
    errorDetail: undefined,
    updatedAt: new Date(),
    plan: undefined,
    alternative: 0,
    submitAttempts: 0,
    retryAt: undefined,
    waitsUntil: undefined,
    formerUpstreamIds: [],
    skipReason: undefined,
  };
}

async function budget(): Promise<{ reserved: bigint; spent: bigint }> {
  const [row] = await inspector.query<{ reserved: string; spent: string }>(
    'SELECT reserved_micro_usd AS reserved, spent_micro_usd AS spent FROM budget',
  );
  return { reserved: BigInt(row?.reserved ?? -1), spent: BigInt(row?.spent ?? -1) };
}
const movements = async (kind: string) =>
  (await inspector.query('SELECT 1 FROM money_movement WHERE kind = $1', [kind])).length;

describe('a budget', () => {
  const held: StepRun[] = [];

  it(`is never overspent by a micro-USD: of ${REQUESTS} requests at once it takes those that fit`, async () => {
    const steps = await Promise.all(Array.from({ length: REQUESTS }, () => newStep(PRICE)));
    const outcomes = await Promise.all(
      steps.map((step) =>
        organizationTx
          .run(organization, (tx) => money.reserve(tx, [step]))
          .then(
            () => {
              held.push(step);
              return 'reserved';
            },
            (error: unknown) => (isColophonError(error) ? error.code : String(error)),
          ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(33);
    expect(outcomes.filter((outcome) => outcome === 'budget_exceeded')).toHaveLength(REQUESTS - 33);
    expect(await budget()).toEqual({ reserved: 33n * PRICE, spent: 0n });
    expect(await movements('reservation')).toBe(33);
  });

  it('takes what fits to the last micro-USD, and not one more', async () => {
    const rest = LIMIT - 33n * PRICE;
    const reserve = async (amount: bigint) => {
      const step = await newStep(amount);
      await organizationTx.run(organization, (tx) => money.reserve(tx, [step]));
      return step;
    };
    await expect(reserve(rest + 1n)).rejects.toThrow('budget');
    const exact = await reserve(rest);
    expect(await budget()).toEqual({ reserved: LIMIT, spent: 0n });
    await expect(reserve(1n)).rejects.toThrow('budget');
    await organizationTx.run(organization, (tx) => money.release(tx, exact));
    expect(await budget()).toEqual({ reserved: 33n * PRICE, spent: 0n });
  });

  it('is not reserved in part: steps of one run are taken together or not at all', async () => {
    const before = await movements('reservation');
    const steps = [await newStep(1n), await newStep(LIMIT)];
    await expect(organizationTx.run(organization, (tx) => money.reserve(tx, steps))).rejects.toThrow(
      'budget',
    );
    expect(await budget()).toEqual({ reserved: 33n * PRICE, spent: 0n });
    expect(await movements('reservation')).toBe(before);
  });

  it('pays each step once, however often and however many at once try to settle it', async () => {
    const cost = (step: StepRun) => PRICE - BigInt(held.indexOf(step));
    const paid = held.slice(0, 20);
    const settle = (step: StepRun) =>
      organizationTx.run(organization, (tx) =>
        money.settle(tx, newId(), step, { cost: cost(step), basis: 'billed' }),
      );
    await Promise.all([...paid, ...paid, ...paid].map(settle));
    await Promise.all(paid.map(settle));
    const spent = paid.reduce((sum, step) => sum + cost(step), 0n);
    expect(await budget()).toEqual({ reserved: 13n * PRICE, spent });
    expect(await movements('settlement')).toBe(20);
    const entries = await inspector.query(`SELECT 1 FROM audit_pending WHERE entry_type = 'step.settled'`);
    expect(entries).toHaveLength(20);
  });

  it('gives the money of a step that is never sent back once', async () => {
    const { spent } = await budget();
    const released = held.slice(20);
    const release = (step: StepRun) => organizationTx.run(organization, (tx) => money.release(tx, step));
    await Promise.all([...released, ...released, ...released].map(release));
    expect(await budget()).toEqual({ reserved: 0n, spent });
    expect(await movements('release')).toBe(14);
  });

  it('does not give back what was paid, and does not pay what was given back', async () => {
    // Other reservations are open: what is given back wrongly would be taken from them without a sound.
    const other = await newStep(PRICE);
    await organizationTx.run(organization, (tx) => money.reserve(tx, [other]));
    const before = await budget();
    const [paid, released] = [held[0], held[20]];
    if (!paid || !released) throw new Error('the tests before this one made no steps');
    const attempts = [
      organizationTx.run(organization, (tx) => money.release(tx, paid)),
      organizationTx.run(organization, (tx) =>
        money.settle(tx, newId(), released, { cost: 5n, basis: 'billed' }),
      ),
    ];
    await Promise.allSettled(attempts);
    expect(await budget()).toEqual(before);
  });
});
