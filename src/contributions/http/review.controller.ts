import { Body, Controller, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { type z } from 'zod';
import { RecordOpened } from '../../audit/application/record-opened.js';
import { OrganizationTx } from '../../database/organization-tx.js';
import { AnswerOnce } from '../../http/answer-once.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { SendsBody } from '../../http/conditional.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { CollectChecklist } from '../application/collect-checklist.js';
import { ReadReview } from '../application/read-review.js';
import { RecallAsset } from '../application/recall-asset.js';
import { ReleaseAsset } from '../application/release-asset.js';
import { RequestReview } from '../application/request-review.js';
import { ReviewAsset } from '../application/review-asset.js';
import { newDutiesView, openObligations, todayView } from './obligation-view.js';
import { commentSchema, recallSchema, reviewRequestSchema, reviewSchema } from './review.schemas.js';
import { reviewStateView, saidView } from './review-view.js';

@ApiTags('Review and release')
@ApiBearerAuth()
@Controller('v1/assets/:id')
export class ReviewController {
  constructor(
    private readonly requestReview: RequestReview,
    private readonly readReview: ReadReview,
    private readonly collectChecklist: CollectChecklist,
    private readonly reviewAsset: ReviewAsset,
    private readonly releaseAsset: ReleaseAsset,
    private readonly recallAsset: RecallAsset,
    private readonly recordOpened: RecordOpened,
    private readonly organizationTx: OrganizationTx,
    private readonly answerOnce: AnswerOnce,
  ) {}

  @Post('review-requests')
  @Audited('review.requested')
  @Allow('reviews:request')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'Put the asset into the queue of reviewers' })
  async request(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) assetId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: reviewRequestSchema }) { useCase }: z.infer<typeof reviewRequestSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST review-requests', assetId, useCase ?? null];
    return this.answerOnce.run({ principal, key, status: 201, fingerprint }, reply, async (tx) => {
      const { risk, createdAt } = await this.requestReview.request(tx, principal, { assetId, useCase });
      return { assetId: publicId('asset', assetId), risk, requestedAt: createdAt.toISOString() };
    });
  }

  @Get('review')
  @Unaudited(
    'What was decided, by whom, and what is to be looked at. The words of people are sealed and not shown.',
  )
  @Allow('organization:read')
  @ApiOperation({ summary: 'Where the asset stands, what its use cases ask for, and the checklist of today' })
  async state(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('asset')) id: string) {
    return this.organizationTx.run(organizationId, async (tx) => {
      const checklist = await this.collectChecklist.of(tx, id);
      return reviewStateView(id, await this.readReview.of(tx, id), checklist);
    });
  }

  @Get('review/comments')
  @Audited('opening.read')
  @Allow('human_work:open')
  @ApiOperation({
    summary: 'What people said about it, in clear. Who reads it is written into the log first',
  })
  async comments(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) id: string,
    @SendsBody() sendsBody: boolean,
  ) {
    const said = await this.organizationTx.run(principal.organizationId, async (tx) => {
      await this.collectChecklist.requireAsset(tx, id);
      return this.readReview.said(tx, id);
    });
    const subject = { kind: 'asset', id: publicId('asset', id) } as const;
    const opened = said.flatMap(({ text, entryId }) => (text === undefined ? [] : [entryId]));
    if (sendsBody) await this.recordOpened.before(principal, subject, opened);
    return { items: said.map(saidView) };
  }

  @Post('review/comments')
  @Audited('review.commented')
  @Allow('reviews:comment')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'Say something about the asset; sealed' })
  async comment(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) assetId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: commentSchema }) { text }: z.infer<typeof commentSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST comments', assetId, text];
    return this.answerOnce.run({ principal, key, status: 201, fingerprint }, reply, async (tx) => {
      const { id, createdAt } = await this.requestReview.comment(tx, principal, { assetId, text });
      return { id: publicId('reviewComment', id), createdAt: createdAt.toISOString() };
    });
  }

  @Post('reviews')
  @Audited('review.decided')
  @Allow('reviews:decide')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'A second person approves, rejects, or asks for changes' })
  async review(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) assetId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: reviewSchema }) body: z.infer<typeof reviewSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST reviews', assetId, body];
    return this.answerOnce.run({ principal, key, status: 201, fingerprint }, reply, async (tx) => {
      const review = await this.reviewAsset.decide(tx, principal, { assetId, ...body });
      return {
        id: publicId('review', review.id),
        assetId: publicId('asset', assetId),
        decision: review.decision,
        sha256: review.sha256,
        checklist: review.checklist,
        createdAt: review.createdAt.toISOString(),
      };
    });
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
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST release', assetId];
    return this.answerOnce.run({ principal, key, status: 200, fingerprint }, reply, async (tx) => {
      const released = await this.releaseAsset.release(tx, principal, assetId);
      return {
        assetId: publicId('asset', assetId),
        sha256: released.sha256,
        releasedAt: released.releasedAt.toISOString(),
        obligationsRecorded: released.obligations !== undefined,
        openObligations: openObligations(released.obligations),
        newDuties: newDutiesView(released.today),
        obligationsToday:
          released.obligations && released.today
            ? todayView(assetId, released.obligations, released.today)
            : null,
      };
    });
  }

  @Post('recall')
  @Audited('asset.recalled')
  @Allow('assets:recall')
  @HttpCode(200)
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary:
      'Take a release back, for good: whoever verifies the file is told, and its manifest is public no more',
  })
  async recall(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) assetId: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: recallSchema }) body: z.infer<typeof recallSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST recall', assetId, body];
    return this.answerOnce.run({ principal, key, status: 200, fingerprint }, reply, async (tx) => {
      const { recalledAt, sha256 } = await this.recallAsset.recall(tx, principal, { assetId, ...body });
      const { reason } = body;
      return { assetId: publicId('asset', assetId), sha256, reason, recalledAt: recalledAt.toISOString() };
    });
  }
}
