import { type Tx } from '../../database/organization-tx.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type DecideClearance } from '../../licenses/application/decide-clearance.js';
import { type RunFacts } from '../../licenses/domain/run-facts.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { countProblem } from '../adapters/vendor/count-problem.js';
import { type Candidate } from '../domain/choose-model.js';
import { type Offering } from '../domain/offering.js';
import { type Operation } from '../domain/operation.js';
import { estimateMicroUsd, type Price } from '../domain/price.js';
import { factsOf } from '../domain/work.js';
import { type ProviderName } from '../domain/provider.port.js';
import { type QualityScore, type QualityScores } from '../registry/quality-scores.js';
import { lineageOfSteps } from './build-lineage.js';
import { type OwnPrices } from './own-prices.js';
import { type OwnQuality, type OwnQualityOfModels } from './own-quality.js';
import { type Providers } from './providers.js';

/** By what quality is measured: one board, or the organization's own votes. Never both at once. */
export type Measure = { readonly kind: 'board'; readonly board: string } | { readonly kind: 'own_votes' };

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

export interface ModelQuestion {
  readonly useCase: { readonly id: string; readonly projectId: string };
  readonly operation: Operation;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly inputPictures: number;
  /** Of each of them, in pixels. `undefined`: nobody said. */
  readonly inputPictureSizes: readonly PictureSize[] | undefined;
  /** How long the texts may be that are not among the parameters, in bytes of UTF-8. */
  readonly textBytes: number;
  readonly facts: RunFacts;
  readonly measure: Measure;
}

export interface RankedModel extends Candidate {
  readonly provider: ProviderName;
  /** Why the estimate is missing. */
  readonly priceUnknownBecause: string | undefined;
  readonly price: Price | undefined;
  readonly score: QualityScore | undefined;
  readonly own: OwnQuality | undefined;
  /** What stands in the way, most severe first: rule and message. */
  readonly findings: readonly {
    readonly ruleId: string;
    readonly severity: string;
    readonly message: string;
  }[];
}

const MAX_FINDINGS = 5;

/** What it would cost, how good it is held to be, and whether it may be used: for every way to do an operation here. */
export class RankModels {
  constructor(
    private readonly prices: OwnPrices,
    private readonly providers: Providers,
    private readonly decideClearance: DecideClearance,
    private readonly ownQuality: OwnQualityOfModels,
    private readonly scores: QualityScores,
    private readonly clock: Clock,
  ) {}

  /** Nothing is recorded and nothing is spent: a run asks again for itself. */
  async rank(tx: Tx, principal: Principal, question: ModelQuestion): Promise<RankedModel[]> {
    const { measure } = question;
    refuseSeveralFiles(question.parameters);
    if (measure.kind === 'board') this.refuseOtherBoard(measure.board, question.operation);
    const offerings = await this.prices.offerings(tx);
    const own = new Map(
      (await this.ownQuality.ofUseCase(tx, question.useCase.id)).map((quality) => [
        quality.listingId,
        quality,
      ]),
    );
    const ranked: RankedModel[] = [];
    for (const offering of offerings.list(question.operation)) {
      if (offering.provider === 'sandbox') continue;
      ranked.push(await this.judge(tx, principal, question, offering, own.get(offering.listingId)));
    }
    return ranked;
  }

  private refuseOtherBoard(id: string, operation: Operation): void {
    const board = this.scores.boards.find((each) => each.id === id);
    const fitting = this.scores.boards.filter((each) => each.operation === operation).map((each) => each.id);
    if (board?.operation === operation) return;
    const known =
      fitting.length === 0 ? 'no board compares: measure by own_votes' : `there is ${fitting.join(', ')}`;
    throw new ColophonError(
      'invalid_request',
      board === undefined
        ? `measure.board: there is no such board; for "${operation}", ${known}`
        : `measure.board: ${id} compares models by "${board.operation}"; for "${operation}", ${known}`,
    );
  }

