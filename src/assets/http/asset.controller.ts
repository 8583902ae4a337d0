import { Controller, Get, Headers, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { Idempotency } from '../../http/idempotency.js';
import { withUploadedFile } from '../../http/multipart-form.js';
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
import { MediaVerifierToken } from '../../provenance/domain/media-verifier.port.js';
import { ColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { AssetRepository } from '../adapters/asset.repository.js';
import { AssetIntake } from '../application/asset-intake.js';
import { ReadAsset } from '../application/read-asset.js';
import { receiveFile } from '../application/receive-file.js';
import { UploadAsset } from '../application/upload-asset.js';
import { assetView } from './asset-view.js';

const declarationSchema = z
  .strictObject({
    projectId: z.string().regex(/^prj_[0-9a-f]{32}$/, 'a project id such as prj_018f...'),
    rights: lineageInputSchema.omit({ assetId: true }),
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
    private readonly intake: AssetIntake,
    private readonly verifier: MediaVerifierToken,
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Allow('assets:upload')
  @ApiConsumes('multipart/form-data')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiBody({
    schema: {
      type: 'object',
      required: ['file', 'declaration'],
      properties: {
        file: { type: 'string', format: 'binary' },
        declaration: {
          type: 'string',
          description: 'JSON: projectId and rights (basis, aiInput, allowedUses, territory, expiresAt)',
        },
      },
    },
  })
  @ApiOperation({ summary: 'Upload a picture with a rights declaration' })
  async upload(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { store, probe, maxBytes } = this.intake;
    const field = { name: 'declaration', schema: declarationSchema };
    const answer = await withUploadedFile(request, store, { maxBytes, field }, async ({ file, fields }) => {
      const projectId = parsePublicId('project', fields.projectId) ?? '';
      const received = await receiveFile(probe, file);
      const fingerprint = ['POST /v1/assets', received.sha256, JSON.stringify(fields)];
      return this.idempotency.run({ principal, key, fingerprint }, async (idempotent) => {
        const asset = await this.uploadAsset.upload(
          principal,
          { projectId, rights: fields.rights, file: received },
          (tx, recorded) => idempotent.complete(tx, { status: 201, body: assetView(recorded) }),
        );
        return { status: 201, body: assetView(asset) };
      });
    });
    void reply.status(answer.status);
    return answer.body;
  }

  @Get()
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
  @Allow('organization:read')
  @ApiOperation({ summary: 'An asset with its parents' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('asset')) id: string) {
    return assetView(await this.readAsset.get(organizationId, id));
  }

  @Get(':id/content')
  @Allow('organization:read')
  @ApiOperation({ summary: 'The signed file' })
  async content(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('asset')) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { asset, body } = await this.readAsset.content(organizationId, id);
    await reply
      .headers({
        'content-type': asset.mediaType,
        'content-length': String(asset.sizeBytes),
        // The name is ours, and the bytes are never shown as a page of this origin.
        'content-disposition': `attachment; filename="${publicId('asset', asset.id)}.${extensionOf(asset.mediaType)}"`,
        'cache-control': 'private, no-store',
        etag: `"${asset.sha256}"`,
      })
      .send(body);
  }

  @Get(':id/manifest')
  @Allow('organization:read')
  @ApiOperation({ summary: 'What the manifest of the signed file says, read back now' })
  async manifest(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('asset')) id: string) {
    const asset = await this.readAsset.get(organizationId, id);
    const path = await this.intake.store.localPath(organizationId, asset.sha256);
    return this.verifier.verify({ path, mediaType: asset.mediaType });
  }

  @Get(':id/lineage')
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
