import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type DataSource } from 'typeorm';
import { AssetRepository } from '../../src/assets/adapters/asset.repository.js';
import { AppendEntry } from '../../src/audit/application/append-entry.js';
import { SubjectVault } from '../../src/audit/application/subject-vault.js';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx, type Tx } from '../../src/database/organization-tx.js';
import { ENTITIES } from '../../src/entities.js';
import { RunRepository } from '../../src/generation/adapters/run.repository.js';
import { EndStep } from '../../src/generation/application/end-step.js';
import { BudgetRepository } from '../../src/generation/adapters/budget.repository.js';
import { Money } from '../../src/generation/application/money.js';
import { OwnPrices } from '../../src/generation/application/own-prices.js';
import { PriceBook } from '../../src/generation/registry/price-book.js';
import { ReadOutputFacts } from '../../src/generation/application/output-facts.js';
import { ReconcileStep } from '../../src/generation/application/reconcile-step.js';
import { RunEvents } from '../../src/generation/application/run-events.js';
import { TryAgain } from '../../src/generation/application/try-again.js';
import { Offerings } from '../../src/generation/domain/offering.js';
import { type StepRun } from '../../src/generation/domain/run.js';
import { type Alternative, type StepPlan } from '../../src/generation/domain/step-plan.js';
import { type StepState } from '../../src/generation/domain/run-states.js';
import { systemClock } from '../../src/shared/clock.js';
import { newId } from '../../src/shared/ids.js';
import { Inspector } from '../support/inspector.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const LIMIT = 1_000_000n;
const ALTERNATIVES: Alternative[] = [
  { listingId: 'dear@fal', provider: 'fal', endpoint: 'dear', components: [], estimateMicroUsd: '90000' },
  { listingId: 'cheap@fal', provider: 'fal', endpoint: 'cheap', components: [], estimateMicroUsd: '3000' },
];
const FALLBACKS: StepPlan = { needs: [], onFailure: 'continue', alternatives: ALTERNATIVES };
const RETRY: StepPlan = {
  needs: [],
  onFailure: 'stop',
  retry: { attempts: 2, on: ['rate_limited'], backoffSeconds: 10 },
};
const BUSY = { code: 'upstream_error', reason: 'busy', charged: false, notAccepted: 'rate_limited' } as const;

let database: TestDatabase;
let inspector: Inspector;
let dataSource: DataSource;
let organizationTx: OrganizationTx;
const organization = newId();
const projectId = newId();
const clock = systemClock;
const woken: { stepRunId: string; delaySeconds: number }[] = [];
const wakeUps = {
  wakeStep: (_tx: Tx, stepRunId: string, delaySeconds = 0) => {
    woken.push({ stepRunId, delaySeconds });
    return Promise.resolve();
  },
};
const appendEntry = new AppendEntry(new SubjectVault(randomBytes(32), clock), clock, () => undefined);
const runs = new RunRepository(clock);
const events = new RunEvents(clock);
const money = new Money(appendEntry, new BudgetRepository(), clock);
const prices = new OwnPrices(new Offerings([]), new PriceBook(), appendEntry, clock, undefined);
const facts = new ReadOutputFacts(new AssetRepository());
const endStep = new EndStep(runs, money, events, wakeUps, appendEntry, prices, facts, clock);
const tryAgain = new TryAgain(runs, events, wakeUps, appendEntry, clock);
const reconcile = new ReconcileStep(runs, endStep, events, appendEntry, wakeUps);

beforeAll(async () => {
  database = await createTestDatabase();
  inspector = await Inspector.open(database);
  dataSource = createDataSource({
    url: database.applicationUrl,
    applicationName: 'test',
    poolSize: 16,
    entities: ENTITIES,
  });
  await dataSource.initialize();
  organizationTx = new OrganizationTx(dataSource);
  const statements: [string, unknown[]][] = [
    [`INSERT INTO organization VALUES ($1, 'o', now())`, [organization]],
    [`INSERT INTO project VALUES ($1, $2, 'p', now())`, [organization, projectId]],
    [`INSERT INTO use_case VALUES ($1, $2, $2, 'u', now())`, [organization, projectId]],
    [`INSERT INTO clearance VALUES ($1, $2, 'allow', '', '', $2, now())`, [organization, projectId]],
    [
      `INSERT INTO budget (organization_id, scope, limit_micro_usd) VALUES ($1, 'organization', $2)`,
      [organization, LIMIT.toString()],
    ],
  ];
  for (const [sql, values] of statements) await inspector.query(sql, values);
});
beforeEach(() => void woken.splice(0));
afterAll(async () => {
  await dataSource.destroy();
  await inspector.close();
  await database.drop();
});

