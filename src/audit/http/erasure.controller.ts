import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { Audited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { SendsBody } from '../../http/conditional.js';
import { Idempotency } from '../../http/idempotency.js';
import { decodeCursor, pageQuerySchema, toPage, UUID_SORT_KEY } from '../../http/pagination.js';
import { textSchema } from '../../http/safe-text.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { ColophonError } from '../../shared/errors.js';
import { type IdKind, parsePublicId, publicId } from '../../shared/ids.js';
import { EraseDataSubject } from '../application/erase-data-subject.js';
import { HOLD_SCOPE_IDS, type HoldScope } from '../application/legal-hold.js';
import { LiftLegalHold } from '../application/lift-legal-hold.js';
import { entriesOpened, ListLegalHolds } from '../application/list-legal-holds.js';
import { PlaceLegalHold } from '../application/place-legal-hold.js';
import { RecordOpened } from '../application/record-opened.js';
import { ERASURE_REASONS } from '../core/entries/retention-entries.js';
import { erasureView, explainedHoldView, legalHoldView } from './erasure-view.js';

const erasureSchema = z
  .strictObject({
    principalId: z.string().regex(/^prn_[0-9a-f]{32}$/, 'a principal id such as prn_018f...'),
    reason: z.enum(ERASURE_REASONS),
  })
  .meta({ id: 'EraseDataSubject' });
const scopeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('organization') }),
  z.strictObject({ kind: z.literal('data_subject'), id: z.string().regex(/^prn_[0-9a-f]{32}$/) }),
  z.strictObject({ kind: z.literal('asset'), id: z.string().regex(/^ast_[0-9a-f]{32}$/) }),
  z.strictObject({ kind: z.literal('run'), id: z.string().regex(/^run_[0-9a-f]{32}$/) }),
  z.strictObject({ kind: z.literal('project'), id: z.string().regex(/^prj_[0-9a-f]{32}$/) }),
]);
const holdSchema = z
  .strictObject({
    scope: scopeSchema,
    reason: textSchema(2000).describe('the matter, in words; sealed like everything that people write'),
  })
  .meta({ id: 'PlaceLegalHold' });
const liftSchema = z.strictObject({ reason: textSchema(2000) }).meta({ id: 'LiftLegalHold' });
const listSchema = pageQuerySchema.extend({ inForce: z.enum(['true', 'false']).optional() });

@ApiTags('Erasure and legal hold')
@ApiBearerAuth()
@Controller('v1')
export class ErasureController {
  constructor(
    private readonly eraseDataSubject: EraseDataSubject,
    private readonly placeLegalHold: PlaceLegalHold,
    private readonly liftLegalHold: LiftLegalHold,
    private readonly listLegalHolds: ListLegalHolds,
    private readonly recordOpened: RecordOpened,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Post('erasures')
  @Audited('opening.erased', 'content.removed')
  @Allow('erasures:create')
  @HttpCode(201)
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary: 'Erase everything that a person wrote, their key and their name, for good; what stays is said',
  })
  erase(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: erasureSchema }) body: z.infer<typeof erasureSchema>,
  ): Promise<unknown> {
    const subjectId = idIn('principal', body.principalId);
    return this.once(principal, key, 201, ['POST /v1/erasures', body], async (tx) =>
      erasureView(await this.eraseDataSubject.erase(tx, principal, { subjectId, reason: body.reason })),
    );
  }

  @Post('legal-holds')
  @Audited('legal_hold.placed')
  @Allow('legal_holds:manage')
  @HttpCode(201)
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'Forbid erasure of what an organization, person, asset, run or project is about' })
  place(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: holdSchema }) body: z.infer<typeof holdSchema>,
  ): Promise<unknown> {
    const scope = toScope(body.scope);
    return this.once(principal, key, 201, ['POST /v1/legal-holds', body], async (tx) =>
      legalHoldView(await this.placeLegalHold.place(tx, principal, { scope, reason: body.reason })),
    );
  }

  @Get('legal-holds')
  @Audited('opening.read')
  @Allow('legal_holds:read')
  @ApiOperation({ summary: 'Legal holds, newest first, with their reasons' })
  async list(
    @CurrentPrincipal() principal: Principal,
    @SendsBody() sendsBody: boolean,
    @Query({ schema: listSchema }) query: z.infer<typeof listSchema>,
  ) {
    const { organizationId } = principal;
    const filter = {
      before: decodeCursor(query.cursor, UUID_SORT_KEY),
      limit: query.limit + 1,
      inForce: query.inForce === undefined ? undefined : query.inForce === 'true',
    };
    const rows = await this.organizationTx.run(organizationId, (tx) => this.listLegalHolds.list(tx, filter));
    const subject = { kind: 'organization', id: publicId('organization', organizationId) } as const;
    const shown = rows.slice(0, query.limit);
    if (sendsBody) await this.recordOpened.before(principal, subject, entriesOpened(shown));
    return toPage(rows, query.limit, ({ hold }) => hold.id, explainedHoldView);
  }

  @Get('legal-holds/:id')
  @Audited('opening.read')
  @Allow('legal_holds:read')
  @ApiOperation({ summary: 'One legal hold, with its reasons' })
  async get(
    @CurrentPrincipal() principal: Principal,
    @SendsBody() sendsBody: boolean,
    @Param('id', idOf('legalHold')) id: string,
  ) {
    const hold = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.listLegalHolds.get(tx, id),
    );
    const subject = { kind: 'legal_hold', id: publicId('legalHold', id) } as const;
    if (sendsBody) await this.recordOpened.before(principal, subject, entriesOpened([hold]));
    return explainedHoldView(hold);
  }

  @Post('legal-holds/:id/lift')
  @Audited('legal_hold.lifted')
  @Allow('legal_holds:manage')
  @HttpCode(200)
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'Lift a legal hold, once and for good' })
  lift(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('legalHold')) holdId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: liftSchema }) body: z.infer<typeof liftSchema>,
  ): Promise<unknown> {
    return this.once(principal, key, 200, ['POST lift', holdId, body], async (tx) =>
      legalHoldView(await this.liftLegalHold.lift(tx, principal, { holdId, reason: body.reason })),
    );
  }

  /** The effect and its answer in one transaction, once for each Idempotency-Key. */
  private async once(
    principal: Principal,
    key: string | undefined,
    status: number,
    request: readonly JsonValue[],
    work: (tx: Tx) => Promise<unknown>,
  ): Promise<unknown> {
    const fingerprint = [canonicalJson([...request])];
    const answer = await this.idempotency.run({ principal, key, fingerprint }, (idempotent) =>
      this.organizationTx.run(principal.organizationId, async (tx) => {
        const done = { status, body: await work(tx) };
        await idempotent.complete(tx, done);
        return done;
      }),
    );
    return answer.body;
  }
}

function toScope(scope: z.infer<typeof scopeSchema>): HoldScope {
  if (scope.kind === 'organization') return scope;
  return { kind: scope.kind, id: idIn(HOLD_SCOPE_IDS[scope.kind], scope.id) };
}

function idIn(kind: IdKind, text: string): string {
  const id = parsePublicId(kind, text);
  if (id === undefined) throw new ColophonError('not_found', `There is no ${kind} with this id.`);
  return id;
}
