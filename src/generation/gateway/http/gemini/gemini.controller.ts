import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { AssetIntake } from '../../../../assets/application/asset-intake.js';
import { Audited, Unaudited } from '../../../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../../../http/authentication.guard.js';
import { MaxBodyBytes } from '../../../../http/body-limit.js';
import { type Principal } from '../../../../identity/domain/principal.js';
import { ColophonError } from '../../../../shared/errors.js';
import { ListGatewayModels } from '../../application/list-gateway-models.js';
import { identityOf, placeOf, rawBodyOf } from '../call-request.js';
import { GatewayAnswers } from '../gateway-answers.js';
import { blockedAnswer, contentAnswer, modelAnswer, type Stream } from './gemini-answer.js';
import { MAX_REQUEST_BYTES, readContent, withInlinePictures } from './gemini-request.js';

const CALL = /^([A-Za-z0-9][A-Za-z0-9._-]{0,119}):([A-Za-z]{1,40})$/;

/** The Gemini API for Google's own SDKs, as far as it makes pictures. Versions 1 and 1beta are the same here. */
@ApiExcludeController()
@Controller('gateway/gemini/p/:project/:useCase/:version')
export class GeminiGatewayController {
  constructor(
    private readonly answers: GatewayAnswers,
    private readonly models: ListGatewayModels,
    private readonly intake: AssetIntake,
  ) {}

  @Post('models/:call')
  @MaxBodyBytes(MAX_REQUEST_BYTES)
  @Audited('clearance.decided', 'run.accepted', 'asset.received', 'asset.signed', 'asset.read')
  @Allow('runs:create')
  async call(
    @CurrentPrincipal() principal: Principal,
    @Param() { project, useCase, version, call }: Record<'project' | 'useCase' | 'version' | 'call', string>,
    @Query('alt') alt: unknown,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireVersion(version);
    const place = placeOf(project, useCase);
    const { model, stream } = methodOf(call, alt);
    const { operation, parameters, sandboxParameters, inlinePictures } = readContent(body);
    const identity = identityOf(request, [rawBodyOf(request)]);
    await withInlinePictures(this.intake.store, inlinePictures, (pictures) =>
      this.answers.answer(
        { principal, request, reply },
        {
          call: {
            vendor: 'gemini',
            place,
            operation,
            model,
            parameters,
            sandboxParameters,
            files: pictures,
            count: 1,
          },
          identity,
          render: (made) => contentAnswer(made, model, stream),
          renderRefusal: (refusal, runId) => blockedAnswer(refusal, { model, runId }, stream),
        },
      ),
    );
  }

  @Get('models')
  @Unaudited('Names of models that would be cleared today, for whoever may use them. Decides nothing.')
  @Allow('organization:read')
  async list(
    @CurrentPrincipal() principal: Principal,
    @Param() { project, useCase, version }: Record<'project' | 'useCase' | 'version', string>,
  ) {
    requireVersion(version);
    const cleared = await this.models.list(principal, 'gemini', placeOf(project, useCase));
    return { models: cleared.map(modelAnswer) };
  }

  @Get('models/:model')
  @Unaudited('Whether a model would be cleared today. Decides nothing.')
  @Allow('organization:read')
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param()
    { project, useCase, version, model }: Record<'project' | 'useCase' | 'version' | 'model', string>,
  ) {
    requireVersion(version);
    const cleared = await this.models.list(principal, 'gemini', placeOf(project, useCase));
    const found = cleared.find(({ name }) => name === model);
    if (!found)
      throw new ColophonError('not_found', 'No model of this name is cleared for this use case today.');
    return modelAnswer(found);
  }

  @Post('interactions')
  @HttpCode(422)
  @MaxBodyBytes(MAX_REQUEST_BYTES)
  @Unaudited('Refuses: answers of this route could hold unsigned pictures.')
  @Allow('runs:create')
  interactions(): never {
    throw new ColophonError(
      'gateway_unsupported',
      'The Interactions API keeps inputs and outputs at the vendor and may use several models, so what it makes can be neither cleared beforehand nor signed. Use models.generateContent.',
    );
  }
}

function requireVersion(version: string): void {
  if (version !== 'v1' && version !== 'v1beta')
    throw new ColophonError('not_found', 'There is nothing at this address: versions are v1 and v1beta.');
}

/** @throws ColophonError `gateway_unsupported` for every method but the two that make pictures here */
function methodOf(call: string, alt: unknown): { model: string; stream: Stream } {
  const [, model = '', method = ''] = CALL.exec(call) ?? [];
  if (method === 'generateContent') return { model, stream: 'none' };
  if (method === 'streamGenerateContent') return { model, stream: alt === 'sse' ? 'sse' : 'array' };
  throw new ColophonError(
    'gateway_unsupported',
    'Of the methods of a model only generateContent and streamGenerateContent are passed on.',
  );
}
