import { Body, Controller, Get, Headers, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { Idempotency } from '../../http/idempotency.js';
import { decodeCursor, pageQuerySchema, toPage, UUID_SORT_KEY } from '../../http/pagination.js';
import { textSchema } from '../../http/safe-text.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import {
  ApproveWaiver,
  type Waiver,
  WAIVER_REASONS,
  type WaiverScope,
} from '../application/approve-waiver.js';
import { type ListedWaiver, ListWaivers } from '../application/list-waivers.js';
import { WaiverFollowUp } from '../application/waiver-follow-up.js';
import { RULE_IDS } from '../domain/finding.js';
import { listingIdSchema } from '../domain/listing.js';
import { WAIVER_STATES } from '../domain/waiver-state.js';
import { storableBytes } from './storable.js';

/** A letter or a digit of any script: a space or a full stop says nothing. */
const WORD = /[\p{L}\p{N}]/u;
const waiverTerms = {
  reason: z.enum(WAIVER_REASONS),
  comment: textSchema(2000).refine((text) => WORD.test(text), 'must say in words why it is accepted'),
  expiresAt: z.iso.datetime(),
};
/** For one clearance; or for one finding of one listing, wherever a project (or one use case of it) meets it. */
const waiverSchema = z
  .union([
    z.strictObject({ clearanceId: z.string().regex(/^clr_[0-9a-f]{32}$/), ...waiverTerms }),
    z.strictObject({
      /** As it stands in an answer: what else it says there is not looked at. */
      finding: z.object({ listingId: listingIdSchema, ruleId: z.enum(RULE_IDS) }),
      projectId: z.string().regex(/^prj_[0-9a-f]{32}$/),
      useCase: z.string().min(1).max(100).optional(),
      /** Who asked for it: someone other than who approves. */
      requestedBy: z.string().regex(/^prn_[0-9a-f]{32}$/),
      ...waiverTerms,
    }),
  ])
  .meta({ id: 'ApproveWaiver' });
const listQuerySchema = pageQuerySchema.extend({ state: z.enum(WAIVER_STATES).optional() });

@ApiTags('Clearance')
@ApiBearerAuth()
@Controller('v1')
export class WaiverController {
  constructor(
    private readonly approveWaiver: ApproveWaiver,
    private readonly listWaivers: ListWaivers,
    private readonly followUp: WaiverFollowUp,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Get('waivers')
  @Unaudited('Waivers that are in the log already, with their state. What people wrote in them is sealed.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Waivers, newest first: in force, ended on their day, or dead before it and why' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: listQuerySchema }) { cursor, limit, state }: z.infer<typeof listQuerySchema>,
  ) {
    const before = decodeCursor(cursor, UUID_SORT_KEY);
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      this.listWaivers.list(tx, { before, limit: limit + 1, state }),
    );
    return toPage(rows, limit, ({ id }) => id, listedView);
  }

  @Post('waivers')
  @Audited('waiver.approved')
  @Allow('waivers:approve')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary: 'Accept the open findings of a clearance, for a time; runs that waited for it start',
  })
  async waive(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: waiverSchema }) body: z.infer<typeof waiverSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const scope = scopeOf(body);
    if (scope.kind === 'finding') refuseTestKeyOnLive(principal.mode, 'live', 'A waiver for a project');
    const fingerprint = ['POST /v1/waivers', storableBytes(body)];
    const answer = await this.idempotency.run({ principal, key, fingerprint }, (idempotent) =>
      this.organizationTx.run(principal.organizationId, async (tx) => {
        const { reason, comment } = body;
        const expiresAt = new Date(body.expiresAt);
        const waiver = await this.approveWaiver.approve(tx, principal, { scope, reason, comment, expiresAt });
        const started =
          waiver.rootId === null ? [] : await this.followUp.afterApproval(tx, waiver.rootId, principal.mode);
        const view = { ...waiverView(waiver), startedRunIds: started.map((id) => publicId('run', id)) };
        await idempotent.complete(tx, { status: 201, body: view });
        return { status: 201, body: view };
      }),
    );
    void reply.status(answer.status);
    return answer.body;
  }
}

type WaiverBody = z.infer<typeof waiverSchema>;

/** @throws ColophonError `not_found` */
function scopeOf(body: WaiverBody): WaiverScope {
  if ('clearanceId' in body) {
    const clearanceId = parsePublicId('clearance', body.clearanceId);
    if (clearanceId === undefined)
      throw new ColophonError('not_found', 'There is no clearance with this id.');
    return { kind: 'clearance', clearanceId };
  }
  const { finding, useCase } = body;
  const projectId = parsePublicId('project', body.projectId);
  const requestedBy = parsePublicId('principal', body.requestedBy);
  if (projectId === undefined || requestedBy === undefined)
    throw new ColophonError('not_found', 'There is no such project or principal.');
  return { kind: 'finding', ...finding, projectId, useCase, requestedBy };
}

function waiverView({ id, scope, restsOn, expiresAt, coversCampaign }: Waiver) {
  const what =
    scope.kind === 'clearance'
      ? { clearanceId: publicId('clearance', scope.clearanceId) }
      : {
          finding: { listingId: scope.listingId, ruleId: scope.ruleId },
          projectId: publicId('project', scope.projectId),
          useCase: scope.useCase ?? null,
        };
  return {
    id: publicId('waiver', id),
    ...what,
    restsOn,
    expiresAt: expiresAt.toISOString(),
    coversCampaign: coversCampaign ?? null,
  };
}

function listedView(waiver: ListedWaiver) {
  const { clearanceId, projectId, useCaseId, endedAt, expiresAt, createdAt } = waiver;
  return {
    id: publicId('waiver', waiver.id),
    state: waiver.state,
    endedBecause: waiver.endedBecause,
    endedAt: endedAt?.toISOString() ?? null,
    changes: waiver.changes,
    clearanceId: clearanceId === null ? null : publicId('clearance', clearanceId),
    finding: waiver.finding,
    projectId: projectId === null ? null : publicId('project', projectId),
    useCaseId: useCaseId === null ? null : publicId('useCase', useCaseId),
    reason: waiver.reason,
    requestedBy: publicId('principal', waiver.requestedBy),
    approvedBy: publicId('principal', waiver.approvedBy),
    restsOn: waiver.restsOn,
    expiresAt: expiresAt.toISOString(),
    createdAt: createdAt.toISOString(),
  };
}