const inTx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => organizationTx.run(organization, work);

/** A run whose steps have these plans; each is reserved with the dearest of its ways. */
async function accepted(plans: Readonly<Record<string, StepPlan>>): Promise<Record<string, StepRun>> {
  const runId = newId();
  return inTx(async (tx) => {
    runs.insert(
      tx,
      {
        id: runId,
        projectId,
        useCaseId: projectId,
        pipelineName: 'p',
        pipelineVersion: 1,
        sealedInputs: '',
        mode: 'live',
        state: 'RUNNING',
        clearanceId: projectId,
        cancelRequestedAt: undefined,
        createdBy: projectId,
        createdAt: clock.now(),
        finishedAt: undefined,
        resumesRunId: undefined,
      },
      Buffer.from('{}'),
    );
    const steps = Object.entries(plans).map(([key, plan], ordinal) => ({
      id: newId(),
      runId,
      key,
      ordinal,
      operation: plan.human?.operation ?? ('generate' as const),
      provider: plan.human === undefined ? ('fal' as const) : ('people' as const),
      listingId: plan.human === undefined ? 'dear@fal' : 'none',
      endpoint: 'dear',
      dependsOn: [...plan.needs],
      state: 'RESERVED' as const,
      reservedMicroUsd: plan.human === undefined ? 90_000n : 0n,
      outputAssetId: null,
      components: null,
      plan,
      skipReason: null,
    }));
    runs.insertSteps(tx, steps);
    await money.reserve(tx, steps);
    await endStep.continueRun(tx, await runs.get(tx, runId));
    return Object.fromEntries((await runs.steps(tx, runId)).map((step) => [step.key, step]));
  });
}

/** Brings a step there as a worker does. */
async function working(
  step: StepRun | undefined,
  state: StepState,
  upstreamId?: string,
): Promise<{ step: StepRun; lease: { token: string } }> {
  if (step === undefined) throw new Error('there is no such step');
  const lease = { token: randomUUID() };
  return inTx(async (tx) => {
    const held = await runs.acquireLease(tx, step.id, lease.token, 60);
    if (held === undefined) throw new Error('the step is held');
    const change = {
      submitAttempts: held.submitAttempts + 1,
      ...(upstreamId === undefined ? {} : { upstreamId }),
    };
    await runs.changeStep(tx, step.id, lease, 'RESERVED', state, change);
    return { step: await runs.step(tx, step.id), lease };
  });
}

const release = (step: StepRun, lease: { token: string }) =>
  inTx((tx) => runs.releaseLease(tx, step.id, lease));
const read = (step: StepRun) => inTx((tx) => runs.step(tx, step.id));
const budget = async () => {
  const [row] = await inspector.query<{ reserved: string; spent: string }>(
    `SELECT reserved_micro_usd AS reserved, spent_micro_usd AS spent FROM budget WHERE organization_id = $1`,
    [organization],
  );
  return { reserved: Number(row?.reserved), spent: Number(row?.spent) };
};

