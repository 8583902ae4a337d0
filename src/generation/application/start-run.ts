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
import { isHuman, isHumanOperation } from '../domain/pipeline-definition.js';
import { type PlannedStep, planSteps } from '../domain/plan-steps.js';
import { type ResolvedStep, resolveSteps, type RunInputs, textsOf } from '../domain/resolve-run.js';
import { type SoftLimitWarning } from '../domain/budget.js';
import { type Run, type SealedRunInputs, type SealedStepInputs, type StepRun } from '../domain/run.js';
import { assetsGivenTo, buildLineage } from './build-lineage.js';
import { type EndStep } from './end-step.js';
import { type FindPipeline, type FoundPipeline } from './find-pipeline.js';
import { requireFittingAssets } from './input-media.js';
import { type Money } from './money.js';
import { type OwnPrices } from './own-prices.js';
import { type Providers } from './providers.js';
import { type RouteChoices } from './route-choices.js';
import { type RunEvents } from './run-events.js';

export interface StartRunRequest {
  readonly projectId: string;
  readonly useCaseName: string;
  /** By name; or a definition that was made for this run alone and is kept with it. */
  readonly pipeline: { readonly name: string; readonly version: number | undefined } | FoundPipeline;
  readonly inputs: RunInputs;
  readonly facts: RunFacts;
  /** The failed run that this one goes on with. */
  readonly resumesRunId?: string;
  /** `refuse`: nobody waits for a person's decision, so a run under review is not made. Absent: it waits. */
  readonly underReview?: 'wait' | 'refuse';
  /** The recorded choice of a model (UUID) that the run follows. */
  readonly routeChoiceId?: string | undefined;
}

export type StartedRun =
  | { readonly outcome: 'denied' | 'under-review'; readonly clearance: Clearance }
  | {
      readonly outcome: 'accepted' | 'waiting';
      readonly clearance: Clearance;
      readonly run: Run;
      readonly warnings: readonly SoftLimitWarning[];
      /** Keys of steps whose price nobody knows: a ceiling is reserved for each. */
      readonly ceilingSteps: readonly string[];
    };

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
    private readonly endStep: EndStep,
    private readonly prices: OwnPrices,
    private readonly routes: RouteChoices,
    private readonly clock: Clock,
  ) {}

  async start(
    principal: Principal,
    request: StartRunRequest,
    idempotent: IdempotentRequest,
    present: PresentStartedRun,
  ): Promise<Answer> {
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const started = await this.startWithin(tx, principal, request);
      const answer = present(started);
      await idempotent.complete(tx, answer);
      return answer;
    });
  }

  /** The same inside a transaction of the caller. */
  async startWithin(tx: Tx, principal: Principal, request: StartRunRequest): Promise<StartedRun> {
    await this.requirePublishing.check(tx);
    const useCaseId = await this.useCaseId(tx, request);
    const pipeline =
      'definition' in request.pipeline
        ? request.pipeline
        : await this.findPipeline.byName(tx, request.pipeline.name, request.pipeline.version);
    const offerings = await this.prices.offerings(tx);
    const planned = planSteps(pipeline.definition, request.inputs, offerings);
    if (request.routeChoiceId !== undefined) {
      const asked = planned.map(({ definition, listingId }) => ({ ...definition, listingId }));
      await this.routes.requireFollowed(tx, request.routeChoiceId, useCaseId, asked);
    }
    const { lineage, originProjectIds } = await buildLineage(
      tx,
      this.assets,
      planned,
      request.inputs,
      principal.mode,
    );
    if (planned.every((step) => !isDoneByMachine(step))) {
      throw new ColophonError(
        'invalid_request',
        'substitutes: every step is replaced or not wanted, so there is nothing to do',
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
    const steps = resolveSteps(planned, request.inputs, principal.mode, offerings);
    await requireFittingAssets(tx, this.assets, steps);
    for (const step of steps) await this.checkWays(tx, step);
    const clearance = await this.decideClearance.record(tx, principal, decided, scope);
    // A waiver of these very findings for this project may be in force already.
    const waiting = clearance.decision === 'review' && !(await this.requireCleared.holds(tx, clearance.id));
    if (waiting && request.underReview === 'refuse') return { outcome: 'under-review', clearance };
    const run: Run = {
      id: newId(),
      projectId: request.projectId,
      useCaseId,
      pipelineName: pipeline.name,
      pipelineVersion: pipeline.version,
      sealedInputs: await this.sealInputs(tx, principal, steps, request),
      mode: principal.mode,
      state: waiting ? 'WAITING_FOR_WAIVER' : 'RUNNING',
      clearanceId: clearance.id,
      cancelRequestedAt: undefined,
      createdBy: principal.principalId,
      apiKeyId: principal.keyId,
      routeChoiceId: request.routeChoiceId,
      createdAt: this.clock.now(),
      finishedAt: undefined,
      resumesRunId: request.resumesRunId,
    };
    const definition = canonicalJson(pipeline.definition as unknown as JsonValue);
    this.runs.insert(tx, run, definition);
    this.runs.insertInputs(tx, run.id, [...assetsGivenTo(request.inputs)]);
    const ceilingSteps = steps
      .filter((step) => offerings.find(step)?.price?.family === 'ceiling' && step.reservedMicroUsd > 0n)
      .map(({ key }) => key);
    const warnings = await this.accept(tx, principal, run, steps, request, ceilingSteps);
    return { outcome: waiting ? 'waiting' : 'accepted', clearance, run, warnings, ceilingSteps };
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

  /** Each way in which a step may be done is looked at before anything is reserved. */
  private async checkWays(tx: Tx, step: ResolvedStep): Promise<void> {
    const { key, operation, provider, endpoint, parameters, images, plan, alternativeParameters } = step;
    if (step.substituteAssetId !== undefined || step.left !== undefined) return;
    if (provider === 'people' || isHumanOperation(operation)) return;
    const ways = plan.alternatives?.map((way, index) => ({
      ...way,
      parameters: alternativeParameters[index] ?? {},
    }));
    for (const way of ways ?? [{ provider, endpoint, parameters }])
      await this.providers.check(tx, {
        key,
        operation,
        images,
        provider: way.provider,
        endpoint: way.endpoint,
        parameters: way.parameters,
      });
  }

  private async sealInputs(
    tx: Tx,
    principal: Principal,
    steps: readonly ResolvedStep[],
    { inputs, useCaseName }: StartRunRequest,
  ): Promise<string> {
    const sealed: SealedRunInputs = {
      v: 2,
      steps: Object.fromEntries(steps.map((step) => [step.key, sealedStep(step)])),
      request: { inputs, useCaseName },
    };
    return this.vault.encrypt(tx, principal.principalId, JSON.stringify(sealed));
  }

  private async accept(
    tx: Tx,
    principal: Principal,
    run: Run,
    resolved: readonly ResolvedStep[],
    request: StartRunRequest,
    ceilingSteps: readonly string[],
  ): Promise<readonly SoftLimitWarning[]> {
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
      ...beginningOf(step),
      reservedMicroUsd: step.reservedMicroUsd,
      outputAssetId: step.substituteAssetId ?? null,
      components: step.components.length === 0 ? null : [...step.components],
      plan: step.plan,
    }));
    this.runs.insertSteps(tx, steps);
    const warnings = await this.money.reserve(tx, steps);
    const prompt = request.inputs.values.prompt;
    const [first = [], ...rest] = inParts(steps.map(loggedStep));
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
        steps: first,
        ...(rest.length === 0 ? {} : { stepsTotal: steps.length }),
        ...(run.resumesRunId === undefined ? {} : { resumes: publicId('run', run.resumesRunId) }),
        reservedMicroUsd: steps.reduce((sum, step) => sum + step.reservedMicroUsd, 0n).toString(),
        ...(run.routeChoiceId === undefined ? {} : { routeId: publicId('routeChoice', run.routeChoiceId) }),
        ...(ceilingSteps.length === 0 ? {} : { ceilingSteps: [...ceilingSteps] }),
      },
      ...(typeof prompt === 'string'
        ? { sealed: { prompt: { value: prompt, subjectId: principal.principalId } } }
        : {}),
    });
    for (const [index, part] of rest.entries())
      await this.appendEntry.append(tx, {
        type: 'run.steps_accepted',
        projectId: run.projectId,
        actor: actorOf(principal),
        subject: { kind: 'run', id: publicId('run', run.id) },
        data: { part: index + 2, parts: rest.length + 1, steps: part },
      });
    await this.events.add(tx, run.id, { type: 'run', state: run.state });
    if (run.state === 'RUNNING') await this.endStep.continueRun(tx, run);
    return warnings;
  }
}

