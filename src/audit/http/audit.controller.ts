import { Controller, Get, Header, Headers, Param, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { z } from 'zod';
import { Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { decodeCursor, INDEX_SORT_KEY, pageQuerySchema, toPage } from '../../http/pagination.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId } from '../../shared/ids.js';
import { EntryStates, parseEntryState } from '../application/entry-states.js';
import { type LoggedEntry, ReadLog } from '../application/read-log.js';
import { entryFilterFields, toEntryFilter } from './entry-filter.js';
import { entryView, progressView } from './entry-view.js';

const listSchema = pageQuerySchema.extend(entryFilterFields);
const stateSchema = z.strictObject({ state: z.string().max(40).default('checkpointed') });
/** Longer waits are cut to this: proxies give up on silent requests after a minute. */
const MAX_WAIT_SECONDS = 50;

@ApiTags('Audit log')
@ApiBearerAuth()
@Controller('v1/audit/entries')
export class AuditController {
  constructor(
    private readonly log: ReadLog,
    private readonly states: EntryStates,
  ) {}

  @Get()
  @Unaudited(
    'The log itself. Entries hold commitments in place of what is sealed; an entry for each look at the log would make it grow by being read.',
  )
  @Allow('audit:read')
  @ApiOperation({ summary: 'Entries in the order of the log' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: listSchema }) query: z.infer<typeof listSchema>,
  ) {
    const last = decodeCursor(query.cursor, INDEX_SORT_KEY);
    const rows = await this.log.list(organizationId, {
      ...toEntryFilter(query),
      fromIndex: last === undefined ? 0 : Number(last) + 1,
      limit: query.limit + 1,
    });
    return toPage(rows, query.limit, ({ index }) => String(index), entryView);
  }

  @Get(':entry')
  @Unaudited('The log itself: one entry, with commitments in place of what is sealed.')
  @Allow('audit:read')
  @ApiHeader({
    name: 'Prefer',
    required: false,
    description: `"wait=10" waits up to so many seconds (at most ${MAX_WAIT_SECONDS}) until the entry has reached the state (RFC 7240)`,
  })
  @ApiOperation({
    summary: 'One entry by index or id: how far it has come, and the canonical bytes that were hashed',
  })
  async get(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('entry') reference: string,
    @Query({ schema: stateSchema }) query: z.infer<typeof stateSchema>,
    @Headers('prefer') prefer: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const state = parseEntryState(query.state);
    const waitSeconds = parseWait(prefer);
    if (waitSeconds !== undefined) void reply.header('preference-applied', `wait=${waitSeconds}`);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const { entry, progress } = await this.states.waitFor(
      organizationId,
      this.finder(organizationId, reference),
      state,
      (waitSeconds ?? 0) * 1000,
      gone.signal,
    );
    return { ...entryView(entry), ...progressView(progress), canonical: entry.entry.toString('base64') };
  }

  @Get(':entry/proof')
  @Unaudited('The log itself: hashes, and a checkpoint that is public.')
  @Allow('audit:read')
  @Header('content-type', 'text/plain; charset=utf-8')
  @ApiOperation({
    summary:
      'Inclusion proof (C2SP tlog-proof) under the newest checkpoint that meets the witness policy, else under the newest one',
  })
  async proof(@CurrentPrincipal() { organizationId }: Principal, @Param('entry') reference: string) {
    const { index } = await this.finder(organizationId, reference)();
    if (index === undefined)
      throw new ColophonError('not_found', 'The entry has no index yet, so there is no proof.');
    return (await this.log.proof(organizationId, index)).toString('utf8');
  }

  private finder(organizationId: string, reference: string): () => Promise<LoggedEntry> {
    const entryId = parsePublicId('entry', reference);
    if (entryId !== undefined) return () => this.log.byId(organizationId, entryId);
    if (!/^(0|[1-9]\d{0,14})$/.test(reference))
      throw new ColophonError('not_found', 'The log has no entry with this index or id.');
    return () => this.log.byIndex(organizationId, Number(reference));
  }
}

/** `wait=<seconds>` among other preferences, which are ignored (RFC 7240, section 2). */
function parseWait(prefer: string | undefined): number | undefined {
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?(?:$|[,;\s])/i.exec(prefer ?? '');
  return match ? Math.min(Number(match[1]), MAX_WAIT_SECONDS) : undefined;
}
