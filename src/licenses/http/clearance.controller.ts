import { Body, Controller, Get, Headers, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { Idempotency } from '../../http/idempotency.js';
import { textSchema } from '../../http/safe-text.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { ApproveWaiver, WAIVER_REASONS } from '../application/approve-waiver.js';
import { DecideClearance } from '../application/decide-clearance.js';
import { readClearance } from '../application/read-clearance.js';
import { WaiverFollowUp } from '../application/waiver-follow-up.js';
import { lineageSchema } from '../domain/lineage.js';
import { runFactsSchema } from '../domain/run-facts.js';
import { clearanceView } from './clearance-view.js';

const clearanceSchema = z
  .strictObject({ lineage: lineageSchema, facts: runFactsSchema })
  .meta({ id: 'AskClearance' });
const waiverSchema = z
  .strictObject({
    clearanceId: z.string().regex(/^clr_[0-9a-f]{32}$/),
    reason: z.enum(WAIVER_REASONS),
    comment: textSchema(2000),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'ApproveWaiver' });

@ApiTags('Clearance')
@ApiBearerAuth()
@Controller('v1')
export class ClearanceController {
  constructor(
    private readonly decideClearance: DecideClearance,
    private readonly approveWaiver: ApproveWaiver,
    private readonly followUp: WaiverFollowUp,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Post('clearances')
  @Allow('clearances:create')
  @ApiOperation({ summary: 'May I? The same engine as a run, nothing spent, decision recorded' })
  async ask(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: clearanceSchema }) body: z.infer<typeof clearanceSchema>,
  ) {
    const decision = this.decideClearance.decide(body.lineage, body.facts);
    const clearance = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.decideClearance.record(tx, principal, decision),
    );
    return clearanceView(clearance);
  }

  @Get('clearances/:id')
  @Allow('organization:read')
  @ApiOperation({ summary: 'A recorded decision with the input it rests on' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('clearance')) id: string) {
    const clearance = await this.organizationTx.run(organizationId, (tx) => readClearance(tx, id));
    return { ...clearanceView(clearance), input: clearance.input };
  }

  @Post('waivers')
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
    const clearanceId = parsePublicId('clearance', body.clearanceId);
    if (clearanceId === undefined)
      throw new ColophonError('not_found', 'There is no clearance with this id.');
    const fingerprint = ['POST /v1/waivers', canonicalJson(body)];
    const answer = await this.idempotency.run({ principal, key, fingerprint }, (idempotent) =>
      this.organizationTx.run(principal.organizationId, async (tx) => {
        const waiver = await this.approveWaiver.approve(tx, principal, {
          ...body,
          clearanceId,
          expiresAt: new Date(body.expiresAt),
        });
        const startedRunIds = await this.followUp.afterApproval(tx, clearanceId, principal.mode);
        const view = {
          id: publicId('waiver', waiver.id),
          clearanceId: body.clearanceId,
          expiresAt: waiver.expiresAt.toISOString(),
          startedRunIds: startedRunIds.map((id) => publicId('run', id)),
        };
        await idempotent.complete(tx, { status: 201, body: view });
        return { status: 201, body: view };
      }),
    );
    void reply.status(answer.status);
    return answer.body;
  }
}
