import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { AssetIntake } from '../../../../assets/application/asset-intake.js';
import { Audited, Unaudited } from '../../../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../../../http/authentication.guard.js';
import { ForeignFormRoute, type FormParts, withFormParts } from '../../../../http/form-parts.js';
import { type Principal } from '../../../../identity/domain/principal.js';
import { ColophonError } from '../../../../shared/errors.js';
import { ListGatewayModels } from '../../application/list-gateway-models.js';
import { type CallIdentity, type GatewayCall } from '../../domain/gateway-call.js';
import { identityOf, placeOf, rawBodyOf } from '../call-request.js';
import { CapabilityAddresses } from '../capability-address.js';
import { type Caller, GatewayAnswers, type MadeRun } from '../gateway-answers.js';
import { imagesAnswer, imagesStream, modelAnswer, modelsAnswer } from './openai-answer.js';
import { type ImagesCall, MAX_PICTURES_SENT, picturesOf, readEdit, readGenerate } from './openai-request.js';

/** Of one picture in a form; OpenAI takes 50 MB, and prompts of 32,000 characters. */
const MAX_PICTURE_BYTES = 20 * 1024 * 1024;
const FORM_LIMITS = { maxFiles: MAX_PICTURES_SENT, maxFields: 40, maxFieldBytes: 256 * 1024 };

/** OpenAI's Images API for its own SDKs. What is not here is not passed on. */
@ApiExcludeController()
@Controller('gateway/openai/p/:project/:useCase/v1')
export class OpenAiGatewayController {
  constructor(
    private readonly answers: GatewayAnswers,
    private readonly models: ListGatewayModels,
    private readonly addresses: CapabilityAddresses,
    private readonly intake: AssetIntake,
  ) {}

  @Post('images/generations')
  @Audited('clearance.decided', 'run.accepted', 'asset.read')
  @Allow('runs:create')
  async generate(
    @CurrentPrincipal() principal: Principal,
    @Param('project') project: string,
    @Param('useCase') useCase: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const place = placeOf(project, useCase);
    const asked = readGenerate(body);
    const identity = identityOf(request, [rawBodyOf(request)]);
    await this.make({ principal, request, reply }, asked, identity, {
      vendor: 'openai',
      place,
      operation: 'generate',
      files: {},
    });
  }

  @Post('images/edits')
  @Audited('clearance.decided', 'run.accepted', 'asset.received', 'asset.signed', 'asset.read')
  @Allow('runs:create')
  @ForeignFormRoute()
  async edit(
    @CurrentPrincipal() principal: Principal,
    @Param('project') project: string,
    @Param('useCase') useCase: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const place = placeOf(project, useCase);
    const limits = { ...FORM_LIMITS, maxFileBytes: Math.min(MAX_PICTURE_BYTES, this.intake.maxBytes) };
    await withFormParts(request, this.intake.store, limits, async (form) => {
      const asked = readEdit(form);
      const pictures = picturesOf(form);
      await this.make({ principal, request, reply }, asked, identityOf(request, bodyOf(form)), {
        vendor: 'openai',
        place,
        operation: 'edit',
        files: pictures,
      });
    });
  }

  @Get('models')
  @Unaudited('Names of models that would be cleared today, for whoever may use them. Decides nothing.')
  @Allow('organization:read')
  async list(
    @CurrentPrincipal() principal: Principal,
    @Param('project') project: string,
    @Param('useCase') useCase: string,
  ) {
    return modelsAnswer(await this.models.list(principal, 'openai', placeOf(project, useCase)));
  }

  @Get('models/:model')
  @Unaudited('Whether a model would be cleared today. Decides nothing.')
  @Allow('organization:read')
  async retrieve(
    @CurrentPrincipal() principal: Principal,
    @Param('project') project: string,
    @Param('useCase') useCase: string,
    @Param('model') model: string,
  ) {
    const cleared = await this.models.list(principal, 'openai', placeOf(project, useCase));
    const found = cleared.find(({ name }) => name === model);
    if (!found)
      throw new ColophonError('not_found', 'No model of this name is cleared for this use case today.');
    return modelAnswer(found);
  }

  @Post('images/variations')
  @HttpCode(422)
  @Unaudited('Refuses: this route of OpenAI is retired.')
  @Allow('runs:create')
  @ForeignFormRoute()
  variations(): never {
    throw new ColophonError(
      'gateway_unsupported',
      'OpenAI has retired variations. Use images.edit with a prompt.',
    );
  }

  @Post('responses')
  @HttpCode(422)
  @Unaudited('Refuses: answers of this route could hold unsigned pictures.')
  @Allow('runs:create')
  responses(): never {
    throw new ColophonError(
      'gateway_unsupported',
      'The Responses API chooses models and tools by itself, so what it makes can be neither cleared beforehand nor signed as the work of one model. Use images.generate or images.edit.',
    );
  }

  @Post('content_provenance_checks')
  @HttpCode(422)
  @Unaudited('Refuses: files are not handed on to be looked at elsewhere.')
  @Allow('runs:create')
  @ForeignFormRoute()
  provenance(): never {
    throw new ColophonError(
      'gateway_unsupported',
      'A file is not handed on to be checked elsewhere. POST /v1/verify says what it carries, whoever signed it.',
    );
  }

  private async make(
    caller: Caller,
    asked: ImagesCall,
    identity: CallIdentity,
    rest: Pick<GatewayCall, 'vendor' | 'place' | 'operation' | 'files'>,
  ): Promise<void> {
    const { model, count, parameters, sandboxParameters, ignored } = asked;
    const call: GatewayCall = { ...rest, model, count, parameters, sandboxParameters };
    await this.answers.answer(caller, {
      call,
      identity,
      ignored,
      render: (made) => this.render(caller, asked, rest.operation, made),
    });
  }

  private render(
    { request, principal }: Caller,
    { streams, responseFormat }: ImagesCall,
    operation: GatewayCall['operation'],
    made: MadeRun,
  ) {
    if (streams) return imagesStream(made, operation === 'edit' ? 'image_edit' : 'image_generation');
    if (responseFormat === 'b64_json') return imagesAnswer(made);
    return imagesAnswer(
      made,
      made.assets.map((asset) => this.addresses.of(request, principal, asset)),
    );
  }
}

/** The boundary of a form differs each time that it is sent, so its parts stand for it, in any order of fields. */
function bodyOf({ files, fields }: FormParts): string[] {
  const named = Object.keys(fields)
    .sort()
    .flatMap((name) => [name, fields[name] ?? '']);
  return ['fields', ...named, 'files', ...files.flatMap(({ name, sha256 }) => [name, sha256])];
}
