import { Body, Controller, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { z } from 'zod';
import { OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { Audited, AuditedAsOneOf, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { Idempotency } from '../../http/idempotency.js';
import { decodeCursor, encodeCursor, pageQuerySchema, toPage, UUID_SORT_KEY } from '../../http/pagination.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { AskPolicies } from '../application/ask-policies.js';
import { CompleteLineage, type KnownOrigins } from '../application/complete-lineage.js';
import { ClearanceStanding } from '../application/clearance-standing.js';
import { DecideAgain } from '../application/decide-again.js';
import { DecideClearance } from '../application/decide-clearance.js';
import { DecideMatrix } from '../application/decide-matrix.js';
import { EffectiveRegistry } from '../application/effective-registry.js';
import { listClearances } from '../application/list-clearances.js';
import { alternativesOf } from '../application/matrix-question.js';
import { PipelineLineage } from '../application/pipeline-lineage.js';
import { inputSalts } from '../application/input-salts.js';
import { readClearance } from '../application/read-clearance.js';
import { useCaseOf } from '../application/find-use.js';
import { type PolicyUse } from '../application/policies-in-force.js';
import { readMatrix } from '../application/read-matrix.js';
import { type ReopenedClearance, ReopenedClearances } from '../application/reopened-clearances.js';
import { replayClearance } from '../application/replay-clearance.js';
import { WaiverFollowUp } from '../application/waiver-follow-up.js';
import { DECISIONS, type Finding } from '../domain/finding.js';
import { listingIdSchema } from '../domain/listing.js';
import { type MatrixQuestion } from '../domain/matrix.js';
import {
  type AskClearanceBody,
  askClearanceSchema,
  type MatrixBody,
  nameOfAudience,
} from './clearance.schemas.js';
import { clearanceJson, clearanceSummary, clearanceView, policiesView, scopeView } from './clearance-view.js';
import { matrixView, readMatrixView } from './matrix-view.js';

const listQuerySchema = pageQuerySchema.extend({
  decision: z.enum(DECISIONS).optional(),
  listingId: listingIdSchema.optional(),
  projectId: z
    .string()
    .regex(/^prj_[0-9a-f]{32}$/)
    .optional(),
});
const reopenedQuerySchema = pageQuerySchema.extend({
  licenseKey: z.string().min(1).max(100).optional(),
  listingId: listingIdSchema.optional(),
});

@ApiTags('Clearance')
@ApiBearerAuth()
@Controller('v1')
export class ClearanceController {
  constructor(
    private readonly completeLineage: CompleteLineage,
    private readonly decideClearance: DecideClearance,
    private readonly decideMatrix: DecideMatrix,
    private readonly pipelines: PipelineLineage,
    private readonly registry: EffectiveRegistry,
    private readonly decideAgain: DecideAgain,
    private readonly standing: ClearanceStanding,
    private readonly reopenedClearances: ReopenedClearances,
    private readonly followUp: WaiverFollowUp,
    private readonly askPolicies: AskPolicies,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Post('clearances')
  @AuditedAsOneOf('clearance.decided', 'clearance.matrix_decided')
  @Allow('clearances:create')
  @ApiOperation({
    summary: 'May I? The same engine as a run, nothing spent, decision recorded; one question, or a matrix',
  })
  async ask(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: askClearanceSchema }) body: AskClearanceBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { lineage, facts, matrix } = body;
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const asked = { roles: principal.roles, use: await useOf(tx, body) };
      if (matrix !== undefined) {
        const { question, origins } = await this.questionOf(tx, matrix);
        return matrixView(await this.decideMatrix.decide(tx, principal, question, { ...asked, origins }));
      }
      // The schema admits nothing else.
      if (lineage === undefined || facts === undefined) throw new Error('neither a question nor a matrix');
      const complete = await this.completeLineage.complete(tx, lineage);
      const { originProjectIds } = complete;
      const decided = await this.decideClearance.decide(tx, complete.lineage, facts, {
        ...asked,
        originProjectIds,
      });
      const recorded = await this.decideClearance.record(tx, principal, decided, { use: asked.use });
      void reply.type('application/json; charset=utf-8');
      return clearanceJson(recorded);
    });
  }

  private async questionOf(
    tx: Tx,
    matrix: MatrixBody,
  ): Promise<{ question: MatrixQuestion; origins: ReadonlyMap<string, readonly string[]> }> {
    const { alternatives, audiences, purposes, facts, ...base } = matrix;
    const asked = await alternativesOf(tx, this.pipelines, base, alternatives);
    const complete: MatrixQuestion['alternatives'][number][] = [];
    const known: KnownOrigins = new Map();
    const origins = new Map<string, readonly string[]>();
    for (const { name, lineage: given } of asked) {
      const { lineage, originProjectIds } = await this.completeLineage.complete(tx, given, known);
      complete.push({ name, lineage });
      origins.set(name, originProjectIds);
    }
    const question: MatrixQuestion = {
      alternatives: complete,
      audiences: audiences.map((audience) => ({
        name: nameOfAudience(audience),
        countries: audience.countries,
      })),
      purposes: purposes ?? [facts.purpose],
      facts,
    };
    return { question, origins };
  }

  @Get('clearances/matrices/:id')
  @Unaudited('Answers that are in the log by their hash, made once more from what is stored. Nothing sealed.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'A recorded matrix: its question, and its answers made once more and compared' })
  async matrix(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('clearanceMatrix')) id: string,
  ) {
    const matrix = await this.organizationTx.run(organizationId, (tx) =>
      readMatrix(tx, id, this.registry, this.askPolicies),
    );
    return readMatrixView(matrix);
  }

  @Get('clearances/reopened')
  @Unaudited(
    'Which recorded decisions do not hold any more, with what rests on them. Nothing that is sealed.',
  )
  @Allow('organization:read')
  @ApiOperation({
    summary: 'Decisions that a changed license text, fact or policy opened again, with runs, assets, waivers',
  })
  async reopened(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: reopenedQuerySchema }) query: z.infer<typeof reopenedQuerySchema>,
  ) {
    const { cursor, limit, licenseKey, listingId } = query;
    const after = decodeCursor(cursor, UUID_SORT_KEY);
    const { items, next } = await this.organizationTx.run(organizationId, (tx) =>
      this.reopenedClearances.list(tx, { after, limit, licenseKey, listingId }),
    );
    return { items: items.map(reopenedView), nextCursor: next === undefined ? null : encodeCursor(next) };
  }

  @Get('clearances')
  @Unaudited('Decisions that are in the log already, without the facts they rest on. Nothing that is sealed.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Recorded decisions, newest first' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: listQuerySchema }) query: z.infer<typeof listQuerySchema>,
  ) {
    const { cursor, limit, decision, listingId, projectId } = query;
    const before = decodeCursor(cursor, UUID_SORT_KEY);
    const ofProject = projectId === undefined ? undefined : parsePublicId('project', projectId);
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      listClearances(tx, { before, limit: limit + 1, decision, listingId, projectId: ofProject }),
    );
    return toPage(rows, limit, ({ id }) => id, clearanceSummary);
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
    'A decision that is in the log already, with the facts that it rests on and the salt of its commitment to them. Nothing of a person that is sealed.',
  )
  @Allow('organization:read')
  @ApiOperation({ summary: 'A recorded decision with the input it rests on' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('clearance')) id: string) {
    return this.organizationTx.run(organizationId, async (tx) => {
      const clearance = await readClearance(tx, id);
      const standing = await this.standing.today(tx, clearance.renews ?? id);
      return {
        ...clearanceView(clearance),
        ...scopeView(clearance),
        input: clearance.input,
        // Opens the commitment `input` of the entry, with inputSha256 as its value.
        inputSalt: (await inputSalts(tx, [id])).get(id) ?? null,
        standing: {
          kind: standing.kind,
          lastDecisionId: publicId('clearance', standing.last.id),
          changes: standing.kind === 'reopened' ? standing.changes : [],
          coveredUntil: (standing.kind === 'holds' && standing.cover?.until.toISOString()) || null,
          waiverIds: (standing.kind === 'holds' ? (standing.cover?.waiverIds ?? []) : []).map((waiver) =>
            publicId('waiver', waiver),
          ),
        },
      };
    });
  }
}

/** @throws ColophonError `not_found` */
async function useOf(
  tx: Tx,
  { projectId: given, useCase }: Pick<AskClearanceBody, 'projectId' | 'useCase'>,
): Promise<PolicyUse | undefined> {
  if (given === undefined) return undefined;
  const projectId = parsePublicId('project', given);
  if (projectId === undefined) throw new ColophonError('not_found', 'There is no such project.');
  return { projectId, useCaseId: await useCaseOf(tx, projectId, useCase) };
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
