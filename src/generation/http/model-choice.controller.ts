import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf, invalidRequest } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { runFactsSchema } from '../../licenses/domain/run-facts.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { type ModelQuestion, RankModels } from '../application/rank-models.js';
import { type Repricing, RepriceMonth } from '../application/reprice-month.js';
import { type RouteChoice, RouteChoices } from '../application/route-choices.js';
import { findUseCase, type UseCase } from '../application/use-case.js';
import { type Rule } from '../domain/choose-model.js';
import { needsPicture, OPERATIONS } from '../domain/operation.js';
import { hasProse } from '../domain/route-terms.js';
import { rankedView } from './quality-view.js';

const parameterSchema = z.union([z.string().max(200), z.number(), z.boolean()]);
const MAX_PICTURES = 8;
const sideSchema = z.int().min(1).max(100_000);
/** As long as a text in a pipeline may be, in letters of one byte. */
const DEFAULT_TEXT_BYTES = 4_000;
const questionFields = {
  operation: z.enum(OPERATIONS),
  parameters: z
    .record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9_]{0,39}$/), parameterSchema)
    .refine((parameters) => Object.keys(parameters).length <= 40, 'at most 40 parameters')
    .default({})
    .describe('those that a price depends on: size, quality, seconds'),
  inputPictures: z
    .int()
    .min(0)
    .max(MAX_PICTURES)
    .optional()
    .describe('left out: as many as there are sizes, else 1 for what changes a picture, and 0 for the rest'),
  inputPictureSizes: z
    .array(z.strictObject({ width: sideSchema, height: sideSchema }))
    .min(1)
    .max(MAX_PICTURES)
    .optional()
    .describe('of each picture that goes in, in pixels: some prices depend on it'),
  textBytes: z
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .describe(
      `how long texts may be that are not among the parameters, in bytes of UTF-8: prices by the token depend on it; left out: ${DEFAULT_TEXT_BYTES}, or 0 with a prompt among the parameters`,
    ),
  facts: runFactsSchema.describe('what it is for: the licenses are judged by it'),
  measure: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('board'), board: z.string().max(60) }),
      z.strictObject({ kind: z.literal('own_votes') }),
    ])
    .describe('one board of GET /v1/quality-scores, or the votes of your own people; never both'),
};
const matrixSchema = z.strictObject(questionFields).meta({ id: 'AskModelMatrix' });
const routeSchema = z
  .strictObject({
    useCaseId: z.string().regex(/^use_[0-9a-f]{32}$/, 'a use case id such as use_018f...'),
    ...questionFields,
    rule: z.discriminatedUnion('kind', [
      z
        .strictObject({ kind: z.literal('cheapest_above_floor'), floor: z.number().min(0).max(10_000) })
        .describe('own votes: the lower end of the interval of the share of accepted assets, 0 to 1'),
      z.strictObject({
        kind: z.literal('best_under_ceiling'),
        ceilingMicroUsd: z.string().regex(/^[1-9]\d{0,15}$/, 'integer micro-USD as text'),
      }),
    ]),
  })
  .meta({ id: 'ChooseModel' });
const listingSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,79}@[a-z0-9-]{1,40}$/, 'a model listing');
const whatIfSchema = z
  .strictObject({
    month: z.string().regex(/^20\d\d-(0[1-9]|1[0-2])$/, 'a month such as 2026-11'),
    operation: z.enum(OPERATIONS),
    from: listingSchema.optional().describe('only steps with this model'),
    to: listingSchema,
    endpoint: z.string().max(120).optional(),
  })
  .meta({ id: 'RepriceMonth' });

const MAX_UNKNOWN_SHOWN = 100;

