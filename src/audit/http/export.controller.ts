import { Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { PassThrough, Readable } from 'node:stream';
import { z } from 'zod';
import { Audited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { SendsBody } from '../../http/conditional.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { CheckRows } from '../application/check-rows.js';
import { ExportArchive } from '../application/export-archive.js';
import { ExportEntries } from '../application/export-entries.js';
import { type Checkpoint } from '../core/checkpoint.js';
import { id } from '../core/entry-fields.js';
import { formatBase64 } from '../core/strict-encoding.js';
import { entryFilterFields, toEntryFilter } from './entry-filter.js';

/** An export is recorded with its filter for ever, so a filter holds ids and nothing that could be a person's name. */
const exportSchema = z.strictObject({
  ...entryFilterFields,
  subject: id.optional().describe('id of what the entry is about'),
  actor: id.optional().describe('id of who acted: an API key, a user or "colophon"'),
  format: z.enum(['ndjson', 'csv']).default('ndjson'),
});

const MEDIA_TYPES = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8; header=present',
} as const;
/** A sign of life for proxies and people, and not one for each row. */
const PROGRESS_INTERVAL_MS = 500;

@ApiTags('Audit log')
@ApiBearerAuth()
@Controller('v1/audit')
export class ExportController {
  /** Organizations whose rows are being checked: one check reads all there is, two would only slow each other. */
  private readonly checking = new Set<string>();

  constructor(
    private readonly exportEntries: ExportEntries,
    private readonly exportArchive: ExportArchive,
    private readonly checkRows: CheckRows,
  ) {}

  @Get('export')
  @Audited('log.exported')
  @Allow('audit:export')
  @ApiProduces('application/x-ndjson', 'text/csv')
  @ApiOperation({
    summary:
      'Entries of any number as NDJSON or CSV, each compared with what was published; complete when the NDJSON ends with a line {"export":...}',
  })
  async export(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: exportSchema }) query: z.infer<typeof exportSchema>,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { format } = query;
    const headers = (checkpoint: Checkpoint) => headersOf(principal, checkpoint, MEDIA_TYPES[format], format);
    if (!sendsBody) {
      const checkpoint = await this.exportEntries.announce(principal.organizationId);
      return reply.headers(headers(checkpoint)).send();
    }
    const { checkpoint, chunks } = await this.exportEntries.start(principal, format, toEntryFilter(query));
    await reply.headers(headers(checkpoint)).send(Readable.from(chunks, { objectMode: false }));
  }

  @Get('archive')
  @Audited('log.exported')
  @Allow('audit:export')
  @ApiProduces('application/zip')
  @ApiOperation({ summary: 'The whole log as a zip of static files, readable by "colophon log fsck"' })
  async archive(
    @CurrentPrincipal() principal: Principal,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (!sendsBody) {
      const { checkpoint } = await this.exportArchive.announce(principal.organizationId);
      return reply.headers(headersOf(principal, checkpoint, 'application/zip', 'zip')).send();
    }
    const { checkpoint, stream } = await this.exportArchive.start(principal);
    await reply.headers(headersOf(principal, checkpoint, 'application/zip', 'zip')).send(stream);
  }

  @Post('checks')
  @Audited('log.checked')
  @Allow('audit:export')
  @HttpCode(200)
  @ApiProduces('application/x-ndjson')
  @ApiOperation({
    summary:
      'Compares every stored entry with the published tiles and the signed checkpoint; lines of progress, and the result as the last line',
  })
  async check(@CurrentPrincipal() principal: Principal, @Res() reply: FastifyReply): Promise<void> {
    const { organizationId } = principal;
    if (this.checking.has(organizationId))
      throw new ColophonError('conflict', 'This log is being checked already.');
    this.checking.add(organizationId);
    const lines = new PassThrough();
    void this.writeCheck(principal, lines).finally(() => this.checking.delete(organizationId));
    await reply.headers({ 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' }).send(lines);
  }

  /** Never rejects: the answer has begun, so what goes wrong is its last line. */
  private async writeCheck(principal: Principal, lines: PassThrough): Promise<void> {
    const write = (line: unknown): void => void lines.write(`${JSON.stringify(line)}\n`);
    let shownAtMs = 0;
    try {
      const result = await this.checkRows.run(principal, (progress) => {
        if (lines.destroyed) throw new ColophonError('internal', 'Nobody waits for the result any more.');
        if (Date.now() - shownAtMs < PROGRESS_INTERVAL_MS) return;
        shownAtMs = Date.now();
        write({ progress });
      });
      write({ result });
    } catch (error) {
      const { code, message } = isColophonError(error)
        ? error
        : new ColophonError('internal', 'The check could not be made.');
      if (!lines.destroyed) write({ error: { code, detail: message } });
    } finally {
      lines.end();
    }
  }
}

function headersOf(
  { organizationId }: Principal,
  { size, root }: Checkpoint,
  contentType: string,
  extension: string,
): Record<string, string> {
  const name = `${publicId('organization', organizationId)}-log-${size}.${extension}`;
  return {
    'content-type': contentType,
    'content-disposition': `attachment; filename="${name}"`,
    'cache-control': 'private, no-store',
    'x-colophon-log-size': String(size),
    'x-colophon-log-root': formatBase64(root),
  };
}
