import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { readFileSync } from 'node:fs';
import { packageFile } from '../../config/package-root.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Public } from '../../http/authentication.guard.js';
import { SendsBody } from '../../http/conditional.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { type ReportEntity } from '../adapters/report.entity.js';
import { ReadShared } from '../application/read-shared.js';
import { scopeId } from '../application/share-links.js';
import { REPORT_EXTENSIONS } from '../domain/report-kinds.js';

/** Nothing from elsewhere, nothing inline; a text of a report could not run. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'none'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function page(name: string): Buffer {
  return readFileSync(packageFile(`src/reports/shared-page/${name}`));
}

/** For whoever holds a link: what it opens, and nothing else of the organization. */
@ApiTags('Shared reports')
@Controller()
@Public()
export class SharedController {
  private readonly html = page('index.html');
  private readonly css = page('shared.css');
  private readonly script = page('shared.js');

  constructor(private readonly shared: ReadShared) {}

  @Get('v1/shared')
  @Audited('share_link.used')
  @ApiOperation({ summary: 'What a share link opens. Send its token as "Authorization: Bearer cls_..."' })
  async list(
    @Headers('authorization') authorization: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    void reply.header('cache-control', 'no-store');
    const { link, reports, organization, title } = await this.shared.list(tokenIn(authorization));
    return {
      expiresAt: link.expiresAt.toISOString(),
      organization: { name: organization },
      about: title === undefined ? null : { id: scopeId(link), title },
      items: reports.map(sharedView),
    };
  }

  @Get('v1/shared/reports/:id/content')
  @Audited('share_link.used')
  @ApiOperation({ summary: 'A report that the link opens. Each reading is written into the log first' })
  async content(
    @Headers('authorization') authorization: string | undefined,
    @Param('id') id: string,
    @SendsBody() isBodySent: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    // The link first: without one nobody learns what an id looks like.
    const reportId = parsePublicId('report', id);
    const { report, body } = await this.shared.content(tokenIn(authorization), reportId, isBodySent);
    const name = `${publicId('report', report.id)}.${REPORT_EXTENSIONS[report.format]}`;
    await reply
      .headers({
        'cache-control': 'private, no-store',
        'content-type': report.mediaType ?? 'application/octet-stream',
        'content-length': String(report.sizeBytes ?? 0),
        'accept-ranges': 'none',
        'content-disposition': `attachment; filename="${name}"`,
      })
      .send(body);
  }

  @Get('shared')
  @ApiExcludeEndpoint()
  @Unaudited(
    'A page of the program, the same for everybody. What it shows it asks from the routes above, with the link.',
  )
  async index(@Res() reply: FastifyReply): Promise<void> {
    await reply
      .headers({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': CONTENT_SECURITY_POLICY,
      })
      .send(this.html);
  }

  @Get('shared/shared.css')
  @ApiExcludeEndpoint()
  @Unaudited('A file of the program, the same for everybody.')
  async styles(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', 'text/css; charset=utf-8').send(this.css);
  }

  @Get('shared/shared.js')
  @ApiExcludeEndpoint()
  @Unaudited('A file of the program, the same for everybody.')
  async code(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', 'text/javascript; charset=utf-8').send(this.script);
  }
}

function tokenIn(authorization: string | undefined): string | undefined {
  return /^Bearer (cls_[A-Za-z0-9_-]{1,200})$/.exec(authorization ?? '')?.[1];
}

function sharedView({ id, kind, format, sha256, sizeBytes, createdAt }: ReportEntity) {
  const reportId = publicId('report', id);
  return {
    id: reportId,
    kind,
    format,
    sha256,
    sizeBytes,
    createdAt: createdAt.toISOString(),
    contentUrl: `/v1/shared/reports/${reportId}/content`,
  };
}
