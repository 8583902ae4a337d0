import { Controller, Get, Header, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { decodeCursor, INDEX_SORT_KEY, pageQuerySchema, toPage } from '../../http/pagination.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type LoggedEntry, ReadLog } from '../application/read-log.js';

const listSchema = pageQuerySchema.extend({
  type: z
    .string()
    .regex(/^[a-z0-9._]{1,80}$/)
    .optional(),
  subject: z
    .string()
    .regex(/^[\x20-\x7e]{1,128}$/)
    .optional(),
});

@ApiTags('Audit log')
@ApiBearerAuth()
@Controller('v1/audit/entries')
export class AuditController {
  constructor(private readonly log: ReadLog) {}

  @Get()
  @Allow('audit:read')
  @ApiOperation({ summary: 'Entries in the order of the log' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: listSchema }) query: z.infer<typeof listSchema>,
  ) {
    const last = decodeCursor(query.cursor, INDEX_SORT_KEY);
    const rows = await this.log.list(organizationId, {
      fromIndex: last === undefined ? 0 : Number(last) + 1,
      limit: query.limit + 1,
      type: query.type,
      subjectId: query.subject,
    });
    return toPage(rows, query.limit, ({ index }) => String(index), entryView);
  }

  @Get(':index')
  @Allow('audit:read')
  @ApiOperation({ summary: 'One entry: as JSON, and as the canonical bytes that were hashed' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('index') index: string) {
    const entry = await this.log.byIndex(organizationId, parseIndex(index));
    return { ...entryView(entry), canonical: entry.entry.toString('base64') };
  }

  @Get(':index/proof')
  @Allow('audit:read')
  @Header('content-type', 'text/plain; charset=utf-8')
  @ApiOperation({ summary: 'Inclusion proof under the published checkpoint (C2SP tlog-proof)' })
  async proof(@CurrentPrincipal() { organizationId }: Principal, @Param('index') index: string) {
    return (await this.log.proof(organizationId, parseIndex(index))).toString('utf8');
  }
}

function parseIndex(text: string): number {
  if (!/^(0|[1-9]\d{0,14})$/.test(text))
    throw new ColophonError('not_found', 'The log has no entry with this index.');
  return Number(text);
}

function entryView(entry: LoggedEntry) {
  return {
    id: publicId('entry', entry.entryId),
    index: entry.index ?? null,
    state: entry.index === undefined ? 'pending' : 'integrated',
    entry: JSON.parse(entry.entry.toString('utf8')) as unknown,
  };
}
