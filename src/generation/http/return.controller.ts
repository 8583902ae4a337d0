import { Body, Controller, Get, Header, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AssetIntake } from '../../assets/application/asset-intake.js';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { RawFileRoute, withRawFile } from '../../http/raw-file.js';
import { textSchema } from '../../http/safe-text.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { Baselines } from '../application/declare-baseline.js';
import { type RecordedOutcomes, RecordOutcomes } from '../application/record-outcomes.js';
import { type ReturnReport, ReturnOfUseCase } from '../application/return-of-use-case.js';
import { dayOf, daySchema } from '../domain/calendar-days.js';
import { outcomeSchema } from '../domain/outcome-rows.js';
import { returnChart } from './return-chart.js';
import { returnCsv, returnView } from './return-view.js';

const MAX_CSV_BYTES = 20 * 1024 * 1024;
const MAX_DAYS = 1_100;
const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;

const amountSchema = z.string().regex(/^(0|[1-9]\d{0,15})$/, 'integer micro-USD as text');
const baselineSchema = z
  .strictObject({
    costMicroUsd: amountSchema.optional().describe('of one piece in the old way'),
    minutes: z.number().min(0).max(10_000_000).optional().describe('that one piece took in the old way'),
    investmentMicroUsd: amountSchema.optional().describe('what the new way cost to set up'),
    source: textSchema(1_000).describe('where the numbers are from; sealed in the log under your key'),
  })
  .meta({ id: 'DeclareBaseline' });
const outcomesSchema = z
  .strictObject({ items: z.array(outcomeSchema).min(1).max(1_000) })
  .meta({ id: 'RecordOutcomes' });
const periodSchema = z
  .strictObject({
    from: daySchema.optional().describe('the first day, in UTC; 30 days when it is left out'),
    until: daySchema.optional().describe('the last day, in UTC; today when it is left out'),
    control: z.string().max(60).optional().describe('the variant that the others are compared with'),
  })
  .transform(({ from, until = dayOf(new Date()), control }) => ({
    from: from ?? dayOf(new Date(Date.parse(until) - (DEFAULT_DAYS - 1) * DAY_MS)),
    until,
    control,
  }))
  .refine(({ from, until }) => from <= until, { path: ['from'], message: 'must not be after until' })
  .refine(({ from, until }) => Date.parse(until) - Date.parse(from) < MAX_DAYS * DAY_MS, {
    path: ['from'],
    message: `a report is over at most ${MAX_DAYS} days`,
  });
type Period = z.infer<typeof periodSchema>;

const SHOWN = 'Sums of money and counts. Who declared the old way is named by id; their words are sealed.';

@ApiTags('Return')
@ApiBearerAuth()
@Controller('v1/use-cases/:id')
export class ReturnController {
  constructor(
    private readonly baselines: Baselines,
    private readonly outcomes: RecordOutcomes,
    private readonly returns: ReturnOfUseCase,
    private readonly intake: AssetIntake,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Post('baseline')
  @Audited('baseline.declared')
  @Allow('returns:record')
  @ApiOperation({ summary: 'Declare what a piece cost and how long it took in the old way' })
  async declare(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('useCase')) useCaseId: string,
    @Body({ schema: baselineSchema }) body: z.infer<typeof baselineSchema>,
  ) {
    const amount = (text: string | undefined) => (text === undefined ? undefined : BigInt(text));
    const declared = {
      costMicroUsd: amount(body.costMicroUsd),
      minutes: body.minutes,
      investmentMicroUsd: amount(body.investmentMicroUsd),
      source: body.source,
    };
    const id = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.baselines.declare(tx, principal, useCaseId, declared),
    );
    return { id: publicId('baseline', id), useCaseId: publicId('useCase', useCaseId), ...body };
  }

  @Post('outcomes')
  @Audited('outcomes.recorded')
  @Allow('returns:record')
  @ApiOperation({ summary: 'Record what became of variants; the same row again changes nothing' })
  async record(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('useCase')) useCaseId: string,
    @Body({ schema: outcomesSchema }) { items }: z.infer<typeof outcomesSchema>,
  ) {
    return recordedView(await this.outcomes.fromRows(principal, useCaseId, items));
  }

  @Post('outcomes/import')
  @Audited('outcomes.recorded')
  @Allow('returns:record')
  @RawFileRoute()
  @ApiConsumes('text/csv')
  @ApiBody({ schema: { type: 'string' } })
  @ApiOperation({
    summary:
      'The same from a CSV file (UTF-8; columns key, variant, asset, day, impressions, clicks, conversions, revenue_usd)',
  })
  async importCsv(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('useCase')) useCaseId: string,
    @Req() request: FastifyRequest,
  ) {
    return withRawFile(request, this.intake.store, MAX_CSV_BYTES, async (path) =>
      recordedView(await this.outcomes.fromCsv(principal, useCaseId, path)),
    );
  }

  @Get('return')
  @Unaudited(SHOWN)
  @Allow('organization:read')
  @ApiOperation({
    summary: 'Cost, time and outcomes against the old way, with 95 % intervals; unknown is null',
  })
  async json(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('useCase')) useCaseId: string,
    @Query({ schema: periodSchema }) period: Period,
  ) {
    return returnView(await this.report(principal, useCaseId, period));
  }

  @Get('return/csv')
  @Unaudited(SHOWN)
  @Allow('organization:read')
  @Header('content-type', 'text/csv; charset=utf-8; header=present')
  @ApiProduces('text/csv')
  @ApiOperation({ summary: 'The variants of the same as CSV' })
  async csv(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('useCase')) useCaseId: string,
    @Query({ schema: periodSchema }) period: Period,
  ) {
    return returnCsv(await this.report(principal, useCaseId, period));
  }

  @Get('return/chart')
  @Unaudited(SHOWN)
  @Allow('organization:read')
  @Header('content-type', 'image/svg+xml')
  @ApiProduces('image/svg+xml')
  @ApiOperation({ summary: 'The same as a picture (SVG)' })
  async chart(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('useCase')) useCaseId: string,
    @Query({ schema: periodSchema }) period: Period,
  ) {
    return returnChart(await this.report(principal, useCaseId, period));
  }

  private report(
    { organizationId }: Principal,
    useCaseId: string,
    { from, until, control }: Period,
  ): Promise<ReturnReport> {
    return this.organizationTx.run(organizationId, (tx) =>
      this.returns.report(tx, useCaseId, { from, until }, control),
    );
  }
}

function recordedView({ importId, ...counts }: RecordedOutcomes) {
  return { importId: publicId('outcomeImport', importId), ...counts };
}
