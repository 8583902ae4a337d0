import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { ReadAsset } from '../../assets/application/read-asset.js';
import { Audited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { SendsBody } from '../../http/conditional.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { VerifyFile } from '../application/verify-file.js';
import { verificationView } from './verification-view.js';
import { CRJSON_MEDIA_TYPE } from './verify.controller.js';

/** What verification says about an asset, for its organization: the same answer as for a stranger's file. */
@ApiTags('Verification')
@ApiBearerAuth()
@Controller('v1/assets')
export class AssetVerificationController {
  constructor(
    private readonly readAsset: ReadAsset,
    private readonly verifyFile: VerifyFile,
  ) {}

  @Get(':id/verification')
  @Audited('asset.read')
  @Allow('organization:read')
  @ApiOperation({ summary: 'The signed file as verification finds it now: the answer of POST /v1/verify' })
  async verification(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) id: string,
    @SendsBody() sendsBody: boolean,
  ) {
    return this.readAsset.inspect({ principal, sendsBody }, id, 'manifest', async (file) =>
      verificationView(await this.verifyFile.verify(file.path, file)),
    );
  }

  @Get(':id/manifest/crjson')
  @Audited('asset.read')
  @Allow('organization:read')
  @ApiOperation({ summary: 'The manifest store of the signed file as crJSON' })
  async crJson(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) id: string,
    @SendsBody() sendsBody: boolean,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const document = await this.readAsset.inspect({ principal, sendsBody }, id, 'manifest', ({ path }) =>
      this.verifyFile.crJson(path),
    );
    void reply.type(CRJSON_MEDIA_TYPE);
    return document;
  }

  @Get(':id/manifest/store')
  @Audited('asset.read')
  @Allow('organization:read')
  @ApiOperation({
    summary: 'The manifest store of the signed file as it is embedded, or lies beside it (application/c2pa)',
  })
  async store(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) id: string,
    @SendsBody() sendsBody: boolean,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const store = await this.readAsset.inspect({ principal, sendsBody }, id, 'manifest', (file) =>
      this.verifyFile.manifestStore(file.path, file.manifestPath),
    );
    void reply.headers({
      'content-type': 'application/c2pa',
      'content-disposition': `attachment; filename="${publicId('asset', id)}.c2pa"`,
    });
    return store;
  }
}
