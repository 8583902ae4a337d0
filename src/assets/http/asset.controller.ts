import { Controller, Get, Headers, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { isHeldAlready, SendsBody } from '../../http/conditional.js';
import { FormRoute } from '../../http/form-route.js';
import { FormUploads } from '../../http/form-uploads.js';
import {
  decodeCursor,
  type PageQuery,
  pageQuerySchema,
  toPage,
  UUID_SORT_KEY,
} from '../../http/pagination.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { lineageInputSchema } from '../../licenses/domain/lineage.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { AssetRepository } from '../adapters/asset.repository.js';
import { ReadAsset } from '../application/read-asset.js';
import { UploadAsset } from '../application/upload-asset.js';
import { assetView } from './asset-view.js';

const declarationSchema = z
  .strictObject({
    projectId: z.string().regex(/^prj_[0-9a-f]{32}$/, 'a project id such as prj_018f...'),
    rights: lineageInputSchema.omit({ assetId: true, fileSignals: true, unreadPlaces: true, goesInto: true }),
  })
  .meta({ id: 'AssetDeclaration' });

@ApiTags('Assets')
@ApiBearerAuth()
@Controller('v1/assets')
export class AssetController {
  constructor(
    private readonly uploadAsset: UploadAsset,
    private readonly readAsset: ReadAsset,
    private readonly assets: AssetRepository,
    private readonly organizationTx: OrganizationTx,
    private readonly uploads: FormUploads,
  ) {}

  @Post()
  @Audited('asset.received', 'asset.signed')
  @Allow('assets:upload')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @FormRoute({
    name: 'declaration',
    description:
      'JSON: projectId, and rights: rightsBasis, allowedUses (purposes), aiInput (yes, no, unknown), territory (countries ' +
      'or worldwide), expiresAt (last day, null, unknown), showsPeople (yes, no, unknown), releases of persons shown (reference, coversAiAlteration, ' +
      'expiresAt, territory), permissionReference. What the file itself reserves is read from it and holds whatever is declared',
  })
  @ApiOperation({ summary: 'Upload a picture with a rights declaration' })
  async upload(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const route = ['POST /v1/assets'];
    const field = { name: 'declaration', schema: declarationSchema };
    return this.uploads.create(
      { principal, key, request, reply, route, field, view: assetView },
      ({ file, fields }, completed) => {
        const projectId = parsePublicId('project', fields.projectId) ?? '';
        return this.uploadAsset.upload(principal, { projectId, rights: fields.rights, file }, completed);
      },
    );
  }

  @Get()
  @Unaudited('Names, sizes, hashes and declared rights of assets: no byte of a file.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Assets, newest first' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: pageQuerySchema }) query: PageQuery,
  ) {
    const before = decodeCursor(query.cursor, UUID_SORT_KEY);
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      this.assets.list(tx, query.limit + 1, before),
    );
    return toPage(rows, query.limit, ({ id }) => id, assetView);
  }

  @Get(':id')
  @Unaudited('Name, size, hashes and declared rights of an asset: no byte of the file.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'An asset with its parents' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('asset')) id: string) {
    return assetView(await this.readAsset.get(organizationId, id));
  }

  @Get(':id/content')
  @Audited('asset.read')
  @Allow('organization:read')
  @ApiOperation({ summary: 'The signed file. Who reads it is written into the log first' })
  async content(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) id: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { asset, body } = await this.readAsset.content({ principal, sendsBody }, id, (sha256) =>
      isHeldAlready(ifNoneMatch, `"${sha256}"`),
    );
    void reply.headers({ 'cache-control': 'private, no-store', etag: `"${asset.sha256}"` });
    if (body === undefined) return reply.status(304).send();
    await reply
      .headers({
        'content-type': asset.mediaType,
        'content-length': String(asset.sizeBytes),
        'accept-ranges': 'none',
        // The name is ours, and the bytes are never shown as a page of this origin.
        'content-disposition': `attachment; filename="${publicId('asset', asset.id)}.${extensionOf(asset.mediaType)}"`,
      })
      .send(body);
  }

  @Get(':id/manifest')
  @Audited('asset.read')
  @Allow('organization:read')
  @ApiOperation({ summary: 'What the manifest of the signed file says, read back now' })
  async manifest(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) id: string,
    @SendsBody() sendsBody: boolean,
  ) {
    return this.readAsset.manifest({ principal, sendsBody }, id);
  }

  @Get(':id/lineage')
  @Unaudited('Names, sizes, hashes and declared rights of assets: no byte of a file.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'The asset and everything it descends from' })
  async lineage(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('asset')) id: string) {
    return { items: (await this.readAsset.lineage(organizationId, id)).map(assetView) };
  }
}

export function extensionOf(mediaType: string): string {
  const extension = /^image\/(jpeg|png|webp|avif|tiff|gif)$/.exec(mediaType)?.[1];
  if (extension === undefined)
    throw new ColophonError('internal', 'The asset has a media type that cannot be served.');
  return extension === 'jpeg' ? 'jpg' : extension;
}
