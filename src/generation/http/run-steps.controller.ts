import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { decodeCursor } from '../../http/pagination.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId } from '../../shared/ids.js';
import { RunRepository } from '../adapters/run.repository.js';
import { AnswerStep, type StepAnswer } from '../application/answer-step.js';
import { readSteps } from '../application/read-run.js';
import { stepsCursor } from './run-details.js';
import { stepView } from './run-view.js';
import {
  type AnswerBody,
  answerSchema,
  ORDINAL_SORT_KEY,
  type StepsQuery,
  stepsQuerySchema,
} from './run.schemas.js';

@ApiTags('Runs')
@ApiBearerAuth()
@Controller('v1/runs')
export class RunStepsController {
  constructor(
    private readonly runs: RunRepository,
    private readonly answerStep: AnswerStep,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get(':id/steps')
  @Unaudited('State, models, costs and ids of steps. Prompts and other inputs are sealed and not shown.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'The steps of a run by pages, all or those in one state' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('run')) id: string,
    @Query({ schema: stepsQuerySchema }) { cursor, limit, state }: StepsQuery,
  ) {
    const after = decodeCursor(cursor, ORDINAL_SORT_KEY);
    const page = { limit, afterOrdinal: after === undefined ? -1 : Number(after), state };
    const { steps, next } = await this.organizationTx.run(organizationId, async (tx) => {
      await this.runs.get(tx, id);
      return readSteps(this.runs, tx, id, page);
    });
    return {
      items: steps.map(({ step, shownAssetIds }) => stepView(step, shownAssetIds)),
      nextCursor: stepsCursor(next),
    };
  }

  @Post(':id/steps/:key/answer')
  @Audited('step.answered', 'contribution.recorded', 'step.failed', 'run.finished')
  @Allow('runs:answer')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Answer a step that waits for a person: the edited asset, the choice, or yes or no',
  })
  async answer(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('run')) id: string,
    @Param('key') key: string,
    @Body({ schema: answerSchema }) body: AnswerBody,
  ) {
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      await this.answerStep.answer(tx, principal, id, key, toAnswer(body));
      const [step] = await this.runs.stepsWithKeys(tx, id, [key]);
      if (step === undefined) throw new ColophonError('not_found', 'The run has no step with this key.');
      return stepView(step);
    });
  }
}

function toAnswer(body: AnswerBody): StepAnswer {
  const { comment } = body;
  if (!('assetId' in body)) return { outcome: body.outcome, comment };
  return { outcome: body.outcome, comment, assetId: parsePublicId('asset', body.assetId) ?? '' };
}
