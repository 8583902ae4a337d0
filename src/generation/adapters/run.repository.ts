import { In, LessThan, MoreThan } from 'typeorm';
import { type Tx } from '../../database/organization-tx.js';
import { asJson, insertAllOf, insertOf, type RowValues, settingOf } from '../../database/row-statements.js';
import { type Clock } from '../../shared/clock.js';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import {
  type Run,
  type RunState,
  type StepRun,
  type StepState,
  TERMINAL_STEP_STATES,
} from '../domain/run.js';
import { RUN_COLUMNS, runFromRow, STEP_COLUMNS, stepFromRow, toRun, toStep } from './run-rows.js';
import { RunEntity, StepRunEntity } from './run.entity.js';

type StepChange = Partial<
  Pick<
    StepRunEntity,
    | 'requestSha256'
    | 'upstreamId'
    | 'progress'
    | 'originalSha256'
    | 'originalMediaType'
    | 'usage'
    | 'preparation'
    | 'claims'
    | 'outputAssetId'
    | 'errorCode'
    | 'errorDetail'
    | 'plan'
    | 'alternative'
    | 'submitAttempts'
    | 'retryAt'
    | 'waitsUntil'
    | 'formerUpstreamIds'
    | 'skipReason'
    | 'listingId'
    | 'provider'
    | 'endpoint'
    | 'components'
  >
>;

const JSON_COLUMNS = ['usage', 'preparation', 'claims', 'plan', 'components'] as const;

/** A worker's hold on a step. Every change it makes names its token: after the lease was lost it changes nothing. */
export interface Lease {
  readonly token: string;
}

/** Rows of runs and steps. The rules about which state follows which are in the use cases. */
export class RunRepository {
  constructor(private readonly clock: Clock) {}

  /**
   * Assets that the run is given: as long as it goes on, none of them is removed (migration 0035).
   * @throws ColophonError `content_removed` at the latest here
   */
  insertInputs(tx: Tx, runId: string, assetIds: readonly string[]): void {
    if (assetIds.length === 0) return;
    // In one order: two runs with the same inputs, and whoever removes some, then wait for each other and do not lock up.
    tx.send(
      `INSERT INTO run_input (organization_id, run_id, asset_id)
       SELECT $1, $2, id FROM unnest($3::uuid[]) AS id ORDER BY id`,
      [tx.organizationId, runId, assetIds],
    );
  }

  insert(tx: Tx, run: Run, definition: Buffer): void {
    tx.send(...insertOf('run', { organizationId: tx.organizationId, ...run, definition }));
  }

  insertSteps(
    tx: Tx,
    steps: readonly Pick<
      StepRunEntity,
      | 'id'
      | 'runId'
      | 'key'
      | 'ordinal'
      | 'operation'
      | 'provider'
      | 'listingId'
      | 'endpoint'
      | 'dependsOn'
      | 'state'
      | 'reservedMicroUsd'
      | 'outputAssetId'
      | 'components'
      | 'plan'
      | 'skipReason'
    >[],
  ): void {
    const { organizationId } = tx;
    const [createdAt, updatedAt] = [this.clock.now(), this.clock.now()];
    const rows = steps.map((step) => ({ organizationId, ...step, createdAt, updatedAt }));
    tx.send(...insertAllOf('step_run', rows));
    tx.send(`INSERT INTO step_route (step_run_id, organization_id) SELECT unnest($1::uuid[]), $2`, [
      steps.map(({ id }) => id),
      tx.organizationId,
    ]);
  }

  async get(tx: Tx, id: string): Promise<Run> {
    return this.one(tx, id, '');
  }

  /** The run that the step belongs to. */
  async ofStep(tx: Tx, stepRunId: string): Promise<Run> {
    const [row] = await tx.query<Record<string, unknown>>(
      `SELECT ${RUN_COLUMNS} FROM run WHERE organization_id = $1
          AND id = (SELECT run_id FROM step_run WHERE organization_id = $1 AND id = $2)`,
      [tx.organizationId, stepRunId],
    );
    if (!row) throw new ColophonError('not_found', 'There is no step with this id.');
    return runFromRow(row);
  }

  /** Serializes every change of state within one run. */
  async lock(tx: Tx, id: string): Promise<Run> {
    return this.one(tx, id, 'FOR UPDATE');
  }

  private async one(tx: Tx, id: string, locking: '' | 'FOR UPDATE'): Promise<Run> {
    const [row] = await tx.query<Record<string, unknown>>(
      `SELECT ${RUN_COLUMNS} FROM run WHERE organization_id = $1 AND id = $2 ${locking}`,
      [tx.organizationId, id],
    );
    if (!row) throw new ColophonError('not_found', 'There is no run with this id.');
    return runFromRow(row);
  }

