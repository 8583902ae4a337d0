import { Controller, Get, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Audited, Unaudited } from '../../../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../../../http/authentication.guard.js';
import { MaxBodyBytes } from '../../../../http/body-limit.js';
import { type Principal } from '../../../../identity/domain/principal.js';
import { AnnouncedFiles } from '../../application/announced-files.js';
import { CapabilityLinks } from '../../application/capability-links.js';
import { type JobOwner } from '../../application/gateway-jobs.js';
import { addressOfUpload } from '../../domain/asset-address.js';
import { unsupported } from '../../domain/job-input.js';
import { placeOf } from '../call-request.js';
import { CapabilityAddresses } from '../capability-address.js';
import { type JobCaller, sendJson } from '../job-answers.js';
import { FalJobs } from './fal-jobs.js';
import { type FalHost, readFalTarget, readTargetUrl } from './fal-target.js';

/** Inputs may hold pictures as data URIs. */
const MAX_BODY_BYTES = 20 * 1024 * 1024;
/** What may be announced; the bytes decide later. */
const SENDABLE = /^(?:(?:image|video|audio|model)\/|application\/octet-stream\b)/i;
const HOSTS: readonly string[] = ['run', 'queue', 'rest'] satisfies FalHost[];

interface Params {
  readonly project: string;
  readonly useCase: string;
  readonly host?: string;
  readonly '*'?: string;
}

/**
 * fal for its own clients, as they address its three hosts: `run/...`, `queue/...` and `rest/...`; and through `proxy`,
 * where the address stands in a header. The router is no list here, because names of models are paths: fal-target.ts is.
 */
@ApiExcludeController()
@Controller('gateway/fal/p/:project/:useCase')
export class FalGatewayController {
  constructor(
    private readonly falJobs: FalJobs,
    private readonly announced: AnnouncedFiles,
    private readonly links: CapabilityLinks,
    private readonly addresses: CapabilityAddresses,
  ) {}

  @Post(['proxy', ':host/*'])
  @MaxBodyBytes(MAX_BODY_BYTES)
  @Audited('clearance.decided', 'run.accepted', 'asset.received', 'asset.signed')
  @Allow('runs:create')
  async post(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Params,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answer(principal, params, request, reply);
  }

  @Get(['proxy', ':host/*'])
  @Unaudited('States of a job and addresses of its files. Each reading of a file is in the log.')
  @Allow('runs:create')
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Params,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answer(principal, params, request, reply);
  }

  @Put(['proxy', ':host/*'])
  @Audited('run.cancel_requested', 'run.finished')
  @Allow('runs:create')
  async put(
    @CurrentPrincipal() principal: Principal,
    @Param() params: Params,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answer(principal, params, request, reply);
  }

  private async answer(
    principal: Principal,
    params: Params,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const owner: JobOwner = { principal, place: placeOf(params.project, params.useCase), vendor: 'fal' };
    const caller = { owner, request, reply };
    const target = readFalTarget(request.method, addressOf(params, request));
    switch (target.kind) {
      case 'run':
      case 'submit':
        return this.falJobs.submit(caller, target);
      case 'status':
        return this.falJobs.status(caller, target);
      case 'stream-status':
        return this.falJobs.streamStatus(caller, target);
      case 'result':
        return this.falJobs.result(caller, target);
      case 'cancel':
        return this.falJobs.cancel(caller, target);
      case 'initiate-upload':
        return this.announce(caller, target.inParts);
    }
  }

  /** Bytes come to the first address, without our key; the second one is named as an input later. */
  private async announce({ owner, request, reply }: JobCaller, inParts: boolean): Promise<void> {
    const { content_type: type } = (request.body ?? {}) as { content_type?: unknown };
    if (typeof type === 'string' && !SENDABLE.test(type))
      throw unsupported('content_type', 'models work on pictures, videos, sound and 3D models');
    const { id } = await this.announced.announce(owner, inParts);
    const base = this.addresses.baseOf(request);
    const address = (kind: 'upload' | 'uploaded' | 'parts') =>
      addressOfUpload(base, this.links.issue(owner.principal, id, kind));
    const body = { upload_url: address(inParts ? 'parts' : 'upload'), file_url: address('uploaded') };
    await sendJson(reply, { status: 200, body });
  }
}

function addressOf(params: Params, request: FastifyRequest) {
  const header = request.headers['x-fal-target-url'];
  const { host } = params;
  if (host === undefined) return readTargetUrl(header);
  const query = new URLSearchParams(request.url.split('?').slice(1).join('?'));
  // An unknown folder is read as one where nothing is.
  const known = HOSTS.includes(host) ? (host as FalHost) : 'rest';
  return { host: known, path: known === host ? (params['*'] ?? '') : '', query };
}
