import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { decodeCursor, pageQuerySchema, toPage, UUID_SORT_KEY } from '../../http/pagination.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ListReviewQueue } from '../application/list-review-queue.js';
import { RISKS } from '../domain/review/checklist.js';
import { idIn } from './contribution.schemas.js';
import { countView, queuedView } from './review-view.js';

const queueSchema = pageQuerySchema.extend({
  useCaseId: z
    .string()
    .regex(/^use_[0-9a-f]{32}$/, 'a use case id such as use_018f...')
    .optional(),
  risk: z.enum(RISKS).optional(),
});

@ApiTags('Review and release')
@ApiBearerAuth()
@Controller('v1/reviews')
export class ReviewQueueController {
  constructor(
    private readonly queue: ListReviewQueue,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get()
  @Unaudited('Names of assets that wait for a review, and how many there are. No byte of a file.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Assets that wait for a review, oldest first, and how many by use case and risk' })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: queueSchema }) query: z.infer<typeof queueSchema>,
  ) {
    const filter = {
      useCaseId: query.useCaseId === undefined ? undefined : idIn('useCase', query.useCaseId),
      risk: query.risk,
    };
    const page = { after: decodeCursor(query.cursor, UUID_SORT_KEY), limit: query.limit + 1 };
    const { rows, counts } = await this.organizationTx.run(principal.organizationId, async (tx) => ({
      rows: await this.queue.list(tx, principal, filter, page),
      counts: await this.queue.counts(tx, principal),
    }));
    return {
      ...toPage(rows, query.limit, ({ assetId }) => assetId, queuedView),
      counts: counts.map(countView),
    };
  }
}