  private async judge(
    tx: Tx,
    principal: Principal,
    question: ModelQuestion,
    offering: Offering,
    own: OwnQuality | undefined,
  ): Promise<RankedModel> {
    const { operation, useCase, measure } = question;
    const { listingId, endpoint, provider, components = [] } = offering;
    const lineage = lineageOfSteps([{ stepKey: 'step', operation, listingId, components }]);
    const facts = { ...question.facts, generatedOn: this.clock.now().toISOString().slice(0, 10) };
    const asked = { roles: principal.roles, use: { projectId: useCase.projectId, useCaseId: useCase.id } };
    const { result } = await this.decideClearance.decide(tx, lineage, facts, { ...asked, texts: [] });
    const score =
      measure.kind === 'board' ? this.scores.find(measure.board, listingId, question.parameters) : undefined;
    // A lower bound, so that one lucky vote does not outrank a hundred.
    const ownQuality = own?.accepted?.interval.low;
    return {
      listingId,
      endpoint,
      provider,
      decision: result.decision,
      configured: await this.isConfigured(tx, provider),
      ...estimateOf(offering.price, question),
      price: offering.price,
      quality: measure.kind === 'board' ? score?.score : ownQuality,
      qualityOf: score?.entry,
      score,
      own,
      findings: result.findings
        .slice(0, MAX_FINDINGS)
        .map(({ ruleId, severity, message }) => ({ ruleId, severity, message })),
    };
  }

  private async isConfigured(tx: Tx, provider: ProviderName): Promise<boolean> {
    try {
      await this.providers.get(tx, provider);
      return true;
    } catch (error) {
      if (isColophonError(error, 'provider_not_configured')) return false;
      throw error;
    }
  }
}

/** A run would refuse it, and the price of one file is not that of four. */
function refuseSeveralFiles(parameters: ModelQuestion['parameters']): void {
  for (const [name, value] of Object.entries(parameters)) {
    const problem = countProblem(name, value);
    if (problem !== undefined)
      throw new ColophonError('invalid_request', `parameters.${problem}, so ask what one costs`);
  }
}

/** A ceiling is an amount to reserve, not a price: nothing is compared by it. */
function estimateOf(
  price: Price | undefined,
  question: Pick<
    ModelQuestion,
    'operation' | 'parameters' | 'inputPictures' | 'inputPictureSizes' | 'textBytes'
  >,
): { estimateMicroUsd: bigint | undefined; priceUnknownBecause: string | undefined } {
  const unknown = (because: string) => ({ estimateMicroUsd: undefined, priceUnknownBecause: because });
  if (price === undefined) return unknown('Nobody knows the price of this endpoint.');
  if (price.family === 'ceiling') return unknown('Only a ceiling is configured for this endpoint.');
  const { operation, parameters, inputPictures, inputPictureSizes, textBytes } = question;
  const estimateWith = (size: PictureSize | undefined): bigint => {
    const sizes = inputPictureSizes ?? Array.from({ length: inputPictures }, () => size);
    const inputs = sizes.map((one) => factsOf('image', one && { ...one, durationMs: undefined }));
    return estimateMicroUsd(price, parameters, { operation, inputs, textBytes });
  };
  try {
    return { estimateMicroUsd: estimateWith(undefined), priceUnknownBecause: undefined };
  } catch (error) {
    if (!isUnknownPrice(error)) throw error;
    return unknown(
      inputPictureSizes === undefined && hasPrice(() => estimateWith(ANY_SIZE))
        ? 'The price depends on how large the pictures are that go in: give "inputPictureSizes".'
        : error.message,
    );
  }
}

const ANY_SIZE: PictureSize = { width: 1, height: 1 };

function isUnknownPrice(error: unknown): error is ColophonError {
  return isColophonError(error, 'price_unknown') || isColophonError(error, 'invalid_request');
}

function hasPrice(estimate: () => bigint): boolean {
  try {
    return estimate() >= 0n;
  } catch (error) {
    if (isUnknownPrice(error)) return false;
    throw error;
  }
}
