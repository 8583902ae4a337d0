import { Body, Controller, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { z } from 'zod';
import { OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { Idempotency } from '../../http/idempotency.js';
import { decodeCursor, pageQuerySchema, toPage, UUID_SORT_KEY } from '../../http/pagination.js';
import { textSchema } from '../../http/safe-text.js';
import { idOf } from '../../http/validation.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import {
  ApproveWaiver,
  type Waiver,
  WAIVER_REASONS,
  type WaiverScope,
} from '../application/approve-waiver.js';
import { AskPolicies } from '../application/ask-policies.js';
import { ClearanceStanding } from '../application/clearance-standing.js';
import { DecideAgain } from '../application/decide-again.js';
import { DecideClearance } from '../application/decide-clearance.js';
import { readClearance } from '../application/read-clearance.js';
import { useCaseOf } from '../application/find-use.js';
import { type PolicyUse } from '../application/policies-in-force.js';
import { type ReopenedClearance, ReopenedClearances } from '../application/reopened-clearances.js';
import { replayClearance } from '../application/replay-clearance.js';
import { WaiverFollowUp } from '../application/waiver-follow-up.js';
import { type Finding, RULE_IDS } from '../domain/finding.js';
import { lineageSchema } from '../domain/lineage.js';
import { listingIdSchema } from '../domain/listing.js';
import { runFactsSchema } from '../domain/run-facts.js';
import { clearanceView, policiesView } from './clearance-view.js';
import { storableBytes } from './storable.js';

const clearanceSchema = z
  .strictObject({
    lineage: lineageSchema,
    facts: runFactsSchema,
    /** Where the work would belong: the policies of that project and use case are asked, too. */
    projectId: z
      .string()
      .regex(/^prj_[0-9a-f]{32}$/)
      .optional(),
    useCase: z.string().min(1).max(100).optional(),
  })
  .refine(({ projectId, useCase }) => useCase === undefined || projectId !== undefined, {
    path: ['useCase'],
    message: 'needs the projectId to which it belongs',
  })
  .meta({ id: 'AskClearance' });
const waiverTerms = {
  reason: z.enum(WAIVER_REASONS),
  comment: textSchema(2000),
  expiresAt: z.iso.datetime(),
};
/** For one clearance; or for one finding of one listing, wherever a project (or one use case of it) meets it. */
const waiverSchema = z
  .union([
    z.strictObject({ clearanceId: z.string().regex(/^clr_[0-9a-f]{32}$/), ...waiverTerms }),
    z.strictObject({
      finding: z.strictObject({ listingId: listingIdSchema, ruleId: z.enum(RULE_IDS) }),
      projectId: z.string().regex(/^prj_[0-9a-f]{32}$/),
      useCase: z.string().min(1).max(100).optional(),
      /** Who asked for it: someone other than who approves. */
      requestedBy: z.string().regex(/^prn_[0-9a-f]{32}$/),
      ...waiverTerms,
    }),
  ])
  .meta({ id: 'ApproveWaiver' });
const reopenedQuerySchema = pageQuerySchema.extend({
  licenseKey: z.string().min(1).max(100).optional(),
  listingId: listingIdSchema.optional(),
});

@ApiTags('Clearance')
@ApiBearerAuth()
@Controller('v1')
export class ClearanceController {
  constructor(
    private readonly decideClearance: DecideClearance,
    private readonly decideAgain: DecideAgain,
    private readonly standing: ClearanceStanding,
    private readonly reopenedClearances: ReopenedClearances,
    private readonly approveWaiver: ApproveWaiver,
    private readonly followUp: WaiverFollowUp,
    private readonly askPolicies: AskPolicies,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Post('clearances')
  @Audited('clearance.decided')
  @Allow('clearances:create')
  @ApiOperation({ summary: 'May I? The same engine as a run, nothing spent, decision recorded' })
  async ask(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: clearanceSchema }) body: z.infer<typeof clearanceSchema>,
  ) {
    const clearance = await this.organizationTx.run(principal.organizationId, async (tx) => {
      const use = await useOf(tx, body);
      const asked = { roles: principal.roles, use };
      const decided = await this.decideClearance.decide(tx, body.lineage, body.facts, asked);
      return this.decideClearance.record(tx, principal, decided, { use });
    });
    return clearanceView(clearance);
  }

  @Get('clearances/reopened')
  @Unaudited(
    'Which recorded decisions do not hold any more, with what rests on them. Nothing that is sealed.',
  )
  @Allow('organization:read')
  @ApiOperation({
    summary: 'Decisions that a changed license text or fact opened again, with runs, assets, waivers',
  })
  async reopened(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: reopenedQuerySchema }) query: z.infer<typeof reopenedQuerySchema>,
  ) {
    const { cursor, limit, licenseKey, listingId } = query;
    const after = decodeCursor(cursor, UUID_SORT_KEY);
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      this.reopenedClearances.list(tx, { after, limit, licenseKey, listingId }),
    );
    return toPage(rows, limit, ({ id }) => id, reopenedView);
  }

  @Post('clearances/:id/decide-again')
  @Audited('clearance.decided')
  @Allow('clearances:create')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary: 'Decide anew what a changed license text or fact has opened again; runs that may start do',
  })
  async again(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Param('id', idOf('clearance')) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST /v1/clearances/{id}/decide-again', id];
    const answer = await this.idempotency.run({ principal, key, fingerprint }, (idempotent) =>
      this.organizationTx.run(principal.organizationId, async (tx) => {
        const { rootId, clearance, holds } = await this.decideAgain.decide(tx, principal, id);
        const started = holds ? await this.followUp.afterApproval(tx, rootId, principal.mode) : [];
        const body = {
          ...clearanceView(clearance),
          renews: publicId('clearance', rootId),
          startedRunIds: started.map((run) => publicId('run', run)),
        };
        await idempotent.complete(tx, { status: 201, body });
        return { status: 201, body };
      }),
    );
    void reply.status(answer.status);
    return answer.body;
  }

  @Get('clearances/:id/replay')
  @Unaudited(
    'A recorded decision made once more from what is stored. Nothing that is sealed, nothing is kept.',
  )
  @Allow('organization:read')
  @ApiOperation({ summary: 'Make a recorded decision once more from its stored input, and compare' })
  async replay(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('clearance')) id: string,
  ) {
    const { recorded, again } = await this.organizationTx.run(organizationId, (tx) =>
      replayClearance(tx, this.askPolicies, id),
    );
    const { decision, findings, engineVersion, termsSha256, inputSha256 } = again;
    return {
      id: publicId('clearance', id),
      same:
        decision === recorded.decision &&
        termsSha256 === recorded.termsSha256 &&
        inputSha256 === recorded.inputSha256 &&
        sameFindings(findings, recorded.findings),
      recorded: { decision: recorded.decision, inputSha256: recorded.inputSha256 },
      policies: policiesView(recorded.policies),
      again: { decision, engineVersion, termsSha256, inputSha256, findings },
    };
  }

  @Get('clearances/:id')
  @Unaudited(
    'A decision that is in the log already, with the facts that it rests on. Nothing that is sealed.',
  )
  @Allow('organization:read')
  @ApiOperation({ summary: 'A recorded decision with the input it rests on' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('clearance')) id: string) {
    return this.organizationTx.run(organizationId, async (tx) => {
      const clearance = await readClearance(tx, id);
      const standing = await this.standing.of(tx, clearance.renews ?? id);
      return {
        ...clearanceView(clearance),
        input: clearance.input,
        renews: clearance.renews === null ? null : publicId('clearance', clearance.renews),
        registryVersion: clearance.registryVersion,
        standing: {
          kind: standing.kind,
          lastDecisionId: publicId('clearance', standing.last.id),
          changes: standing.kind === 'reopened' ? standing.changes : [],
        },
      };
    });
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

/** @throws ColophonError `not_found` */
async function useOf(
  tx: Tx,
  { projectId: given, useCase }: z.infer<typeof clearanceSchema>,
): Promise<PolicyUse | undefined> {
  if (given === undefined) return undefined;
  const projectId = parsePublicId('project', given);
  if (projectId === undefined) throw new ColophonError('not_found', 'There is no such project.');
  return { projectId, useCaseId: await useCaseOf(tx, projectId, useCase) };
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

function waiverView({ id, scope, restsOn, expiresAt }: Waiver) {
  const what =
    scope.kind === 'clearance'
      ? { clearanceId: publicId('clearance', scope.clearanceId) }
      : {
          finding: { listingId: scope.listingId, ruleId: scope.ruleId },
          projectId: publicId('project', scope.projectId),
          useCase: scope.useCase ?? null,
        };
  return { id: publicId('waiver', id), ...what, restsOn, expiresAt: expiresAt.toISOString() };
}

function reopenedView(reopened: ReopenedClearance) {
  const { id, rootId, decision, decidedAt, changes, runIds, assetIds, waiverIds } = reopened;
  return {
    id: publicId('clearance', rootId),
    lastDecisionId: publicId('clearance', id),
    decision,
    decidedAt: decidedAt.toISOString(),
    changes,
    runIds: runIds.map((run) => publicId('run', run)),
    assetIds: assetIds.map((asset) => publicId('asset', asset)),
    waiverIds: waiverIds.map((waiver) => publicId('waiver', waiver)),
  };
}

/** Proposed alternatives depend on the whole registry of the day, and the sentence that names them too. */
function sameFindings(again: readonly Finding[], recorded: readonly Finding[]): boolean {
  const lasting = (findings: readonly Finding[]) =>
    findings.map(({ alternatives: _alternatives, howToFix: _sentence, ...finding }) => finding);
  return canonicalJson(lasting(again) as unknown as JsonValue).equals(
    canonicalJson(lasting(recorded) as unknown as JsonValue),
  );
}
