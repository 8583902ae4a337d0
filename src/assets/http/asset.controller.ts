import { Controller, Get, Headers, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type IncomingHttpHeaders } from 'node:http';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { SendsBody } from '../../http/conditional.js';
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
import { MANIFEST_STORE_MEDIA_TYPE } from '../../provenance/domain/media-types.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId } from '../../shared/ids.js';
import { AssetRepository } from '../adapters/asset.repository.js';
import { ReadAsset, type Sidecar } from '../application/read-asset.js';
import { ReleaseStandings } from '../application/release-standings.js';
import { UploadAsset } from '../application/upload-asset.js';
import { type Asset } from '../domain/asset.js';
import { rightsDeclarationSchema } from '../domain/rights-declaration.js';
import { assetView } from './asset-view.js';
import { attachment, sendContent } from './send-content.js';

const declarationSchema = z
  .strictObject({
    projectId: z.string().regex(/^prj_[0-9a-f]{32}$/, 'a project id such as prj_018f...'),
    rights: rightsDeclarationSchema,
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
    private readonly releases: ReleaseStandings,
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
  @ApiOperation({
    summary: 'Upload a media file with a rights declaration: picture, film, sound, 3D model or text',
  })
  async upload(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const route = ['POST /v1/assets'];
    const field = { name: 'declaration', schema: declarationSchema };
    return this.uploads.create(
      { principal, key, request, reply, route, field, view: (asset: Asset) => assetView(asset) },
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
    const view = await this.viewOf(organizationId, rows);
    return toPage(rows, query.limit, ({ id }) => id, view);
  }

  @Get(':id')
  @Unaudited('Name, size, hashes and declared rights of an asset: no byte of the file.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'An asset with its parents' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('asset')) id: string) {
    const asset = await this.readAsset.get(organizationId, id);
    return (await this.viewOf(organizationId, [asset]))(asset);
  }

  @Get(':id/content')
  @Audited('asset.read')
  @Allow('organization:read')
  @ApiHeader({ name: 'Range', required: false, description: 'One range of bytes, e.g. bytes=0-1023' })
  @ApiOperation({ summary: 'The signed file, or a part of it. Who reads it is written into the log first' })
  async content(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) id: string,
    @Headers() headers: IncomingHttpHeaders,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendContent(this.readAsset, { principal, sendsBody }, id, headers, reply);
  }

  @Get(':id/manifest')
  @Audited('asset.read')
  @Allow('organization:read')
  @ApiOperation({
    summary: 'What the manifest of the signed file says, read back now; or the manifest itself',
    description:
      'JSON. Where the manifest is a file of its own (manifestPlacement is sidecar), it is sent as application/c2pa unless JSON is asked for: that is how validators fetch it (C2PA, discovery by the Link header of the content)',
  })
  async manifest(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) id: string,
    @Headers('accept') accept: string | undefined,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const reader = { principal, sendsBody };
    const wantsStore = accept?.includes(MANIFEST_STORE_MEDIA_TYPE) === true;
    const wantsJson = !wantsStore && accept?.includes('application/json') === true;
    const sidecar = wantsJson ? undefined : await this.readAsset.sidecar(reader, id);
    if (sidecar) return reply.headers(sidecarHeaders(sidecar)).send(sidecar.body);
    if (wantsStore) throw new ColophonError('not_found', 'The manifest of this asset is inside of its file.');
    await reply.send(await this.readAsset.manifest(reader, id));
  }

  @Get(':id/lineage')
  @Unaudited('Names, sizes, hashes and declared rights of assets: no byte of a file.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'The asset and everything it descends from' })
  async lineage(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('asset')) id: string) {
    const lineage = await this.readAsset.lineage(organizationId, id);
    return { items: lineage.map(await this.viewOf(organizationId, lineage)) };
  }

  /** With what was decided and removed since the assets were made. */
  private async viewOf(
    organizationId: string,
    assets: readonly Asset[],
  ): Promise<(asset: Asset) => ReturnType<typeof assetView>> {
    const ids = assets.map(({ id }) => id);
    const releases = await this.organizationTx.run(organizationId, (tx) => this.releases.of(tx, ids));
    const removals = await this.readAsset.removals(organizationId, ids);
    return (asset) => assetView(asset, releases.get(asset.id), removals.get(asset.id));
  }
}

function sidecarHeaders({ asset, sizeBytes }: Sidecar): Record<string, string> {
  return {
    'cache-control': 'private, no-store',
    'content-type': MANIFEST_STORE_MEDIA_TYPE,
    'content-length': String(sizeBytes),
    ...attachment(asset, 'c2pa'),
  };
}