@ApiTags('Models by cost and quality')
@ApiBearerAuth()
@Controller('v1')
export class ModelChoiceController {
  constructor(
    private readonly rankModels: RankModels,
    private readonly routes: RouteChoices,
    private readonly repriceMonth: RepriceMonth,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Post('use-cases/:id/matrix')
  @Unaudited(
    'Compares what is known of models. Nothing is decided by it: a run asks the licenses for itself.',
  )
  @Allow('organization:read')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Models for an operation: price, quality by one measure, and whether the licenses allow it here',
  })
  async matrix(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('useCase')) id: string,
    @Body({ schema: matrixSchema }) body: z.infer<typeof matrixSchema>,
  ) {
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const useCase = await findUseCase(tx, id);
      const question = toQuestion(useCase, body);
      const models = await this.rankModels.rank(tx, principal, question);
      const { operation, measure, inputPictures, textBytes } = question;
      return {
        useCaseId: publicId('useCase', id),
        useCase: useCase.name,
        operation,
        measure,
        /** What the estimates are of, where the question did not say it. */
        inputPictures,
        textBytes,
        items: models.map(rankedView),
      };
    });
  }

  @Post('routes')
  @Audited('route.chosen')
  @Allow('clearances:create')
  @ApiOperation({ summary: 'Choose a cleared model by a stated rule, with fallbacks, and write down why' })
  async choose(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: routeSchema }) body: z.infer<typeof routeSchema>,
  ) {
    const useCaseId = parsePublicId('useCase', body.useCaseId);
    if (useCaseId === undefined)
      throw invalidRequest([{ path: 'useCaseId', message: 'is not a use case id' }]);
    const rule: Rule =
      body.rule.kind === 'best_under_ceiling'
        ? { ...body.rule, ceilingMicroUsd: BigInt(body.rule.ceilingMicroUsd) }
        : body.rule;
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const question = toQuestion(await findUseCase(tx, useCaseId), body);
      const { id, choice } = await this.routes.choose(tx, principal, question, rule);
      return routeView(id, useCaseId, choice);
    });
  }

  @Get('routes/:id')
  @Unaudited('A choice of a model as it was recorded.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'A choice of a model, with its reasons' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('routeChoice')) id: string) {
    const { useCaseId, choice } = await this.organizationTx.run(organizationId, (tx) =>
      this.routes.get(tx, id),
    );
    return routeView(id, useCaseId, choice);
  }

  @Post('use-cases/:id/what-if')
  @Unaudited('Sums of money. Sealed parameters are used to price steps again, and are not shown.')
  @Allow('organization:read')
  @HttpCode(200)
  @ApiOperation({
    summary: 'The same month with another model; steps of unknown price are listed, not summed',
  })
  async whatIf(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('useCase')) useCaseId: string,
    @Body({ schema: whatIfSchema }) body: z.infer<typeof whatIfSchema>,
  ) {
    const { from, endpoint, ...question } = body;
    const repricing = await this.organizationTx.run(organizationId, async (tx) => {
      await findUseCase(tx, useCaseId);
      return this.repriceMonth.reprice(tx, { ...question, useCaseId, from, endpoint });
    });
    return { ...question, from: from ?? null, ...repricingView(repricing) };
  }
}

/** What is left out is never taken for what makes it cheap. */
function toQuestion(useCase: UseCase, body: z.infer<typeof matrixSchema>): ModelQuestion {
  const { operation, parameters, inputPictureSizes, facts, measure } = body;
  const needed = needsPicture(operation) ? 1 : 0;
  const { inputPictures = inputPictureSizes?.length ?? needed } = body;
  const refuse = (message: string) => invalidRequest([{ path: 'inputPictures', message }]);
  if (inputPictures < needed) throw refuse(`"${operation}" changes a picture: at least 1 goes in`);
  if (inputPictureSizes !== undefined && inputPictureSizes.length !== inputPictures)
    throw refuse(`there are ${inputPictureSizes.length} sizes in inputPictureSizes`);
  const { textBytes = hasProse(parameters) ? 0 : DEFAULT_TEXT_BYTES } = body;
  return { useCase, operation, parameters, inputPictures, inputPictureSizes, textBytes, facts, measure };
}

function routeView(id: string, useCaseId: string, choice: RouteChoice) {
  return { id: publicId('routeChoice', id), useCaseId: publicId('useCase', useCaseId), ...choice };
}

function repricingView(repricing: Repricing) {
  const { steps, repriced, recordedMicroUsd, sameMicroUsd, otherMicroUsd, failed, unknown } = repricing;
  const unknownCost = unknown.reduce((sum, one) => sum + one.recordedMicroUsd, 0n);
  return {
    steps,
    repriced,
    recordedMicroUsd: recordedMicroUsd.toString(),
    sameMicroUsd: sameMicroUsd.toString(),
    otherMicroUsd: otherMicroUsd.toString(),
    differenceMicroUsd: (otherMicroUsd - sameMicroUsd).toString(),
    failed: { steps: failed.steps, recordedMicroUsd: failed.recordedMicroUsd.toString() },
    unknown: {
      steps: unknown.length,
      recordedMicroUsd: unknownCost.toString(),
      items: unknown.slice(0, MAX_UNKNOWN_SHOWN).map((one) => ({
        stepRunId: publicId('stepRun', one.stepRunId),
        recordedMicroUsd: one.recordedMicroUsd.toString(),
        because: one.because,
      })),
    },
  };
}
