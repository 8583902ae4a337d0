import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { type Answer, type IdempotentRequest } from '../../http/idempotency.js';
import { type Principal } from '../../identity/domain/principal.js';
import {
  type Clearance,
  type Decided,
  type DecideClearance,
} from '../../licenses/application/decide-clearance.js';
import { type RequireCleared } from '../../licenses/application/require-cleared.js';
import { type DecisionResult } from '../../licenses/domain/engine.js';
import { type RunFacts } from '../../licenses/domain/run-facts.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { type SoftLimitWarning } from '../domain/budget.js';
import { type KnownAssets } from '../domain/media-ahead.js';
import { type Offerings } from '../domain/offering.js';
import { isHuman, isHumanOperation } from '../domain/pipeline-definition.js';
import { type PlannedStep, planSteps } from '../domain/plan-steps.js';
import { type ResolvedStep, resolveSteps, type RunInputs, textsOf } from '../domain/resolve-run.js';
import { type RouteTerms } from '../domain/route-terms.js';
import { type Run } from '../domain/run.js';
import { type AcceptRun } from './accept-run.js';
import { assetsGivenTo, buildLineage } from './build-lineage.js';
import { type FindPipeline, type FoundPipeline } from './find-pipeline.js';
import { requireFittingAssets } from './input-media.js';
import { type OwnPrices } from './own-prices.js';
import { type Providers } from './providers.js';
import { type RouteChoices } from './route-choices.js';

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
  | {
      readonly outcome: 'denied' | 'under-review';
      readonly clearance: Clearance;
      /** What would be refused next, e.g. for want of a price: whoever decides about the licenses should know. */
      readonly further?: ColophonError | undefined;
    }
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
    private readonly assets: AssetRepository,
    private readonly findPipeline: FindPipeline,
    private readonly decideClearance: DecideClearance,
    private readonly requireCleared: RequireCleared,
    private readonly requirePublishing: RequirePublishing,
    private readonly providers: Providers,
    private readonly prices: OwnPrices,
    private readonly routes: RouteChoices,
    private readonly acceptRun: AcceptRun,
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
    // Questions that need nothing of each other go to the database together, here and below.
    const [plan] = await Promise.all([this.plan(tx, request), this.requirePublishing.check(tx)]);
    const scope = { use: { projectId: request.projectId, useCaseId: plan.useCaseId } };
    const decided = await this.decide(tx, principal, request, plan);
    if (decided.result.decision === 'deny') {
      const clearance = await this.decideClearance.record(tx, principal, decided, scope);
      return { outcome: 'denied', clearance };
    }
    if (principal.mode === 'live') requireListed(plan.planned, decided.result);
    const isRefusable = request.underReview === 'refuse' && decided.result.decision === 'review';
    const accepted = isRefusable
      ? await this.decideClearance.record(tx, principal, decided, scope)
      : undefined;
    const known = await this.knownAssets(tx, request.inputs);
    const resolve = () => resolveSteps(plan.planned, request.inputs, principal.mode, plan.offerings, known);
    // Before prices and parameters: whoever is refused for the licenses need not look for a price first.
    if (accepted !== undefined && !(await this.requireCleared.holds(tx, accepted.id)))
      return { outcome: 'under-review', clearance: accepted, further: refusalOf(resolve) };
    const steps = resolve();
    if (plan.route !== undefined) this.routes.requireKept(plan.route, request.facts, steps.filter(isDone));
    await requireFittingAssets(tx, this.assets, steps);
    for (const step of steps) await this.checkWays(tx, step);
    const clearance = accepted ?? (await this.decideClearance.record(tx, principal, decided, scope));
    // A waiver of these very findings for this project may be in force already.
    const waits =
      accepted === undefined &&
      clearance.decision === 'review' &&
      !(await this.requireCleared.holds(tx, clearance.id));
    const ceilingSteps = stepsWithoutPrice(steps, plan.offerings);
    const made = await this.acceptRun.accept(tx, principal, {
      request,
      ...plan,
      steps,
      ceilingSteps,
      clearanceId: clearance.id,
      state: waits ? 'WAITING_FOR_WAIVER' : 'RUNNING',
    });
    return { outcome: waits ? 'waiting' : 'accepted', clearance, ...made, ceilingSteps };
  }

  /** How large what goes in is: the money is reserved by it. */
  private async knownAssets(tx: Tx, inputs: RunInputs): Promise<KnownAssets> {
    const ids = [...assetsGivenTo(inputs)];
    if (ids.length === 0) return new Map();
    return new Map((await this.assets.byIds(tx, ids)).map((asset) => [asset.id, asset]));
  }

  /** What there is to do. @throws ColophonError `not_found`, `invalid_request` */
  private async plan(tx: Tx, request: StartRunRequest): Promise<Plan> {
    const [useCaseId, pipeline, offerings] = await Promise.all([
      this.useCaseId(tx, request),
      'definition' in request.pipeline
        ? request.pipeline
        : this.findPipeline.byName(tx, request.pipeline.name, request.pipeline.version),
      this.prices.offerings(tx),
    ]);
    const planned = planSteps(pipeline.definition, request.inputs, offerings);
    const asked = planned.map(({ definition, listingId }) => ({ ...definition, listingId }));
    const route =
      request.routeChoiceId === undefined
        ? undefined
        : await this.routes.requireFollowed(tx, request.routeChoiceId, useCaseId, asked);
    return { useCaseId, pipeline, offerings, planned, route };
  }

  private async decide(
    tx: Tx,
    principal: Principal,
    { inputs, projectId, facts: stated }: StartRunRequest,
    { planned, useCaseId }: Plan,
  ): Promise<Decided> {
    const built = await buildLineage(tx, this.assets, planned, inputs, principal.mode);
    if (planned.every((step) => !isDoneByMachine(step)))
      throw new ColophonError(
        'invalid_request',
        'substitutes: every step is replaced or not wanted, so there is nothing to do',
      );
    // The day on which the models run is what this program knows best: whatever the caller says of it does not count.
    const facts = { ...stated, generatedOn: this.clock.now().toISOString().slice(0, 10) };
    return this.decideClearance.decide(tx, built.lineage, facts, {
      roles: principal.roles,
      use: { projectId, useCaseId },
      texts: textsOf(planned, inputs),
      originProjectIds: built.originProjectIds,
    });
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
}

