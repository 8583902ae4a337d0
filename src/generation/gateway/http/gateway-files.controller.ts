import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type IncomingHttpHeaders } from 'node:http';
import { type FastifyReply } from 'fastify';
import { ReadAsset } from '../../../assets/application/read-asset.js';
import { sendContent } from '../../../assets/http/send-content.js';
import { Audited } from '../../../http/audited.js';
import { Public } from '../../../http/authentication.guard.js';
import { SendsBody } from '../../../http/conditional.js';
import { CapabilityLinks } from '../application/capability-links.js';

/** Signed files by addresses that the gateway gave out: SDKs fetch results without a key. */
@ApiExcludeController()
@Controller('gateway/files')
export class GatewayFilesController {
  constructor(
    private readonly links: CapabilityLinks,
    private readonly readAsset: ReadAsset,
  ) {}

  @Get(':token/:name')
  @Audited('asset.read')
  @Public()
  async file(
    @Param('token') token: string,
    @Headers() headers: IncomingHttpHeaders,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { principal, assetId } = await this.links.open(token);
    const reader = { principal, sendsBody, via: 'capability_url' } as const;
    await sendContent(this.readAsset, reader, assetId, headers, reply);
  }
}
