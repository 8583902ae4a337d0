import { Body, Controller, Get, Headers, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { type z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { AnswerOnce } from '../../http/answer-once.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { OrderStoryboard, type StoryboardVersion } from '../application/order-storyboard.js';
import { idIn, storyboardSchema } from './contribution.schemas.js';

@ApiTags('Human work')
@ApiBearerAuth()
@Controller('v1/storyboards')
export class StoryboardController {
  constructor(
    private readonly orderStoryboard: OrderStoryboard,
    private readonly organizationTx: OrganizationTx,
    private readonly answerOnce: AnswerOnce,
  ) {}

  @Post()
  @Audited('storyboard.ordered')
  @Allow('contributions:create')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'Assets in an order; who put them so, and why, is recorded' })
  create(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: storyboardSchema }) body: z.infer<typeof storyboardSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return this.order(principal, key, undefined, body, reply);
  }

  @Post(':id/orders')
  @Audited('storyboard.ordered')
  @Allow('contributions:create')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'Another order: a new version; the ones before stay' })
  reorder(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('storyboard')) id: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: storyboardSchema }) body: z.infer<typeof storyboardSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return this.order(principal, key, id, body, reply);
  }

  @Get(':id')
  @Unaudited('Ids of assets in their order, who ordered them and when. The reasons are sealed and not shown.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'All versions of a storyboard, oldest first' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('storyboard')) id: string) {
    const versions = await this.organizationTx.run(organizationId, (tx) =>
      this.orderStoryboard.versions(tx, id),
    );
    return { id: publicId('storyboard', id), versions: versions.map(versionView) };
  }

  private order(
    principal: Principal,
    key: string | undefined,
    id: string | undefined,
    body: z.infer<typeof storyboardSchema>,
    reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST storyboards', id ?? null, body];
    return this.answerOnce.run({ principal, key, status: 201, fingerprint }, reply, async (tx) => {
      // Before anything else: an id that is not there is 404, whatever the rest of the request says.
      if (id !== undefined) await this.orderStoryboard.versions(tx, id);
      const assetIds = body.assetIds.map((assetId) => idIn('asset', assetId));
      const { rationale } = body;
      return versionView(await this.orderStoryboard.order(tx, principal, { id, assetIds, rationale }));
    });
  }
}

function versionView(version: StoryboardVersion) {
  return {
    id: publicId('storyboard', version.id),
    version: version.version,
    projectId: publicId('project', version.projectId),
    assetIds: version.assetIds.map((id) => publicId('asset', id)),
    orderedBy: publicId('principal', version.orderedBy),
    entryId: publicId('entry', version.entryId),
    createdAt: version.createdAt.toISOString(),
  };
}