interface Plan {
  readonly useCaseId: string;
  readonly pipeline: FoundPipeline;
  readonly offerings: Offerings;
  readonly planned: readonly PlannedStep[];
  readonly route: RouteTerms | undefined;
}

function refusalOf(work: () => unknown): ColophonError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof ColophonError) return error;
    throw error;
  }
}

/** Keys of the steps whose price nobody knows: a ceiling is reserved for each. */
function stepsWithoutPrice(steps: readonly ResolvedStep[], offerings: Offerings): readonly string[] {
  return steps
    .filter((step) => offerings.find(step)?.price?.family === 'ceiling' && step.reservedMicroUsd > 0n)
    .map(({ key }) => key);
}

/** Replaced and unwanted steps, and those of people, are nothing that could be cleared. */
function isDoneByMachine({ definition, substituteAssetId, left }: PlannedStep): boolean {
  return substituteAssetId === undefined && left === undefined && !isHuman(definition);
}

function isDone({ substituteAssetId, left }: ResolvedStep): boolean {
  return substituteAssetId === undefined && left === undefined;
}

/** A model that the registry does not list cannot be run for real; the sandbox plays any. */
function requireListed(planned: readonly PlannedStep[], decision: DecisionResult): void {
  const unlisted = decision.findings.find(
    ({ ruleId, listingId }) =>
      ruleId === 'listing-unknown' && planned.some((step) => step.listingId === listingId),
  );
  if (unlisted) throw new ColophonError('unknown_model', unlisted.message);
}
