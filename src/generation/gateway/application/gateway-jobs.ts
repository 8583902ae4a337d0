import { type AssetRepository } from '../../../assets/adapters/asset.repository.js';
import { type SubjectVault } from '../../../audit/application/subject-vault.js';
import { type OrganizationTx, type Tx } from '../../../database/organization-tx.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { askUntil } from '../../../shared/ask-until.js';
import { type Clock } from '../../../shared/clock.js';
import { ColophonError, isColophonError } from '../../../shared/errors.js';
import { type RunRepository } from '../../adapters/run.repository.js';
import { type CancelRun } from '../../application/cancel-run.js';
import { type Run, type StepRun } from '../../domain/run.js';
import { type GatewayPlace, pipelineNameOf } from '../domain/gateway-call.js';
import {
  type DeployedModel,
  type GatewayJob,
  isOver,
  type JobRequest,
  type JobStanding,
  type JobVendor,
  type SealedCall,
  sealedCallSchema,
} from '../domain/gateway-job.js';
import { type FalResultShape, readShape } from '../domain/fal-result-shape.js';
import { type FalResults } from '../../registry/fal-results.js';
import { endOf } from './await-run.js';
import { useCaseOfPlace } from './use-case-of-place.js';

/** Whose job is meant: one of another organization, project, use case or key does not exist for the caller. */
export interface JobOwner {
  readonly principal: Principal;
  readonly place: GatewayPlace;
  readonly vendor: JobVendor;
}

/** Where a page of a list begins. */
export interface JobPage {
  readonly olderThan?: string;
  readonly newerThan?: string;
}

export interface JobOptions {
  /**
   * How long a job whose answer was lost is in progress for its client: while the vendor's webhook or its list may still
   * name it. 0 where neither can reach us.
   */
  readonly findableMs: number;
  /** What was cleared to run behind deployments of Replicate, by `deployments/owner/name`. */
  readonly deployedModels: Readonly<Record<string, DeployedModel>>;
}

interface JobRow {
  run_id: string;
  vendor: JobVendor;
  model: string;
  base_url: string;
  sealed_call: string;
  webhook_events: GatewayJob['webhookEvents'];
  use_case: string;
  started_at: Date | null;
}

const FIRST_LOOK_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** As long as fal keeps what was sent with a request, and longer than Replicate does. Background removal follows. */
const KEPT = `(r.finished_at IS NULL OR r.finished_at > now() - interval '30 days')`;
const JOB_COLUMNS = `j.run_id, j.vendor, j.model, j.base_url, j.sealed_call, j.webhook_events, u.name AS use_case,
  (SELECT min(e.at) FROM run_event e WHERE e.organization_id = j.organization_id AND e.run_id = j.run_id
      AND e.event::jsonb ->> 'state' = 'SUBMITTING') AS started_at`;
const JOBS = `gateway_job j
   JOIN run r ON r.organization_id = j.organization_id AND r.id = j.run_id
   JOIN use_case u ON u.organization_id = r.organization_id AND u.id = r.use_case_id`;

/**
 * Jobs that a client submits and asks for later. A job is a run and what the client said beside it; how it stands is read
 * from the run each time, so every process says the same, and a restarted one too.
 */
