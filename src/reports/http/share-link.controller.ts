import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { PublicAddress } from '../../http/public-address.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { type ListedLink, scopeId, type ShareScope, ShareLinks } from '../application/share-links.js';

const MAX_HOURS = 24 * 90;

const linkSchema = z
  .strictObject({
    assetId: z
      .string()
      .regex(/^ast_[0-9a-f]{32}$/)
      .optional()
      .describe('all finished reports on this asset'),
    reportId: z
      .string()
      .regex(/^rep_[0-9a-f]{32}$/)
      .optional()
      .describe('this report alone'),
    expiresInHours: z
      .int()
      .min(1)
      .max(MAX_HOURS)
      .default(24 * 7),
  })
  .refine(({ assetId, reportId }) => (assetId === undefined) !== (reportId === undefined), {
    message: 'exactly one of assetId and reportId',
  })
  .meta({ id: 'CreateShareLink' });
type LinkBody = z.infer<typeof linkSchema>;

@ApiTags('Reports')
@ApiBearerAuth()
@Controller('v1/share-links')
export class ShareLinkController {
  constructor(
    private readonly links: ShareLinks,
    private readonly address: PublicAddress,
  ) {}

  @Post()
  @Audited('share_link.created')
  @Allow('reports:share')
  @HttpCode(201)
  @ApiOperation({
    summary: 'A link by which somebody outside reads reports for a time. Its secret is shown once',
  })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: linkSchema }) body: LinkBody,
    @Req() request: FastifyRequest,
  ) {
    const { link, token } = await this.links.create(principal, scopeOf(body), body.expiresInHours);
    // Behind "#": no browser sends it to a server, so it stands in no log of a proxy and in no Referer.
    return {
      ...linkView({ link, state: 'open' }),
      url: `${this.address.of(request)}/shared#${token}`,
      token,
    };
  }

  @Get()
  @Unaudited('Ids and times of links: neither a secret nor a byte of a report.')
  @Allow('share_links:end')
  @ApiOperation({
    summary: 'Links, newest first, without their secrets: who made them, and whether they open',
  })
  async list(@CurrentPrincipal() { organizationId }: Principal) {
    return { items: (await this.links.list(organizationId)).map(linkView) };
  }

  @Post(':id/revoke')
  @Audited('share_link.revoked')
  @Allow('share_links:end')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let a link open nothing any more' })
  async revoke(@CurrentPrincipal() principal: Principal, @Param('id', idOf('shareLink')) id: string) {
    return linkView(await this.links.revoke(principal, id));
  }
}

function scopeOf({ assetId, reportId }: LinkBody): ShareScope {
  const asset = assetId === undefined ? undefined : parsePublicId('asset', assetId);
  if (asset !== undefined) return { assetId: asset };
  const report = reportId === undefined ? undefined : parsePublicId('report', reportId);
  if (report !== undefined) return { reportId: report };
  throw new ColophonError('not_found', 'There is no asset or report with this id.');
}

function linkView({ link, state }: ListedLink) {
  return {
    id: publicId('shareLink', link.id),
    opens: scopeId(link),
    state,
    createdBy: publicId('principal', link.createdBy),
    expiresAt: link.expiresAt.toISOString(),
    revokedAt: link.revokedAt?.toISOString() ?? null,
    createdAt: link.createdAt.toISOString(),
  };
}
