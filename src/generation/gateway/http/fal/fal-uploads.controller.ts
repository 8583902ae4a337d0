import { Body, Controller, Get, Headers, HttpCode, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { AssetIntake } from '../../../../assets/application/asset-intake.js';
import { ReadAsset } from '../../../../assets/application/read-asset.js';
import { sendContent } from '../../../../assets/http/send-content.js';
import { Audited, Unaudited } from '../../../../http/audited.js';
import { Public } from '../../../../http/authentication.guard.js';
import { SendsBody } from '../../../../http/conditional.js';
import { RawFileRoute, withRawFile } from '../../../../http/raw-file.js';
import { parseWith } from '../../../../http/validation.js';
import { requirePermission } from '../../../../identity/domain/principal.js';
import { ColophonError } from '../../../../shared/errors.js';
import { type AnnouncedFile, AnnouncedFiles } from '../../application/announced-files.js';
import { CapabilityLinks } from '../../application/capability-links.js';
import { FileParts, PART_BYTES } from '../../application/file-parts.js';

const partsSchema = z.strictObject({
  parts: z
    .array(z.object({ partNumber: z.int().min(1), etag: z.string().max(200) }))
    .min(1)
    .max(10_000),
});

/** Files that fal's client sends and names by addresses, without our key: the address itself is what lets it. */
@ApiExcludeController()
@Controller('gateway/fal/uploads')
export class FalUploadsController {
  constructor(
    private readonly links: CapabilityLinks,
    private readonly announced: AnnouncedFiles,
    private readonly parts: FileParts,
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
    const { store, maxBytes } = this.intake;
    const file = await withRawFile(request, store, maxBytes, (stagedPath) =>
      this.announced.receive(principal, id, stagedPath),
    );
    return viewOf(file);
  }

  /** As fal's client sends what is larger than 90 MiB, one part after the other. */
  @Put(':token/:name/:part')
  @HttpCode(200)
  @RawFileRoute()
  @Unaudited('A part of a file. The file is received, and in the log, when it is whole.')
  @Public()
  async receivePart(
    @Param('token') token: string,
    @Param('part') part: string,
    @Req() request: FastifyRequest,
  ) {
    const { principal, id } = await this.links.openAs('parts', token);
    requirePermission(principal, 'runs:create');
    const partNumber = /^[1-9]\d{0,4}$/.test(part) ? Number(part) : undefined;
    if (partNumber === undefined) throw new ColophonError('not_found', 'Parts are counted from 1.');
    const { asset } = await this.announced.inParts(principal, id);
    if (asset !== undefined) throw new ColophonError('conflict', 'The file is whole already.');
    const etag = await withRawFile(request, this.intake.store, PART_BYTES, (stagedPath) =>
      this.parts.keep(id, partNumber, stagedPath),
    );
    return { partNumber, etag };
  }

  @Post(':token/:name/complete')
  @HttpCode(200)
  @Audited('asset.received', 'asset.signed')
  @Public()
  async complete(@Param('token') token: string, @Body() body: unknown) {
    const { principal, id } = await this.links.openAs('parts', token);
    requirePermission(principal, 'runs:create');
    const { parts } = parseWith(partsSchema, body);
    const announced = await this.announced.inParts(principal, id);
    // The client asks again when an answer was lost: the parts are gone by then, and the file is there.
    if (announced.asset !== undefined) return viewOf(announced);
    return viewOf(
      await this.parts.whole(id, parts, (stagedPath) => this.announced.receive(principal, id, stagedPath)),
    );
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

function viewOf({ asset }: AnnouncedFile) {
  return { content_type: asset?.mediaType, file_size: asset?.sizeBytes };
}