/** 64 steps with keys, listings and fallbacks leave an entry below its 65,535 bytes. */
const STEPS_IN_ENTRY = 64;

function inParts<T>(items: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let from = 0; from < items.length; from += STEPS_IN_ENTRY)
    parts.push(items.slice(from, from + STEPS_IN_ENTRY));
  return parts;
}

function loggedStep(step: Pick<StepRun, 'id' | 'key' | 'provider' | 'listingId' | 'plan'>) {
  const fallbacks = step.plan?.alternatives?.slice(1).map(({ listingId }) => listingId) ?? [];
  return {
    stepRunId: publicId('stepRun', step.id),
    key: step.key,
    provider: step.provider,
    listingId: step.listingId,
    ...(fallbacks.length === 0 ? {} : { fallbacks }),
  };
}

function sealedStep({ parameters, images, alternativeParameters }: ResolvedStep): SealedStepInputs {
  const salt = newSalt().toString('base64url');
  if (alternativeParameters.length === 0) return { parameters, images, salt };
  return { parameters, images, salt, alternatives: Object.fromEntries(alternativeParameters.entries()) };
}

/** What is replaced, or given up, is over from the beginning. */
function beginningOf({ substituteAssetId, left }: ResolvedStep) {
  if (substituteAssetId !== undefined)
    return { state: 'SKIPPED' as const, skipReason: 'substituted' as const };
  if (left === 'abandoned') return { state: 'SKIPPED' as const, skipReason: 'failed_before' as const };
  return { state: 'RESERVED' as const, skipReason: null };
}

/** Replaced and unwanted steps, and those of people, are nothing that could be cleared. */
function isDoneByMachine({ definition, substituteAssetId, left }: PlannedStep): boolean {
  return substituteAssetId === undefined && left === undefined && !isHuman(definition);
}

/** A model that the registry does not list cannot be run for real; the sandbox plays any. */
function requireListed(planned: readonly PlannedStep[], decision: DecisionResult): void {
  const unlisted = decision.findings.find(
    ({ ruleId, listingId }) =>
      ruleId === 'listing-unknown' && planned.some((step) => step.listingId === listingId),
  );
  if (unlisted) throw new ColophonError('unknown_model', unlisted.message);
}