export class GatewayJobs {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly runs: RunRepository,
    private readonly assets: AssetRepository,
    private readonly vault: SubjectVault,
    private readonly cancelRun: CancelRun,
    private readonly falResults: Pick<FalResults, 'find'>,
    private readonly clock: Clock,
    private readonly options: JobOptions,
  ) {}

  /** In the transaction that accepts the run. */
  async keep(tx: Tx, run: Run, { vendor, model, baseUrl, call, webhookEvents }: JobRequest): Promise<void> {
    const sealed = await this.vault.encrypt(tx, run.createdBy, JSON.stringify(call));
    await tx.query(
      `INSERT INTO gateway_job (organization_id, run_id, vendor, model, base_url, sealed_call, webhook_events, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [tx.organizationId, run.id, vendor, model, baseUrl, sealed, [...webhookEvents], this.clock.now()],
    );
  }

  /** @throws ColophonError `not_found` for an unknown project or use case */
  async requirePlace({ principal, place }: JobOwner): Promise<void> {
    await this.organizationTx.run(principal.organizationId, (tx) => useCaseOfPlace(tx, place));
  }

  /** @throws ColophonError `not_found` */
  async get(owner: JobOwner, runId: string): Promise<GatewayJob> {
    return this.organizationTx.run(owner.principal.organizationId, (tx) =>
      this.ownedWithin(tx, owner, runId),
    );
  }

  /** For what is done in nobody's request. `undefined` for a run that is no job of a client. */
  async find(tx: Tx, runId: string): Promise<GatewayJob | undefined> {
    const [row] = await tx.query<JobRow>(
      `SELECT ${JOB_COLUMNS} FROM ${JOBS} WHERE j.organization_id = $1 AND j.run_id = $2`,
      [tx.organizationId, runId],
    );
    return row && this.jobOf(tx, row);
  }

  /** Newest first. @param page from which job on (UUID), without it; absent: the newest */
  async list(owner: JobOwner, limit: number, page: JobPage = {}): Promise<GatewayJob[]> {
    const { principal, place, vendor } = owner;
    const { olderThan, newerThan } = page;
    // The name of the pipeline stands in the statement, so that the index of one vendor's runs is found (migration 0039).
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const rows = await tx.query<JobRow>(
        `SELECT ${JOB_COLUMNS} FROM ${JOBS}
          WHERE j.organization_id = $1 AND r.api_key_id = $2 AND r.project_id = $3 AND u.name = $4 AND j.vendor = $5
            AND r.pipeline_name = '${pipelineNameOf(vendor)}' AND ${KEPT}
            AND ($6::uuid IS NULL OR r.id < $6) AND ($7::uuid IS NULL OR r.id > $7)
          ORDER BY r.id ${newerThan === undefined ? 'DESC' : 'ASC'} LIMIT $8`,
        [
          principal.organizationId,
          principal.keyId,
          place.projectId,
          place.useCase,
          vendor,
          olderThan ?? null,
          newerThan ?? null,
          limit,
        ],
      );
      if (rows.length === 0) await useCaseOfPlace(tx, place);
      const jobs = await this.jobsOf(tx, rows);
      return newerThan === undefined ? jobs : jobs.reverse();
    });
  }

  /**
   * Waits until the job is over, the time is up, or nobody waits any more.
   * @throws ColophonError `not_found`
   */
  async settled(
    owner: JobOwner,
    runId: string,
    { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<GatewayJob> {
    const wait = { timeoutMs: waitMs, stepMs: FIRST_LOOK_MS, longestStepMs: LONGEST_PAUSE_MS, signal };
    return askUntil(() => this.get(owner, runId), isOver, wait);
  }

  /**
   * Nothing more is sent to a provider. What a provider already has is paid for, so it goes on, and is signed.
   * @returns the job, and whether it was over before
   * @throws ColophonError `not_found`
   */
  async cancel(
    owner: JobOwner,
    runId: string,
  ): Promise<{ readonly job: GatewayJob; readonly wasOver: boolean }> {
    const { principal } = owner;
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      await this.ownedWithin(tx, owner, runId);
      const canceled = await this.cancelRun.cancel(tx, runId, principal).then(
        () => true,
        (error: unknown) => {
          if (isColophonError(error, 'run_not_cancelable')) return false;
          throw error;
        },
      );
      return { job: await this.ownedWithin(tx, owner, runId), wasOver: !canceled };
    });
  }

  private async ownedWithin(
    tx: Tx,
    { principal, place, vendor }: JobOwner,
    runId: string,
  ): Promise<GatewayJob> {
    const [row] = await tx.query<JobRow>(
      `SELECT ${JOB_COLUMNS} FROM ${JOBS}
        WHERE j.organization_id = $1 AND j.run_id = $2 AND r.api_key_id = $3 AND r.project_id = $4 AND u.name = $5
          AND j.vendor = $6 AND r.pipeline_name = $7 AND ${KEPT}`,
      [
        tx.organizationId,
        runId,
        principal.keyId,
        place.projectId,
        place.useCase,
        vendor,
        pipelineNameOf(vendor),
      ],
    );
    if (row) return this.jobOf(tx, row);
    await useCaseOfPlace(tx, place);
    throw noJob();
  }

  private async jobOf(tx: Tx, row: JobRow): Promise<GatewayJob> {
    const [job] = await this.jobsOf(tx, [row]);
    if (job === undefined) throw new Error('a row of a job makes a job');
    return job;
  }

  /** In the order of the rows, with few questions to the database however many they are. */
  private async jobsOf(tx: Tx, rows: readonly JobRow[]): Promise<GatewayJob[]> {
    if (rows.length === 0) return [];
    const ids = rows.map(({ run_id: id }) => id);
    const runs = new Map((await this.runs.byIds(tx, ids)).map((run) => [run.id, run]));
    const allSteps = await this.runs.stepsOfAll(tx, ids);
    const outputs = allSteps.flatMap(({ outputAssetId }) => outputAssetId ?? []);
    const assets = new Map((await this.assets.byIds(tx, outputs)).map((asset) => [asset.id, asset]));
    const jobs: GatewayJob[] = [];
    for (const row of rows) {
      const run = runs.get(row.run_id);
      if (run === undefined) throw new Error('a job has a run');
      const steps = allSteps.filter(({ runId }) => runId === run.id);
      jobs.push({
        vendor: row.vendor,
        model: row.model,
        baseUrl: row.base_url,
        webhookEvents: row.webhook_events,
        useCase: row.use_case,
        startedAt: row.started_at ?? undefined,
        call: await this.callOf(tx, run, row.sealed_call),
        run,
        steps,
        assets: steps.flatMap(({ outputAssetId }) => assets.get(outputAssetId ?? '') ?? []),
        standing: this.standingOf(run, steps),
        deployed: row.vendor === 'replicate' ? this.options.deployedModels[row.model] : undefined,
        resultShape: row.vendor === 'fal' ? this.resultShapeOf(row.model, steps) : undefined,
      });
    }
    return jobs;
  }

  private standingOf(run: Run, steps: readonly StepRun[]): JobStanding {
    if (run.state === 'CANCELED') return { kind: 'canceled' };
    // What may be found is not told as the end: the client would ask for it anew, and be charged for both.
    if (run.state === 'NEEDS_RECONCILIATION' && this.mayBeFound(steps)) return { kind: 'running' };
    try {
      if (endOf(run, steps) !== undefined) return { kind: 'succeeded' };
    } catch (error) {
      if (error instanceof ColophonError) return { kind: 'failed', error };
      throw error;
    }
    return { kind: steps.every(({ state }) => state === 'RESERVED') ? 'queued' : 'running' };
  }

  /** The sandbox keeps no jobs, so nothing of it turns up again. */
  private mayBeFound(steps: readonly StepRun[]): boolean {
    const since = this.clock.now().getTime() - this.options.findableMs;
    return steps.some(
      ({ state, provider, updatedAt }) =>
        state === 'OUTCOME_UNKNOWN' && provider !== 'sandbox' && updatedAt.getTime() > since,
    );
  }

  /** The model's own answer says it best; the sandbox has none, and answers by the model's schema. */
  private resultShapeOf(model: string, steps: readonly StepRun[]): FalResultShape | undefined {
    const claimed = steps[0]?.claims.resultShape;
    return (typeof claimed === 'string' ? readShape(claimed) : undefined) ?? this.falResults.find(model);
  }

  private async callOf(tx: Tx, run: Run, sealed: string): Promise<SealedCall | undefined> {
    const opened = await this.vault.decrypt(tx, run.createdBy, sealed);
    return opened === undefined ? undefined : sealedCallSchema.parse(JSON.parse(opened));
  }
}

export function noJob(): ColophonError {
  return new ColophonError('not_found', 'There is no job with this id here.');
}
