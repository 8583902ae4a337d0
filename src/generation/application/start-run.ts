import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { newSalt } from '../../audit/core/commitment.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { type Answer, type IdempotentRequest } from '../../http/idempotency.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clearance, type DecideClearance } from '../../licenses/application/decide-clearance.js';
import { type RequireCleared } from '../../licenses/application/require-cleared.js';
import { type DecisionResult } from '../../licenses/domain/engine.js';
import { type RunFacts } from '../../licenses/domain/run-facts.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type RunRepository } from '../adapters/run.repository.js';
import {
  type PlannedStep,
  planSteps,
  type ResolvedStep,
  resolveSteps,
  type RunInputs,
  textsOf,
} from '../domain/resolve-run.js';
import { type Offerings } from '../domain/offering.js';
import { type Run, type SealedRunInputs, type StepRun } from '../domain/run.js';
import { type WakeUpQueue } from '../domain/wake-up.port.js';
import { buildLineage } from './build-lineage.js';
import { type FindPipeline } from './find-pipeline.js';
import { requireFittingAssets } from './input-media.js';
import { type Money } from './money.js';
import { type Providers } from './providers.js';
import { type RunEvents } from './run-events.js';

export interface StartRunRequest {
  readonly projectId: string;
  readonly useCaseName: string;
  readonly pipeline: { readonly name: string; readonly version: number | undefined };
  readonly inputs: RunInputs;
  readonly facts: RunFacts;
}

export type StartedRun =
  | { readonly outcome: 'denied'; readonly clearance: Clearance }
  | { readonly outcome: 'accepted' | 'waiting'; readonly clearance: Clearance; readonly run: Run };

/** What the HTTP layer answers, so that it can be stored in the same transaction as the run. */
export type PresentStartedRun = (started: StartedRun) => Answer;

/**
 * The way of a run, steps 2 and 3: clear, then reserve and accept in ONE transaction. Nothing is sent to a provider
 * here. A crash before the commit leaves nothing; after it, the worker finds the run.
 */
