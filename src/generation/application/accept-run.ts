import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { newSalt } from '../../audit/core/commitment.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { newId, publicId } from '../../shared/ids.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { type SoftLimitWarning } from '../domain/budget.js';
import { type ResolvedStep } from '../domain/resolve-run.js';
import { type Run, type SealedRunInputs, type SealedStepInputs, type StepRun } from '../domain/run.js';
import { assetsGivenTo } from './build-lineage.js';
import { type EndStep } from './end-step.js';
import { type FoundPipeline } from './find-pipeline.js';
import { type Money } from './money.js';
import { type RunEvents } from './run-events.js';
import { type StartRunRequest } from './start-run.js';

/** A run that may begin, or wait for a waiver: what was asked for, and what was found out about it. */
export interface ClearedRun {
  readonly request: StartRunRequest;
  readonly useCaseId: string;
  readonly pipeline: FoundPipeline;
  readonly steps: readonly ResolvedStep[];
  /** Keys of steps whose price nobody knows: a ceiling is reserved for each. */
  readonly ceilingSteps: readonly string[];
  readonly clearanceId: string;
  readonly state: 'RUNNING' | 'WAITING_FOR_WAIVER';
}

export interface AcceptedRun {
  readonly run: Run;
  readonly warnings: readonly SoftLimitWarning[];
}

/** The way of a run, step 3: run, steps, reservation, entry and wake-ups, inside the one transaction of its caller. */
export class AcceptRun {
  constructor(
    private readonly runs: RunRepository,
    private readonly money: Money,
    private readonly vault: SubjectVault,
    private readonly appendEntry: AppendEntry,
    private readonly events: RunEvents,
    private readonly endStep: EndStep,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `budget_exceeded`, `content_removed` */
  async accept(tx: Tx, principal: Principal, cleared: ClearedRun): Promise<AcceptedRun> {
    const { pipeline, request } = cleared;
    const run = runOf(cleared, principal, await this.sealInputs(tx, principal, cleared), this.clock.now());
    this.runs.insert(tx, run, canonicalJson(pipeline.definition as unknown as JsonValue));
    this.runs.insertInputs(tx, run.id, [...assetsGivenTo(request.inputs)]);
    const steps = cleared.steps.map((step) => stepRowOf(run.id, step));
    this.runs.insertSteps(tx, steps);
    const warnings = await this.money.reserve(tx, steps);
    await this.record(tx, principal, run, steps, cleared);
    await this.events.add(tx, run.id, { type: 'run', state: run.state });
    if (run.state === 'RUNNING') await this.endStep.continueRun(tx, run);
    return { run, warnings };
  }

  private async sealInputs(tx: Tx, principal: Principal, { steps, request }: ClearedRun): Promise<string> {
    const { inputs, useCaseName } = request;
    const sealed: SealedRunInputs = {
      v: 2,
      steps: Object.fromEntries(steps.map((step) => [step.key, sealedStep(step)])),
      request: { inputs, useCaseName },
    };
    return this.vault.encrypt(tx, principal.principalId, JSON.stringify(sealed));
  }

  private async record(
    tx: Tx,
    principal: Principal,
    run: Run,
    steps: readonly StepRow[],
    { request, ceilingSteps }: ClearedRun,
  ): Promise<void> {
    const { prompt } = request.inputs.values;
    const [first = [], ...rest] = inParts(steps.map(loggedStep));
    const about = {
      projectId: run.projectId,
      actor: actorOf(principal),
      subject: { kind: 'run' as const, id: publicId('run', run.id) },
    };
    await this.appendEntry.append(tx, {
      type: 'run.accepted',
      ...about,
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
        ...about,
        data: { part: index + 2, parts: rest.length + 1, steps: part },
      });
  }
}

function runOf(
  { request, useCaseId, pipeline, clearanceId, state }: ClearedRun,
  principal: Principal,
  sealedInputs: string,
  createdAt: Date,
): Run {
  return {
    id: newId(),
    projectId: request.projectId,
    useCaseId,
    pipelineName: pipeline.name,
    pipelineVersion: pipeline.version,
    sealedInputs,
    mode: principal.mode,
    state,
    clearanceId,
    cancelRequestedAt: undefined,
    createdBy: principal.principalId,
    apiKeyId: principal.keyId,
    routeChoiceId: request.routeChoiceId,
    createdAt,
    finishedAt: undefined,
    resumesRunId: request.resumesRunId,
  };
}

type StepRow = ReturnType<typeof stepRowOf>;

function stepRowOf(runId: string, step: ResolvedStep) {
  return {
    id: newId(),
    runId,
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
  };
}

/** What is replaced, or given up, is over from the beginning. */
function beginningOf({ substituteAssetId, left }: ResolvedStep) {
  if (substituteAssetId !== undefined)
    return { state: 'SKIPPED' as const, skipReason: 'substituted' as const };
  if (left === 'abandoned') return { state: 'SKIPPED' as const, skipReason: 'failed_before' as const };
  return { state: 'RESERVED' as const, skipReason: null };
}

function sealedStep({ parameters, images, alternativeParameters }: ResolvedStep): SealedStepInputs {
  const salt = newSalt().toString('base64url');
  if (alternativeParameters.length === 0) return { parameters, images, salt };
  return { parameters, images, salt, alternatives: Object.fromEntries(alternativeParameters.entries()) };
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
