import { createHash } from 'node:crypto';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type RunFacts } from '../../licenses/domain/run-facts.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { chooseModel, type Rule } from '../domain/choose-model.js';
import {
  departures,
  type RoutedStep,
  routedModels,
  type RouteTerms,
  settingsIn,
} from '../domain/route-terms.js';
import { type ModelQuestion, type RankedModel, type RankModels } from './rank-models.js';

/** What is stored, shown, and hashed in the entry. Amounts are micro-USD as text. */
export interface RouteChoice extends RouteTerms {
  readonly measure: ModelQuestion['measure'];
  /** Absent where nobody said, and in choices of before it was asked. */
  readonly inputPictureSizes?: ModelQuestion['inputPictureSizes'];
  readonly textBytes?: number;
  readonly because: string;
  readonly chosen: RoutedModel | null;
  /** What to take instead, in this order; cleared, too. */
  readonly fallbacks: readonly RoutedModel[];
  readonly excluded: readonly {
    readonly model: string;
    readonly endpoint: string;
    readonly because: string;
  }[];
}

interface RoutedModel {
  readonly model: string;
  readonly endpoint: string;
  readonly estimateMicroUsd: string;
  readonly quality: number;
}

const MAX_FALLBACKS = 5;
const MAX_DEPARTURES = 10;

/** Chooses a model by a stated rule and writes down why; a run may name the choice. */
export class RouteChoices {
  constructor(
    private readonly rankModels: RankModels,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  async choose(
    tx: Tx,
    principal: Principal,
    question: ModelQuestion,
    rule: Rule,
  ): Promise<{ id: string; choice: RouteChoice }> {
    const candidates = await this.rankModels.rank(tx, principal, question);
    const { ranked, excluded, because } = chooseModel(candidates, rule);
    const [chosen = null, ...fallbacks] = ranked.map(routed);
    const choice: RouteChoice = {
      operation: question.operation,
      parameters: settingsIn(question.parameters),
      inputPictures: question.inputPictures,
      ...(question.inputPictureSizes === undefined ? {} : { inputPictureSizes: question.inputPictureSizes }),
      textBytes: question.textBytes,
      facts: question.facts,
      measure: question.measure,
      rule: 'floor' in rule ? rule : { ...rule, ceilingMicroUsd: rule.ceilingMicroUsd.toString() },
      because,
      chosen,
      fallbacks: fallbacks.slice(0, MAX_FALLBACKS),
      excluded: excluded.map(({ candidate, because: reason }) => ({
        model: candidate.listingId,
        endpoint: candidate.endpoint,
        because: reason,
      })),
    };
    return { id: await this.record(tx, principal, question.useCase.id, choice), choice };
  }

  /** @throws ColophonError `not_found` */
  async get(tx: Tx, id: string): Promise<{ useCaseId: string; createdAt: Date; choice: RouteChoice }> {
    const [row] = await tx.query<{ use_case_id: string; created_at: Date; choice: Buffer }>(
      'SELECT use_case_id, created_at, choice FROM route_choice WHERE organization_id = $1 AND id = $2',
      [tx.organizationId, id],
    );
    if (!row) throw new ColophonError('not_found', 'There is no choice of a model with this id.');
    const choice = JSON.parse(row.choice.toString('utf8')) as RouteChoice;
    return { useCaseId: row.use_case_id, createdAt: row.created_at, choice };
  }

  /**
   * A run that names a choice does what was chosen: of its steps that do the operation, one uses the chosen model or a
   * fallback. The rest is asked when its steps are known ({@link requireKept}).
   * @throws ColophonError `not_found`, `conflict`
   */
  async requireFollowed(
    tx: Tx,
    id: string,
    useCaseId: string,
    steps: readonly { readonly operation: string; readonly listingId: string }[],
  ): Promise<RouteTerms> {
    const route = await this.get(tx, id);
    if (route.useCaseId !== useCaseId)
      throw new ColophonError('conflict', 'The model was chosen for another use case.');
    const { choice } = route;
    const models = routedModels(choice);
    const follows = steps.some(
      (step) => step.operation === choice.operation && models.includes(step.listingId),
    );
    if (!follows)
      throw new ColophonError(
        'conflict',
        'No step of the run uses the chosen model or one of its fallbacks.',
        {
          extensions: { models },
        },
      );
    return choice;
  }

  /**
   * What was chosen under one price, for one purpose, is no choice for another: the record of the run would say what it
   * did not do.
   * @throws ColophonError `conflict`
   */
  requireKept(terms: RouteTerms, facts: RunFacts, steps: readonly RoutedStep[]): void {
    const departed = departures(terms, facts, steps);
    if (departed.length > 0)
      throw new ColophonError(
        'conflict',
        `The run departs from the choice that it names. ${departed.slice(0, MAX_DEPARTURES).join(' ')} Choose anew with POST /v1/routes for what the run is to do, or leave "routeId" out.`,
      );
  }

  private async record(
    tx: Tx,
    principal: Principal,
    useCaseId: string,
    choice: RouteChoice,
  ): Promise<string> {
    const id = newId();
    const bytes = canonicalJson(choice as unknown as JsonValue);
    await tx.query(
      `INSERT INTO route_choice (organization_id, id, use_case_id, choice, created_by, created_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [tx.organizationId, id, useCaseId, bytes, principal.principalId, this.clock.now()],
    );
    await this.appendEntry.append(tx, {
      type: 'route.chosen',
      actor: actorOf(principal),
      subject: { kind: 'use_case', id: publicId('useCase', useCaseId) },
      data: {
        routeId: publicId('routeChoice', id),
        operation: choice.operation,
        rule: choice.rule.kind,
        ...(choice.chosen === null ? {} : { listingId: choice.chosen.model }),
        fallbacks: choice.fallbacks.map(({ model }) => model),
        sha256: createHash('sha256').update(bytes).digest('hex'),
      },
    });
    return id;
  }
}

/** Of what was ranked, price and quality are known. */
function routed({ listingId, endpoint, estimateMicroUsd, quality }: RankedModel): RoutedModel {
  if (estimateMicroUsd === undefined || quality === undefined)
    throw new Error('a model of unknown price or quality was ranked');
  return { model: listingId, endpoint, estimateMicroUsd: estimateMicroUsd.toString(), quality };
}
