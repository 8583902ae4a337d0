import { Body, Controller, Get, Headers, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { assetView } from '../../assets/http/asset-view.js';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { FormRoute } from '../../http/form-route.js';
import { FormUploads } from '../../http/form-uploads.js';
import { Idempotency } from '../../http/idempotency.js';
import { nameSchema, textSchema } from '../../http/safe-text.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { publicId } from '../../shared/ids.js';
import { RecordContribution, type RecordedContribution } from '../application/record-contribution.js';
import { ReviewAsset } from '../application/review-asset.js';
import { StateAuthorship } from '../application/state-authorship.js';
import { newDutiesView, openObligations } from './obligation-view.js';
import { CAPTURE_KINDS, CONTRIBUTION_ACTIONS, CONTRIBUTION_BASES } from '../domain/contribution.js';

const contributionSchema = z
  .strictObject({
    actionType: z.enum(CONTRIBUTION_ACTIONS),
    basis: z.enum(CONTRIBUTION_BASES),
    capture: z.enum(CAPTURE_KINDS),
    tool: z.strictObject({ name: nameSchema(80), version: nameSchema(40) }),
    nameInFile: z
      .boolean()
      .default(false)
      .describe('name me in the file itself: it leaves with the file and cannot be called back'),
    statement: textSchema(4000).describe('what you did and why, in your own words'),
  })
  .meta({ id: 'Contribution' });
const reviewSchema = z
  .strictObject({ decision: z.enum(['approve', 'reject']), comment: textSchema(4000) })
  .meta({ id: 'Review' });

@ApiTags('Human work')
@ApiBearerAuth()
@Controller('v1/assets/:id')
export class ContributionController {
  constructor(
    private readonly recordContribution: RecordContribution,
    private readonly stateAuthorship: StateAuthorship,
    private readonly reviewAsset: ReviewAsset,
    private readonly uploads: FormUploads,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Post('contributions')
  @Audited('contribution.recorded', 'asset.signed')
  @Allow('contributions:create')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @FormRoute({
    name: 'contribution',
    description: 'JSON: actionType, basis, capture, tool, statement, nameInFile (optional)',
  })
  @ApiOperation({ summary: 'A person’s new version of an asset, with the record of what they did' })
  async contribute(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) parentAssetId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const route = ['POST contributions', parentAssetId];
    const field = { name: 'contribution', schema: contributionSchema };
    return this.uploads.create(
      { principal, key, request, reply, route, field, view: contributionView },
      ({ file, fields }, completed) =>
        this.recordContribution.contribute(principal, { ...fields, parentAssetId, file }, completed),
    );
  }

  @Get('authorship')
  @Unaudited(
    'Which acts are recorded and what follows from them. The statements that people wrote are sealed and not shown.',
  )
  @Allow('organization:read')
  @ApiOperation({ summary: 'What people contributed, and what the record supports and lacks' })
  async authorship(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('asset')) id: string,
  ) {
    return this.organizationTx.run(organizationId, (tx) => this.stateAuthorship.state(tx, id));
  }

  @Post('reviews')
  @Audited('review.decided')
  @Allow('reviews:decide')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'A second person approves or rejects' })
  async review(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) assetId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: reviewSchema }) body: z.infer<typeof reviewSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST reviews', assetId, canonicalJson(body)];
    const answer = await this.idempotency.run({ principal, key, fingerprint }, (idempotent) =>
      this.organizationTx.run(principal.organizationId, async (tx) => {
        const review = await this.reviewAsset.decide(tx, principal, { assetId, ...body });
        const view = {
          id: publicId('review', review.id),
          assetId: publicId('asset', assetId),
          decision: review.decision,
          sha256: review.sha256,
          createdAt: review.createdAt.toISOString(),
        };
        await idempotent.complete(tx, { status: 201, body: view });
        return { status: 201, body: view };
      }),
    );
    void reply.status(answer.status);
    return answer.body;
  }

  @Post('release')
  @Audited('asset.released')
  @Allow('assets:release')
  @HttpCode(200)
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary: 'The asset may leave for publication; the answer lists what is still owed for it',
  })
  async release(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) assetId: string,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<unknown> {
    const answer = await this.idempotency.run(
      { principal, key, fingerprint: ['POST release', assetId] },
      (idempotent) =>
        this.organizationTx.run(principal.organizationId, async (tx) => {
          const { releasedAt, sha256, obligations, newDuties } = await this.reviewAsset.release(
            tx,
            principal,
            assetId,
          );
          const view = {
            assetId: publicId('asset', assetId),
            sha256,
            releasedAt: releasedAt.toISOString(),
            obligationsRecorded: obligations !== undefined,
            openObligations: openObligations(obligations),
            newDuties: newDutiesView(newDuties),
          };
          await idempotent.complete(tx, { status: 200, body: view });
          return { status: 200, body: view };
        }),
    );
    return answer.body;
  }
}

function contributionView({ contributionId, asset, changedRegion }: RecordedContribution) {
  return {
    id: publicId('contribution', contributionId),
    asset: assetView(asset),
    changedRegion: changedRegion ?? null,
  };
}
