import { Controller, Get, Headers, HttpCode, Param, Put, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type IncomingHttpHeaders } from 'node:http';
import { AssetIntake } from '../../../../assets/application/asset-intake.js';
import { ReadAsset } from '../../../../assets/application/read-asset.js';
import { sendContent } from '../../../../assets/http/send-content.js';
import { Audited } from '../../../../http/audited.js';
import { Public } from '../../../../http/authentication.guard.js';
import { SendsBody } from '../../../../http/conditional.js';
import { RawFileRoute, withRawFile } from '../../../../http/raw-file.js';
import { requirePermission } from '../../../../identity/domain/principal.js';
import { ColophonError } from '../../../../shared/errors.js';
import { AnnouncedFiles } from '../../application/announced-files.js';
import { CapabilityLinks } from '../../application/capability-links.js';

const MAX_FILE_BYTES = 20 * 1024 * 1024;

/** Files that fal's client sends and names by addresses, without our key: the address itself is what lets it. */
@ApiExcludeController()
@Controller('gateway/fal/uploads')
export class FalUploadsController {
  constructor(
    private readonly links: CapabilityLinks,
    private readonly announced: AnnouncedFiles,
    private readonly intake: AssetIntake,
    private readonly readAsset: ReadAsset,
  ) {}

  @Put(':token/:name')
  @HttpCode(200)
  @RawFileRoute()
  @Audited('asset.received', 'asset.signed')
  @Public()
  async receive(@Param('token') token: string, @Req() request: FastifyRequest) {
    const { principal, id } = await this.links.openAs('upload', token);
    // Roles may have been taken away since the address was given out.
    requirePermission(principal, 'runs:create');
    const maxBytes = Math.min(MAX_FILE_BYTES, this.intake.maxBytes);
    const file = await withRawFile(request, this.intake.store, maxBytes, (stagedPath) =>
      this.announced.receive(principal, id, stagedPath),
    );
    return { content_type: file.asset?.mediaType, file_size: file.asset?.sizeBytes };
  }

  @Get(':token/:name')
  @Audited('asset.read')
  @Public()
  async read(
    @Param('token') token: string,
    @Headers() headers: IncomingHttpHeaders,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { principal, id } = await this.links.openAs('uploaded', token);
    const { asset } = await this.announced.ofKey(principal, id);
    if (asset === undefined) throw new ColophonError('not_found', 'The file has not been sent yet.');
    await sendContent(
      this.readAsset,
      { principal, sendsBody, via: 'capability_url' },
      asset.id,
      headers,
      reply,
    );
  }
}
