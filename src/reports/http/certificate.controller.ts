import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { Audited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { SendsBody } from '../../http/conditional.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { MakeCertificate } from '../application/make-certificate.js';

@ApiTags('Reports')
@ApiBearerAuth()
@Controller('v1/assets')
export class CertificateController {
  constructor(private readonly makeCertificate: MakeCertificate) {}

  @Get(':id/certificate')
  @Audited('asset.read')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Certificate of provenance: one page of PDF, made anew from the signed file' })
  async certificate(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('asset')) id: string,
    @SendsBody() sendsBody: boolean,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const pdf = await this.makeCertificate.make({ principal, sendsBody }, id);
    void reply.headers({
      'content-type': 'application/pdf',
      'cache-control': 'private, no-store',
      'content-disposition': `attachment; filename="${publicId('asset', id)}-certificate.pdf"`,
    });
    return pdf;
  }
}