  async list(tx: Tx, limit: number, beforeId: string | undefined): Promise<Run[]> {
    const rows = await tx.manager.find(RunEntity, {
      where: {
        organizationId: tx.organizationId,
        ...(beforeId === undefined ? {} : { id: LessThan(beforeId) }),
      },
      order: { id: 'DESC' },
      take: limit,
    });
    return rows.map(toRun);
  }

  async steps(tx: Tx, runId: string): Promise<StepRun[]> {
    return this.stepsWhere(tx, 'run_id = $2 ORDER BY ordinal', [runId]);
  }

  /** Those of them that are there, in no order. */
  async byIds(tx: Tx, ids: readonly string[]): Promise<Run[]> {
    const { organizationId } = tx;
    return (await tx.manager.findBy(RunEntity, { organizationId, id: In([...ids]) })).map(toRun);
  }

  /** All steps of several runs, each run's in their order. */
  async stepsOfAll(tx: Tx, runIds: readonly string[]): Promise<StepRun[]> {
    const rows = await tx.manager.find(StepRunEntity, {
      where: { organizationId: tx.organizationId, runId: In([...runIds]) },
      order: { runId: 'ASC', ordinal: 'ASC' },
    });
    return rows.map(toStep);
  }

  /** Some of the steps of a run, in no order. */
  async stepsWithKeys(tx: Tx, runId: string, keys: readonly string[]): Promise<StepRun[]> {
    if (keys.length === 0) return [];
    return this.stepsWhere(tx, 'run_id = $2 AND key = ANY($3::text[])', [runId, [...keys]]);
  }

  private async stepsWhere(tx: Tx, condition: string, values: readonly unknown[]): Promise<StepRun[]> {
    const rows = await tx.query<Record<string, unknown>>(
      `SELECT ${STEP_COLUMNS} FROM step_run WHERE organization_id = $1 AND ${condition}`,
      [tx.organizationId, ...values],
    );
    return rows.map(stepFromRow);
  }

  async isDependedOn(tx: Tx, runId: string, key: string): Promise<boolean> {
    const rows = await tx.query(
      'SELECT 1 FROM step_run WHERE organization_id = $1 AND run_id = $2 AND $3 = ANY(depends_on) LIMIT 1',
      [tx.organizationId, runId, key],
    );
    return rows.length > 0;
  }

  /** A page of the steps of a run in their order. */
  async stepsAfter(
    tx: Tx,
    runId: string,
    page: { readonly limit: number; readonly afterOrdinal: number; readonly state: StepState | undefined },
  ): Promise<StepRun[]> {
    const { organizationId } = tx;
    const rows = await tx.manager.find(StepRunEntity, {
      where: {
        organizationId,
        runId,
        ordinal: MoreThan(page.afterOrdinal),
        ...(page.state === undefined ? {} : { state: page.state }),
      },
      order: { ordinal: 'ASC' },
      take: page.limit,
    });
    return rows.map(toStep);
  }

  /** The run that goes on with this one. */
  async resumedBy(tx: Tx, runId: string): Promise<string | undefined> {
    const [row] = await tx.query<{ id: string }>(
      'SELECT id FROM run WHERE organization_id = $1 AND resumes_run_id = $2',
      [tx.organizationId, runId],
    );
    return row?.id;
  }

  async step(tx: Tx, id: string): Promise<StepRun> {
    const [step] = await this.stepsWhere(tx, 'id = $2', [id]);
    if (!step) throw new ColophonError('not_found', 'There is no step with this id.');
    return step;
  }

  setRunState(tx: Tx, id: string, state: RunState, finished: boolean): void {
    tx.send(
      'UPDATE run SET state = $3, finished_at = coalesce($4, finished_at) WHERE organization_id = $1 AND id = $2',
      [tx.organizationId, id, state, finished ? this.clock.now() : null],
    );
  }

  async requestCancel(tx: Tx, id: string): Promise<void> {
    await tx.manager.update(
      RunEntity,
      { organizationId: tx.organizationId, id },
      { cancelRequestedAt: this.clock.now() },
    );
  }

  /**
   * Takes the lease of a step that is not finished and that nobody holds. `undefined` when it is finished or held.
   * The database's clock decides: the processes' clocks may differ.
   */
  async acquireLease(
    tx: Tx,
    stepRunId: string,
    token: string,
    leaseSeconds: number,
  ): Promise<StepRun | undefined> {
    const [row] = await tx.query<Record<string, unknown>>(
      `UPDATE step_run SET lease_token = $3, lease_until = now() + make_interval(secs => $4)
        WHERE organization_id = $1 AND id = $2 AND NOT (state = ANY($5::text[]))
          AND (lease_until IS NULL OR lease_until < now())
        RETURNING ${STEP_COLUMNS}`,
      [tx.organizationId, stepRunId, token, leaseSeconds, TERMINAL_STEP_STATES],
    );
    return row && stepFromRow(row);
  }

