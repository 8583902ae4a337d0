import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AssetIntake } from '../../assets/application/asset-intake.js';
import { Public } from '../../http/authentication.guard.js';
import { withUploadedFile } from '../../http/multipart-form.js';
import { VerifyFile } from '../application/verify-file.js';

@ApiTags('Verification')
@Controller('v1/verify')
export class VerifyController {
  constructor(
    private readonly verifyFile: VerifyFile,
    private readonly intake: AssetIntake,
  ) {}

  @Post()
  @Public()
  @HttpCode(200)
  @ApiConsumes('multipart/form-data')
  @ApiBody({
    schema: {
      type: 'object',
      required: ['file'],
      properties: { file: { type: 'string', format: 'binary' } },
    },
  })
  @ApiOperation({
    summary: 'What does this file say, is it intact, do we know it. Public; the file is not kept.',
  })
  async verify(@Req() request: FastifyRequest) {
    const { store, maxBytes } = this.intake;
    return withUploadedFile<z.ZodUndefined, unknown>(request, store, { maxBytes }, async ({ file }) => {
      const { verification, headline, log } = await this.verifyFile.verify(file.path);
      return {
        file: {
          sha256: verification.sha256,
          sizeBytes: verification.sizeBytes,
          mediaType: verification.mediaType,
        },
        verdict: verification.verdict,
        headline,
        sentences: verification.sentences,
        trustedBy: verification.trustedBy ?? null,
        brokenIngredient: verification.brokenIngredient,
        log: { origin: null, entryIndex: null, ...log },
        chain: verification.chain ?? null,
        statuses: verification.statuses,
      };
    });
  }
}