export class StartRun {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly runs: RunRepository,
    private readonly assets: AssetRepository,
    private readonly findPipeline: FindPipeline,
    private readonly decideClearance: DecideClearance,
    private readonly requireCleared: RequireCleared,
    private readonly requirePublishing: RequirePublishing,
    private readonly providers: Providers,
    private readonly money: Money,
    private readonly vault: SubjectVault,
    private readonly appendEntry: AppendEntry,
    private readonly events: RunEvents,
    private readonly wakeUps: WakeUpQueue,
    private readonly offerings: Offerings,
    private readonly clock: Clock,
  ) {}

  async start(
    principal: Principal,
    request: StartRunRequest,
    idempotent: IdempotentRequest,
    present: PresentStartedRun,
  ): Promise<Answer> {
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const started = await this.decideAndAccept(tx, principal, request);
      const answer = present(started);
      await idempotent.complete(tx, answer);
      return answer;
    });
  }

  private async decideAndAccept(tx: Tx, principal: Principal, request: StartRunRequest): Promise<StartedRun> {
    await this.requirePublishing.check(tx);
    const useCaseId = await this.useCaseId(tx, request);
    const pipeline = await this.findPipeline.byName(tx, request.pipeline.name, request.pipeline.version);
    const planned = planSteps(pipeline.definition, request.inputs, this.offerings);
    const { lineage, originProjectIds } = await buildLineage(
      tx,
      this.assets,
      planned,
      request.inputs,
      principal.mode,
    );
    if (planned.every(({ substituteAssetId }) => substituteAssetId !== undefined)) {
      throw new ColophonError(
        'invalid_request',
        'substitutes: every step is replaced, so there is nothing to do',
      );
    }
    // The day on which the models run is what this program knows best: whatever the caller says of it does not count.
    const facts = { ...request.facts, generatedOn: this.clock.now().toISOString().slice(0, 10) };
    const use = { projectId: request.projectId, useCaseId };
    const texts = textsOf(planned, request.inputs);
    const asked = { roles: principal.roles, use, texts, originProjectIds };
    const decided = await this.decideClearance.decide(tx, lineage, facts, asked);
    const scope = { use };
    if (decided.result.decision === 'deny') {
      return {
        outcome: 'denied',
        clearance: await this.decideClearance.record(tx, principal, decided, scope),
      };
    }
    if (principal.mode === 'live') requireListed(planned, decided.result);
    const steps = resolveSteps(planned, request.inputs, principal.mode, this.offerings);
    await requireFittingAssets(tx, this.assets, steps);
    for (const step of steps) if (step.substituteAssetId === undefined) await this.providers.check(tx, step);
    const clearance = await this.decideClearance.record(tx, principal, decided, scope);
    // A waiver of these very findings for this project may be in force already.
    const waiting = clearance.decision === 'review' && !(await this.requireCleared.holds(tx, clearance.id));
    const run: Run = {
      id: newId(),
      projectId: request.projectId,
      useCaseId,
      pipelineName: pipeline.name,
      pipelineVersion: pipeline.version,
      sealedInputs: await this.sealInputs(tx, principal, steps),
      mode: principal.mode,
      state: waiting ? 'WAITING_FOR_WAIVER' : 'RUNNING',
      clearanceId: clearance.id,
      cancelRequestedAt: undefined,
      createdBy: principal.principalId,
      createdAt: this.clock.now(),
      finishedAt: undefined,
    };
    const definition = canonicalJson(pipeline.definition as unknown as JsonValue);
    await this.runs.insert(tx, run, definition);
    await this.accept(tx, principal, run, steps, request);
    return { outcome: waiting ? 'waiting' : 'accepted', clearance, run };
  }

  private async useCaseId(tx: Tx, request: StartRunRequest): Promise<string> {
    const [useCase] = await tx.query<{ id: string }>(
      'SELECT id FROM use_case WHERE organization_id = $1 AND project_id = $2 AND name = $3',
      [tx.organizationId, request.projectId, request.useCaseName],
    );
    if (!useCase)
      throw new ColophonError('not_found', 'There is no such project, or it has no such use case.');
    return useCase.id;
  }

  private async sealInputs(tx: Tx, principal: Principal, steps: readonly ResolvedStep[]): Promise<string> {
    const inputs: SealedRunInputs = Object.fromEntries(
      steps.map(({ key, parameters, images }) => [
        key,
        { parameters, images, salt: newSalt().toString('base64url') },
      ]),
    );
    return this.vault.encrypt(tx, principal.principalId, JSON.stringify(inputs));
  }

  private async accept(
    tx: Tx,
    principal: Principal,
    run: Run,
    resolved: readonly ResolvedStep[],
    request: StartRunRequest,
  ): Promise<void> {
    const steps = resolved.map((step) => ({
      id: newId(),
      runId: run.id,
      key: step.key,
      ordinal: step.ordinal,
      operation: step.operation,
      provider: step.provider,
      listingId: step.listingId,
      endpoint: step.endpoint,
      dependsOn: [...step.dependsOn],
      state: step.substituteAssetId === undefined ? ('RESERVED' as const) : ('SKIPPED' as const),
      reservedMicroUsd: step.reservedMicroUsd,
      outputAssetId: step.substituteAssetId ?? null,
      components: step.components.length === 0 ? null : [...step.components],
    }));
    await this.runs.insertSteps(tx, steps);
    await this.money.reserve(tx, steps);
    const prompt = request.inputs.values.prompt;
    await this.appendEntry.append(tx, {
      type: 'run.accepted',
      projectId: run.projectId,
      actor: actorOf(principal),
      subject: { kind: 'run', id: publicId('run', run.id) },
      data: {
        pipeline: run.pipelineName,
        pipelineVersion: run.pipelineVersion,
        mode: run.mode,
        projectId: publicId('project', run.projectId),
        useCase: request.useCaseName,
        clearanceId: publicId('clearance', run.clearanceId),
        steps: steps.map((step) => ({
          stepRunId: publicId('stepRun', step.id),
          key: step.key,
          provider: step.provider,
          listingId: step.listingId,
        })),
        reservedMicroUsd: steps.reduce((sum, step) => sum + step.reservedMicroUsd, 0n).toString(),
      },
      ...(typeof prompt === 'string'
        ? { sealed: { prompt: { value: prompt, subjectId: principal.principalId } } }
        : {}),
    });
    await this.events.add(tx, run.id, { type: 'run', state: run.state });
    if (run.state === 'RUNNING') await this.wakeReady(tx, steps);
  }

  private async wakeReady(
    tx: Tx,
    steps: readonly Pick<StepRun, 'id' | 'key' | 'state' | 'dependsOn'>[],
  ): Promise<void> {
    const done = new Set(steps.filter((step) => step.state === 'SKIPPED').map(({ key }) => key));
    for (const step of steps) {
      if (step.state === 'RESERVED' && step.dependsOn.every((key) => done.has(key)))
        await this.wakeUps.wakeStep(tx, step.id);
    }
  }
}

/** A model that the registry does not list cannot be run for real; the sandbox plays any. */
function requireListed(planned: readonly PlannedStep[], decision: DecisionResult): void {
  const unlisted = decision.findings.find(
    ({ ruleId, listingId }) =>
      ruleId === 'listing-unknown' && planned.some((step) => step.listingId === listingId),
  );
  if (unlisted) throw new ColophonError('unknown_model', unlisted.message);
}
