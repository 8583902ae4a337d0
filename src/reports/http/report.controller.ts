import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { isHeldAlready, SendsBody } from '../../http/conditional.js';
import { Idempotency } from '../../http/idempotency.js';
import { idOf } from '../../http/validation.js';
import { type Principal, requirePermission } from '../../identity/domain/principal.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { publicId } from '../../shared/ids.js';
import { ListReports } from '../application/list-reports.js';
import { ReadReport } from '../application/read-report.js';
import { RequestReport } from '../application/request-report.js';
import { REPORT_EXTENSIONS, REPORT_KINDS, type ReportKind } from '../domain/report-kinds.js';
import { type ReportBody, reportSchema, toReportRequest } from './report-request.js';
import { reportView } from './report-view.js';

const listSchema = z.strictObject({
  kind: z.enum(REPORT_KINDS).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z
    .string()
    .regex(/^rep_[0-9a-f]{32}$/)
    .optional()
    .describe('"nextCursor" of the page before'),
});

@ApiTags('Reports')
@ApiBearerAuth()
@Controller('v1/reports')
export class ReportController {
  constructor(
    private readonly requestReport: RequestReport,
    private readonly readReport: ReadReport,
    private readonly listReports: ListReports,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Audited('report.requested')
  @Allow('reports:create')
  @HttpCode(202)
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary:
      'Make a report: the dossier of an asset, a campaign, the file on a model, or the log of a period',
  })
  async request(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: reportSchema }) body: ReportBody,
  ): Promise<unknown> {
    requireForKind(principal, body.kind);
    const request = toReportRequest(body);
    await this.requestReport.requireSigner(request.format);
    const fingerprint = ['POST /v1/reports', canonicalJson(body)];
    const answer = await this.idempotency.run({ principal, key, fingerprint }, (idempotent) =>
      this.organizationTx.run(principal.organizationId, async (tx) => {
        const view = reportView(await this.requestReport.request(tx, { principal }, request));
        await idempotent.complete(tx, { status: 202, body: view });
        return { status: 202, body: view };
      }),
    );
    return answer.body;
  }

  @Get()
  @Unaudited('States, sizes and hashes of reports: no byte of them.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Reports, newest first' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: listSchema }) query: z.infer<typeof listSchema>,
  ) {
    const { reports, nextCursor } = await this.listReports.list(organizationId, query);
    return { items: reports.map(reportView), nextCursor };
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
    requireForKind(principal, report.kind);
    const caching = { 'cache-control': 'private, no-store', etag: `"${report.sha256}"` };
    if (isHeldAlready(ifNoneMatch, caching.etag)) return reply.status(304).headers(caching).send();
    const body = await this.readReport.content(principal, report, sendsBody);
    const extension = REPORT_EXTENSIONS[report.format];
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

/** The log in bulk is custody, not daily work: whoever may not export it gets it in no report either. */
function requireForKind(principal: Principal, kind: ReportKind): void {
  if (kind === 'period') requirePermission(principal, 'audit:export');
}
