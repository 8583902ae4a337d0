import { Body, Controller, Get, Headers, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type z } from 'zod';
import { RecordOpened } from '../../audit/application/record-opened.js';
import { OrganizationTx } from '../../database/organization-tx.js';
import { AnswerOnce } from '../../http/answer-once.js';
import { Audited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { SendsBody } from '../../http/conditional.js';
import { FormRoute } from '../../http/form-route.js';
import { FormUploads } from '../../http/form-uploads.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { AttachFile } from '../application/attach-file.js';
import { CorrectContribution } from '../application/correct-contribution.js';
import { ReadContributions } from '../application/read-contribution.js';
import { attachmentView, contributionFactsView, openedContributionView } from './contribution-view.js';
import { attachmentSchema, correctionSchema, idIn } from './contribution.schemas.js';

@ApiTags('Human work')
@ApiBearerAuth()
@Controller('v1/contributions/:id')
export class ContributionRecordController {
  constructor(
    private readonly contributions: ReadContributions,
    private readonly correctContribution: CorrectContribution,
    private readonly attachFile: AttachFile,
    private readonly recordOpened: RecordOpened,
    private readonly uploads: FormUploads,
    private readonly organizationTx: OrganizationTx,
    private readonly answerOnce: AnswerOnce,
  ) {}

  @Get()
  @Audited('opening.read')
  @Allow('human_work:open')
  @ApiOperation({
    summary:
      'A record in the words of the person, with its signature. Who reads it is written into the log first',
  })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('contribution')) id: string,
    @SendsBody() sendsBody: boolean,
  ) {
    const { full, opened } = await this.organizationTx.run(principal.organizationId, async (tx) => {
      const found = await this.contributions.get(tx, id);
      return { full: found, opened: await this.contributions.open(tx, found) };
    });
    const subject = { kind: 'contribution', id: publicId('contribution', id) } as const;
    if (sendsBody) await this.recordOpened.before(principal, subject, opened.entryIds);
    return openedContributionView(full, opened);
  }

  @Post('corrections')
  @Audited('contribution.corrected')
  @Allow('contributions:withdraw')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary: 'Say otherwise, withdraw, or sign later. The record and what was said before stay as they are',
  })
  async correct(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('contribution')) contributionId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: correctionSchema }) body: z.infer<typeof correctionSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST corrections', contributionId, body];
    return this.answerOnce.run({ principal, key, status: 201, fingerprint }, reply, async (tx) =>
      contributionFactsView(
        await this.correctContribution.correct(tx, principal, {
          contributionId,
          kind: body.kind,
          text: body.text,
          actionType: body.kind === 'amended' ? body.actionType : undefined,
          basis: body.kind === 'amended' ? body.basis : undefined,
          signature:
            body.kind === 'signed'
              ? { keyId: idIn('signatureKey', body.signature.keyId), jws: body.signature.jws }
              : undefined,
        }),
      ),
    );
  }

  @Post('attachments')
  @Audited('contribution.attached')
  @Allow('contributions:create')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @FormRoute({
    name: 'attachment',
    description: 'JSON: kind (layered_source, sketch, screen_recording, other)',
  })
  @ApiOperation({
    summary:
      'A file that shows how the work was done, at most 20 of them. Kept by its hash, never looked into',
  })
  async attach(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('contribution')) contributionId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const route = ['POST attachments', contributionId];
    const field = { name: 'attachment', schema: attachmentSchema };
    return this.uploads.keep(
      { principal, key, request, reply, route, field, view: attachmentView },
      ({ file, fields }, completed) =>
        this.attachFile.attach(principal, { contributionId, kind: fields.kind, file }, completed),
    );
  }

  @Get('attachments/:attachmentId/content')
  @Audited('contribution.file_read')
  @Allow('human_work:open')
  @ApiOperation({ summary: 'An attachment, always as a download' })
  async attachment(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('contribution')) contributionId: string,
    @Param('attachmentId', idOf('attachment')) attachmentId: string,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const content = await this.attachFile.read(principal, contributionId, { attachmentId }, sendsBody);
    // Bytes of strangers: no type that a browser would show, and no page of this origin.
    const headers = downloadHeaders(publicId('attachment', attachmentId), 'bin', content.sizeBytes);
    await reply
      .headers({ ...headers, 'content-type': 'application/octet-stream', etag: `"${content.sha256}"` })
      .send(content.stream());
  }

  @Get('difference')
  @Audited('contribution.file_read')
  @Allow('human_work:open')
  @ApiOperation({ summary: 'PNG: black, and white where the two versions differ; computed from the files' })
  async difference(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('contribution')) contributionId: string,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const content = await this.attachFile.read(principal, contributionId, 'difference', sendsBody);
    const headers = downloadHeaders(publicId('contribution', contributionId), 'png', content.sizeBytes);
    await reply
      .headers({ ...headers, 'content-type': 'image/png', etag: `"${content.sha256}"` })
      .send(content.stream());
  }
}

function downloadHeaders(name: string, extension: string, sizeBytes: number): Record<string, string> {
  return {
    'cache-control': 'private, no-store',
    'content-length': String(sizeBytes),
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'content-disposition': `attachment; filename="${name}.${extension}"`,
  };
}
