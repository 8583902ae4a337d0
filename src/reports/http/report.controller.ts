import { Body, Controller, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { isHeldAlready, SendsBody } from '../../http/conditional.js';
import { Idempotency } from '../../http/idempotency.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { REPORT_FORMATS, type ReportEntity } from '../adapters/report.entity.js';
import { ReadReport } from '../application/read-report.js';
import { RequestReport } from '../application/request-report.js';

const reportSchema = z
  .strictObject({
    kind: z.literal('asset'),
    format: z.enum(REPORT_FORMATS),
    assetId: z.string().regex(/^ast_[0-9a-f]{32}$/, 'an asset id such as ast_018f...'),
  })
  .meta({ id: 'RequestReport' });

@ApiTags('Reports')
@ApiBearerAuth()
@Controller('v1/reports')
export class ReportController {
  constructor(
    private readonly requestReport: RequestReport,
    private readonly readReport: ReadReport,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Audited('report.requested')
  @Allow('reports:create')
  @HttpCode(202)
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'Make the dossier of an asset: PDF, JSON, or evidence bundle' })
  async request(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: reportSchema }) body: z.infer<typeof reportSchema>,
  ): Promise<unknown> {
    const assetId = parsePublicId('asset', body.assetId);
    if (assetId === undefined) throw new ColophonError('not_found', 'There is no asset with this id.');
    const fingerprint = ['POST /v1/reports', canonicalJson(body)];
    const answer = await this.idempotency.run({ principal, key, fingerprint }, (idempotent) =>
      this.organizationTx.run(principal.organizationId, async (tx) => {
        const report = await this.requestReport.request(tx, principal, { assetId, format: body.format });
        const view = reportView(report);
        await idempotent.complete(tx, { status: 202, body: view });
        return { status: 202, body: view };
      }),
    );
    return answer.body;
  }

  @Get(':id')
  @Unaudited('State, size and hash of a report: no byte of it.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'State and progress of a report' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('report')) id: string) {
    return reportView(await this.organizationTx.run(organizationId, (tx) => this.requestReport.get(tx, id)));
  }

  @Get(':id/content')
  @Audited('report.read')
  @Allow('reports:create')
  @ApiOperation({ summary: 'The finished report. Who reads it is written into the log first' })
  async content(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('report')) id: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const report = await this.readReport.finished(principal.organizationId, id);
    const caching = { 'cache-control': 'private, no-store', etag: `"${report.sha256}"` };
    if (isHeldAlready(ifNoneMatch, caching.etag)) return reply.status(304).headers(caching).send();
    const body = await this.readReport.content(principal, report, sendsBody);
    const extension = { pdf: 'pdf', json: 'json', bundle: 'zip' }[report.format];
    await reply
      .headers({
        ...caching,
        'content-type': report.mediaType ?? 'application/octet-stream',
        'content-length': String(report.sizeBytes ?? 0),
        'accept-ranges': 'none',
        'content-disposition': `attachment; filename="${publicId('report', id)}.${extension}"`,
      })
      .send(body);
  }
}

function reportView(report: ReportEntity) {
  const id = publicId('report', report.id);
  return {
    id,
    kind: report.kind,
    format: report.format,
    assetId: publicId('asset', report.subjectId),
    state: report.state,
    progress: report.progress,
    sha256: report.sha256,
    sizeBytes: report.sizeBytes,
    errorCode: report.errorCode,
    createdAt: report.createdAt.toISOString(),
    contentUrl: report.state === 'DONE' ? `/v1/reports/${id}/content` : null,
  };
}