  async renewLease(tx: Tx, stepRunId: string, lease: Lease, leaseSeconds: number): Promise<void> {
    await tx.query(
      `UPDATE step_run SET lease_until = now() + make_interval(secs => $4)
        WHERE organization_id = $1 AND id = $2 AND lease_token = $3 RETURNING id`,
      [tx.organizationId, stepRunId, lease.token, leaseSeconds],
    );
  }

  async releaseLease(tx: Tx, stepRunId: string, lease: Lease): Promise<void> {
    await tx.query(
      `UPDATE step_run SET lease_token = NULL, lease_until = NULL
        WHERE organization_id = $1 AND id = $2 AND lease_token = $3 RETURNING id`,
      [tx.organizationId, stepRunId, lease.token],
    );
  }

  /** Seconds until the step's lease ends; 0 when nobody holds it. */
  async leaseRemainingSeconds(tx: Tx, stepRunId: string): Promise<number> {
    const [row] = await tx.query<{ seconds: number | null }>(
      `SELECT extract(epoch FROM lease_until - now())::float8 AS seconds FROM step_run WHERE organization_id = $1 AND id = $2`,
      [tx.organizationId, stepRunId],
    );
    return Math.max(0, row?.seconds ?? 0);
  }

  /**
   * The one way a worker changes a step. A step that has ended is nobody's any more.
   * @returns the step as it is then
   * @throws LeaseLostError when another worker has taken over: the caller stops at once.
   */
  async changeStep(
    tx: Tx,
    stepRunId: string,
    lease: Lease,
    from: StepState,
    to: StepState,
    change: StepChange = {},
  ): Promise<StepRun> {
    const [set, values] = settingOf(this.changed(change, to, leaseAfter(to)), 5);
    const [row] = await tx.query<Record<string, unknown>>(
      `UPDATE step_run SET ${set}
        WHERE organization_id = $1 AND id = $2 AND lease_token = $3 AND state = $4 RETURNING ${STEP_COLUMNS}`,
      [tx.organizationId, stepRunId, lease.token, from, ...values],
    );
    if (row === undefined) throw new LeaseLostError(stepRunId);
    return stepFromRow(row);
  }

  /** For changes that are not a worker's: cancellation, reconciliation, webhooks. Needs the run to be locked. */
  async changeUnleased(
    tx: Tx,
    stepRunId: string,
    from: StepState,
    to: StepState,
    change: StepChange = {},
  ): Promise<boolean> {
    const [set, values] = settingOf(this.changed(change, to), 4);
    const changed = await tx.query(
      `UPDATE step_run SET ${set} WHERE organization_id = $1 AND id = $2 AND state = $3 RETURNING id`,
      [tx.organizationId, stepRunId, from, ...values],
    );
    return changed.length === 1;
  }

  /**
   * Makes a provider's job that of a step, for ever.
   * @returns false when another step has or had it, of whichever organization
   */
  async claimJob(
    tx: Tx,
    { id, provider }: Pick<StepRun, 'id' | 'provider'>,
    upstreamId: string,
  ): Promise<boolean> {
    const jobSha256 = sha256Hex(Buffer.from(`${provider}\n${upstreamId}`, 'utf8'));
    const claimed = await tx.query(
      `INSERT INTO upstream_job (job_sha256, organization_id, step_run_id) VALUES ($1, $2, $3)
       ON CONFLICT DO NOTHING RETURNING step_run_id`,
      [jobSha256, tx.organizationId, id],
    );
    if (claimed.length > 0) return true;
    const [row] = await tx.query<{ step_run_id: string }>(
      'SELECT step_run_id FROM upstream_job WHERE job_sha256 = $1',
      [jobSha256],
    );
    return row?.step_run_id === id;
  }

  private changed(change: StepChange, state: StepState, lease: LeaseChange = {}): RowValues {
    const json = Object.fromEntries(
      JSON_COLUMNS.filter((name) => name in change).map((name) => [name, asJson(change[name])]),
    );
    return { ...change, ...json, ...lease, state, updatedAt: this.clock.now() };
  }

  async organizationOfStep(
    query: (sql: string, parameters: unknown[]) => Promise<unknown>,
    stepRunId: string,
  ): Promise<string | undefined> {
    const rows = (await query('SELECT organization_id FROM step_route WHERE step_run_id = $1', [
      stepRunId,
    ])) as {
      organization_id: string;
    }[];
    return rows[0]?.organization_id;
  }
}

type LeaseChange = Partial<Pick<StepRunEntity, 'leaseToken' | 'leaseUntil'>>;

function leaseAfter(state: StepState): LeaseChange {
  return TERMINAL_STEP_STATES.includes(state) ? { leaseToken: null, leaseUntil: null } : {};
}

export class LeaseLostError extends Error {
  constructor(stepRunId: string) {
    super(`the lease of step ${stepRunId} was lost to another worker`);
    this.name = 'LeaseLostError';
  }
}
