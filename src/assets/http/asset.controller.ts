import { Controller, Get, Headers, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type IncomingHttpHeaders } from 'node:http';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { type RequestedRange, requestedRange } from '../../http/byte-range.js';
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
import {
  fileExtensionOf,
  MANIFEST_STORE_MEDIA_TYPE,
  signableMediaType,
} from '../../provenance/domain/media-types.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { AssetRepository } from '../adapters/asset.repository.js';
import { ReadAsset, type Sidecar } from '../application/read-asset.js';
import { UploadAsset } from '../application/upload-asset.js';
import { type Asset } from '../domain/asset.js';
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
  @ApiHeader({ name: 'Range', required: false, description: 'One range of bytes, e.g. bytes=0-1023' })
  @ApiOperation({ summary: 'The signed file, or a part of it. Who reads it is written into the log first' })
  async content(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) id: string,
    @Headers() headers: IncomingHttpHeaders,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { asset, body, range } = await this.readAsset.content({ principal, sendsBody }, id, {
      isHeld: (sha256) => isHeldAlready(headers['if-none-match'], `"${sha256}"`),
      rangeOf: ({ sha256, sizeBytes }) => {
        // Stays when the range is refused: then it says how much there is (RFC 9110 section 14.4).
        void reply.header('content-range', `bytes */${sizeBytes}`);
        const asked = { range: headers.range, ifRange: headers['if-range'] as string | undefined };
        return requestedRange(asked, `"${sha256}"`, sizeBytes);
      },
    });
    void reply.removeHeader('content-range').headers({
      'cache-control': 'private, no-store',
      etag: `"${asset.sha256}"`,
      ...linkToManifest(asset),
    });
    if (body === undefined) return reply.status(304).send();
    await reply
      .status(range ? 206 : 200)
      .headers(contentHeaders(asset, range))
      .send(body);
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
    return { items: (await this.readAsset.lineage(organizationId, id)).map(assetView) };
  }
}

/** C2PA 2.4 section 11.4: how a validator finds a manifest that is not in the file. */
function linkToManifest({ id, manifestPlacement }: Asset): Record<string, string> {
  if (manifestPlacement === 'embedded') return {};
  return { link: `</v1/assets/${publicId('asset', id)}/manifest>; rel="c2pa-manifest"` };
}

/** Bytes of strangers are never shown as a page of this origin, whatever they are: always a download, and no type but ours. */
function contentHeaders(asset: Asset, range: RequestedRange | undefined): Record<string, string> {
  const { sizeBytes, mediaType } = asset;
  const sentBytes = range ? range.last - range.first + 1 : sizeBytes;
  return {
    'content-type': mediaType === 'text/plain' ? 'text/plain; charset=utf-8' : mediaType,
    'content-length': String(sentBytes),
    'accept-ranges': 'bytes',
    'content-security-policy': "default-src 'none'; sandbox",
    ...attachment(asset, fileExtension(mediaType)),
    ...(range && { 'content-range': `bytes ${range.first}-${range.last}/${sizeBytes}` }),
  };
}

function sidecarHeaders({ asset, sizeBytes }: Sidecar): Record<string, string> {
  return {
    'cache-control': 'private, no-store',
    'content-type': MANIFEST_STORE_MEDIA_TYPE,
    'content-length': String(sizeBytes),
    ...attachment(asset, 'c2pa'),
  };
}

/** RFC 6266. The name is ours: an id and an extension, in ASCII. */
function attachment({ id }: Asset, extension: string): Record<string, string> {
  return { 'content-disposition': `attachment; filename="${publicId('asset', id)}.${extension}"` };
}

function fileExtension(mediaType: string): string {
  const signable = signableMediaType(mediaType);
  if (signable !== undefined) return fileExtensionOf(signable);
  throw new ColophonError('internal', 'The asset has a media type that cannot be served.');
}