describe('the ledger, after a certain failure', () => {
  it('keeps the reservation while a retry is due, and stops after the attempts of the definition', async () => {
    const { a } = await accepted({ a: RETRY });
    const { reserved } = await budget();
    for (const delaySeconds of [10, 20]) {
      const { step, lease } = await working(a, 'SUBMITTING');
      woken.splice(0);
      expect(await inTx((tx) => tryAgain.after(tx, step, lease, BUSY))).toBe('stop');
      await release(step, lease);
      expect(woken).toEqual([{ stepRunId: step.id, delaySeconds }]);
      expect(await read(step)).toMatchObject({ state: 'RESERVED', errorCode: 'upstream_error' });
      expect((await budget()).reserved).toBe(reserved);
    }
    const { step, lease } = await working(a, 'SUBMITTING');
    expect(await inTx((tx) => tryAgain.after(tx, step, lease, BUSY))).toBeUndefined();
    await inTx((tx) => endStep.fail(tx, step, lease, BUSY));
    expect((await budget()).reserved).toBe(reserved - 90_000);
  });

  it('pays the way that was gone, not the dearest, and what is left of the reservation is free', async () => {
    const before = await budget();
    const { a } = await accepted({ a: FALLBACKS });
    const first = await working(a, 'SUBMITTED', 'job-1');
    expect(
      await inTx((tx) => tryAgain.after(tx, first.step, first.lease, { ...BUSY, notAccepted: undefined })),
    ).toBe('again');
    await release(first.step, first.lease);
    expect(await read(first.step)).toMatchObject({
      state: 'RESERVED',
      listingId: 'cheap@fal',
      endpoint: 'cheap',
      alternative: 1,
      upstreamId: undefined,
      formerUpstreamIds: ['job-1'],
      reservedMicroUsd: 90_000n,
    });
    const { step, lease } = await working(first.step, 'SUBMITTED', 'job-2');
    // Accepted, and given up: it may have been made, so it is paid.
    const lost = { code: 'upstream_timeout', reason: 'too late', charged: true } as const;
    expect(await inTx((tx) => tryAgain.after(tx, step, lease, lost))).toBeUndefined();
    await inTx((tx) => endStep.fail(tx, step, lease, lost));
    expect(await budget()).toEqual({ reserved: before.reserved, spent: before.spent + 3_000 });
  });

  it('takes no news about an earlier attempt for news about this one', async () => {
    const { a } = await accepted({ a: FALLBACKS });
    const first = await working(a, 'SUBMITTED', 'job-1');
    await inTx((tx) => tryAgain.after(tx, first.step, first.lease, { ...BUSY, notAccepted: undefined }));
    await release(first.step, first.lease);
    const { step } = await working(first.step, 'SUBMITTING');
    const webhook = (upstreamId: string) =>
      inTx((tx) => reconcile.learnUpstreamId(tx, step.id, upstreamId, { kind: 'system', id: 'colophon' }));
    await webhook('job-1');
    expect((await read(step)).upstreamId).toBeUndefined();
    await inspector.query(`UPDATE step_run SET state = 'OUTCOME_UNKNOWN' WHERE id = $1`, [step.id]);
    await webhook('job-1');
    expect((await read(step)).state).toBe('OUTCOME_UNKNOWN');
    const said = { outcome: 'accepted', upstreamId: 'job-1' } as const;
    await expect(
      inTx((tx) => reconcile.reconcile(tx, step.id, said, { kind: 'api_key', id: 'key' })),
    ).rejects.toMatchObject({ code: 'conflict' });
    await webhook('job-2');
    expect(await read(step)).toMatchObject({ state: 'SUBMITTED', upstreamId: 'job-2' });
  });

  it('tries nothing again in a run that is to end', async () => {
    const { a } = await accepted({ a: RETRY, b: RETRY });
    const { step, lease } = await working(a, 'SUBMITTING');
    await inspector.query(`UPDATE run SET cancel_requested_at = now() WHERE id = $1`, [step.runId]);
    expect(await inTx((tx) => tryAgain.after(tx, step, lease, BUSY))).toBeUndefined();
  });
});

describe('the ledger, for people and lists', () => {
  const human: StepPlan = {
    needs: ['a', 'b'],
    needsAny: true,
    onFailure: 'stop',
    human: { operation: 'choose', roles: ['creator'], deadlineMinutes: 5, givenAssetIds: [] },
  };
  const goesOn: StepPlan = { needs: [], onFailure: 'continue' };

  it('asks nobody while there is nothing to choose from, gives the reservation back and ends', async () => {
    const steps = await accepted({ a: goesOn, b: goesOn, pick: human });
    expect(woken.map(({ stepRunId }) => stepRunId)).toEqual([steps.a?.id, steps.b?.id]);
    for (const made of [steps.a, steps.b]) {
      const { step, lease } = await working(made, 'SUBMITTING');
      await inTx((tx) => endStep.fail(tx, step, lease, BUSY));
    }
    const pick = await read(steps.pick as StepRun);
    expect(pick).toMatchObject({ state: 'SKIPPED', skipReason: 'input_missing' });
    expect((await inTx((tx) => runs.get(tx, pick.runId))).state).toBe('FAILED');
  });

  it('is answered once, however many answer at the same time', async () => {
    const steps = await accepted({ a: goesOn, b: goesOn, pick: human });
    const pick = steps.pick as StepRun;
    await inspector.query(`UPDATE step_run SET state = 'WAITING' WHERE id = $1`, [pick.id]);
    const answer = () =>
      inTx(async (tx) =>
        endStep.rejected(tx, await runs.lock(tx, pick.runId), pick, { code: 'not_approved', reason: 'no' }),
      );
    const answers = await Promise.allSettled([answer(), answer(), answer()]);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
