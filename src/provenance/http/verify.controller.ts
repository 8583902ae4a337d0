import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { Unaudited } from '../../http/audited.js';
import { Public } from '../../http/authentication.guard.js';
import { FormRoute } from '../../http/form-route.js';
import { FormUploads } from '../../http/form-uploads.js';
import { VerifyFile } from '../application/verify-file.js';

@ApiTags('Verification')
@Controller('v1/verify')
export class VerifyController {
  constructor(
    private readonly verifyFile: VerifyFile,
    private readonly uploads: FormUploads,
  ) {}

  @Post()
  @Unaudited(
    "Public: there is nobody to name. It tells what the caller's own file says and, if we signed that very file, where the log says so. It shows nothing of any other file, and the file is not kept.",
  )
  @Public()
  @HttpCode(200)
  @FormRoute(undefined, {
    name: 'manifest',
    description: 'The C2PA manifest store of a file that carries none (application/c2pa). Optional',
  })
  @ApiOperation({
    summary: 'What does this file say, is it intact, do we know it. Public; the file is not kept.',
  })
  async verify(@Req() request: FastifyRequest) {
    return this.uploads.inspect(request, 'manifest', async (path, manifestPath) => {
      const { verification, headline, log } = await this.verifyFile.verify(path, manifestPath);
      return {
        file: {
          sha256: verification.sha256,
          sizeBytes: verification.sizeBytes,
          mediaType: verification.mediaType,
        },
        manifestPlacement: verification.manifestPlacement ?? null,
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
