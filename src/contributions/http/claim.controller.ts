import { Body, Controller, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { type z } from 'zod';
import { AssetRepository } from '../../assets/adapters/asset.repository.js';
import { OrganizationTx } from '../../database/organization-tx.js';
import { AnswerOnce } from '../../http/answer-once.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { AnswerClaim } from '../application/answer-claim.js';
import { readClaimPage, readClaims } from '../application/read-claims.js';
import { RecordClaim } from '../application/record-claim.js';
import { idIn } from './contribution.schemas.js';
import { claimView } from './diligence-view.js';
import { claimAnswerSchema, claimPageSchema, claimSchema } from './diligence.schemas.js';

@ApiTags('Examinations and claims')
@ApiBearerAuth()
@Controller('v1')
export class ClaimController {
  constructor(
    private readonly recordClaim: RecordClaim,
    private readonly answerClaim: AnswerClaim,
    private readonly assets: AssetRepository,
    private readonly organizationTx: OrganizationTx,
    private readonly answerOnce: AnswerOnce,
  ) {}

  @Post('assets/:id/claims')
  @Audited('claim.received')
  @Allow('claims:record')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary: 'Somebody outside claims something about the asset: it is not released while that is open',
  })
  async record(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) assetId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: claimSchema }) body: z.infer<typeof claimSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { kind, receivedOn, respondBy, claimant, text, evidenceSha256 } = body;
    const request = { assetId, kind, receivedOn, respondBy, claimant, text, evidenceSha256 };
    const fingerprint = ['POST claims', assetId, body];
    return this.answerOnce.run({ principal, key, status: 201, fingerprint }, reply, async (tx) =>
      claimView(await this.recordClaim.record(tx, principal, request)),
    );
  }

  @Post('claims/:id/answers')
  @Audited('claim.answered')
  @Allow('claims:answer')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'What became of a claim; of several answers the last one counts' })
  async answer(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('claim')) claimId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: claimAnswerSchema }) body: z.infer<typeof claimAnswerSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { outcome, text, evidenceSha256 } = body;
    const request = { claimId, outcome, text, evidenceSha256 };
    const fingerprint = ['POST answers', claimId, body];
    return this.answerOnce.run({ principal, key, status: 201, fingerprint }, reply, async (tx) =>
      claimView(await this.answerClaim.answer(tx, principal, request)),
    );
  }

  @Get('assets/:id/claims')
  @Unaudited('Kinds, days and outcomes of claims. Who claims what is sealed and not shown.')
  @Allow('claims:read')
  @ApiOperation({ summary: 'Claims on the asset and on what it was made from, oldest first' })
  async ofAsset(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('asset')) assetId: string,
  ) {
    const claims = await this.organizationTx.run(organizationId, async (tx) => {
      const lineage = await this.assets.lineage(tx, assetId);
      return readClaims(
        tx,
        lineage.map(({ id }) => id),
      );
    });
    return { assetId: publicId('asset', assetId), items: claims.map(claimView) };
  }

  @Get('claims')
  @Unaudited('Kinds, days and outcomes of claims. Who claims what is sealed and not shown.')
  @Allow('claims:read')
  @ApiOperation({ summary: 'Claims on assets of the organization, newest first' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: claimPageSchema }) { limit, cursor }: z.infer<typeof claimPageSchema>,
  ) {
    const beforeId = cursor === undefined ? undefined : idIn('claim', cursor);
    const claims = await this.organizationTx.run(organizationId, (tx) =>
      readClaimPage(tx, { limit, beforeId }),
    );
    const last = claims.at(-1);
    return {
      items: claims.map(claimView),
      nextCursor: claims.length < limit || last === undefined ? null : publicId('claim', last.id),
    };
  }
}
