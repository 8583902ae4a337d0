import { Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { AssetIntake } from '../../../../assets/application/asset-intake.js';
import { Audited, Unaudited } from '../../../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../../../http/authentication.guard.js';
import { MaxBodyBytes } from '../../../../http/body-limit.js';
import { ForeignFormRoute, withFormParts } from '../../../../http/form-parts.js';
import { invalidRequest } from '../../../../http/validation.js';
import { type Principal } from '../../../../identity/domain/principal.js';
import { ColophonError } from '../../../../shared/errors.js';
import { publicId } from '../../../../shared/ids.js';
import { AnnouncedFiles } from '../../application/announced-files.js';
import { type JobOwner } from '../../application/gateway-jobs.js';
import { WebhookKeys } from '../../domain/webhook-signing.js';
import { placeOf } from '../call-request.js';
import { CapabilityAddresses } from '../capability-address.js';
import { sendJson } from '../job-answers.js';
import { Predictions } from './predictions.js';
import { fileView, readFileId } from './replicate-file.js';
import { ownedName } from './replicate-request.js';

const MAX_BODY_BYTES = 20 * 1024 * 1024;
/** The file, and its metadata, which Replicate's client sends as a file as well. */
const FORM_LIMITS = { maxFiles: 2, maxFields: 4, maxFieldBytes: 64 * 1024 };
const SEEN = 'States of predictions and addresses of their files. Each reading of a file is in the log.';

/** Replicate's HTTP API for its own clients, as far as it makes files. What is not here is not passed on. */
@ApiExcludeController()
@Controller('gateway/replicate/p/:project/:useCase/v1')
export class ReplicateGatewayController {
  constructor(
    private readonly predictions: Predictions,
    private readonly announced: AnnouncedFiles,
    private readonly intake: AssetIntake,
    private readonly addresses: CapabilityAddresses,
    private readonly webhookKeys: WebhookKeys,
  ) {}

  @Post('predictions')
  @MaxBodyBytes(MAX_BODY_BYTES)
  @Audited('clearance.decided', 'run.accepted', 'asset.received', 'asset.signed')
  @Allow('runs:create')
  async create(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Record<string, string>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.predictions.create({ owner: ownerOf(principal, params), request, reply }, undefined);
  }

  @Post('models/:owner/:name/predictions')
  @MaxBodyBytes(MAX_BODY_BYTES)
  @Audited('clearance.decided', 'run.accepted', 'asset.received', 'asset.signed')
  @Allow('runs:create')
  async createOfModel(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Record<string, string>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const model = ownedName(params.owner ?? '', params.name ?? '');
    await this.predictions.create({ owner: ownerOf(principal, params), request, reply }, model);
  }

  @Post('deployments/:owner/:name/predictions')
  @MaxBodyBytes(MAX_BODY_BYTES)
  @Audited('clearance.decided', 'run.accepted', 'asset.received', 'asset.signed')
  @Allow('runs:create')
  async createOfDeployment(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Record<string, string>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const model = `deployments/${ownedName(params.owner ?? '', params.name ?? '')}`;
    await this.predictions.create({ owner: ownerOf(principal, params), request, reply }, model);
  }

  @Get('predictions')
  @Unaudited(SEEN)
  @Allow('runs:create')
  async list(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Record<string, string>,
    @Query('cursor') cursor: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.predictions.list({ owner: ownerOf(principal, params), request, reply }, cursor);
  }

  @Get('predictions/:id')
  @Unaudited(SEEN)
  @Allow('runs:create')
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Record<string, string>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.predictions.get({ owner: ownerOf(principal, params), request, reply }, params.id ?? '');
  }

  @Post('predictions/:id/cancel')
  @Audited('run.cancel_requested', 'run.finished')
  @Allow('runs:create')
  async cancel(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Record<string, string>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.predictions.cancel({ owner: ownerOf(principal, params), request, reply }, params.id ?? '');
  }

  @Post('files')
  @Audited('asset.received', 'asset.signed')
  @Allow('runs:create')
  @ForeignFormRoute()
  async createFile(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Record<string, string>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const owner = ownerOf(principal, params);
    const limits = { ...FORM_LIMITS, maxFileBytes: this.intake.maxBytes };
    const file = await withFormParts(request, this.intake.store, limits, async ({ files }) => {
      const content = files.filter(({ name }) => name === 'content');
      const [sent] = content;
      if (sent === undefined || content.length > 1)
        throw invalidRequest([{ path: 'content', message: 'one file is wanted' }]);
      return this.announced.take(owner, sent.stagedPath);
    });
    await sendJson(reply, { status: 201, body: fileView(file, this.rootOf(owner, request)) });
  }

  @Get('files/:id')
  @Unaudited('Facts about a file that the caller sent, without its bytes.')
  @Allow('runs:create')
  async getFile(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Record<string, string>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const owner = ownerOf(principal, params);
    const file = await this.announced.get(owner, fileIdOf(params));
    await sendJson(reply, { status: 200, body: fileView(file, this.rootOf(owner, request)) });
  }

  @Delete('files/:id')
  @HttpCode(204)
  @Unaudited(
    'Ends an address. The asset that was received stays, with everything that the log says about it.',
  )
  @Allow('runs:create')
  async deleteFile(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Record<string, string>,
  ): Promise<void> {
    await this.announced.forget(ownerOf(principal, params), fileIdOf(params));
  }

  @Get('webhooks/default/secret')
  @Unaudited("With what the caller's own organization checks messages from here. It opens nothing.")
  @Allow('runs:create')
  async secret(@CurrentPrincipal() principal: Principal, @Param() params: Record<string, string>) {
    await this.predictions.requirePlace(ownerOf(principal, params));
    return { key: this.webhookKeys.replicateSecret(principal.organizationId, principal.mode) };
  }

  private rootOf({ place }: JobOwner, request: FastifyRequest): string {
    const project = publicId('project', place.projectId);
    return `${this.addresses.baseOf(request)}/gateway/replicate/p/${project}/${place.useCase}/v1`;
  }
}

function ownerOf(principal: Principal, { project = '', useCase = '' }: Record<string, string>): JobOwner {
  return { principal, place: placeOf(project, useCase), vendor: 'replicate' };
}

function fileIdOf({ id = '' }: Record<string, string>): string {
  const fileId = readFileId(id);
  if (fileId === undefined) throw new ColophonError('not_found', 'There is no such file here.');
  return fileId;
}
