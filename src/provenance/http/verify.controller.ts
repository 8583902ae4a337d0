import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { Unaudited } from '../../http/audited.js';
import { OptionalPrincipal, PublicOrKey } from '../../http/authentication.guard.js';
import { FormRoute } from '../../http/form-route.js';
import { FormUploads } from '../../http/form-uploads.js';
import { VerifyFile } from '../application/verify-file.js';
import { FindSimilar, type SimilarManifest } from '../domain/find-similar.port.js';

@ApiTags('Verification')
@Controller('v1/verify')
export class VerifyController {
  constructor(
    private readonly verifyFile: VerifyFile,
    private readonly uploads: FormUploads,
    private readonly findSimilar: FindSimilar,
  ) {}

  @Post()
  @Unaudited(
    "Public: there is nobody to name. It tells what the caller's own file says and, if we signed that very file, where the log says so. Of a file without a manifest it tells which public ones look similar, and the caller's own where a key is sent: ids, no byte of a file. The file is not kept.",
  )
  @PublicOrKey()
  @HttpCode(200)
  @FormRoute()
  @ApiOperation({
    summary: 'What does this file say, is it intact, do we know it. Public; the file is not kept.',
  })
  async verify(
    @Req() request: FastifyRequest,
    @OptionalPrincipal() viewer: { readonly organizationId: string } | undefined,
  ) {
    return this.uploads.inspect(request, async (path) => {
      const { verification, headline, log } = await this.verifyFile.verify(path);
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
        similar: similarAnswer(
          verification.verdict === 'none' ? await this.findSimilar.to(path, viewer) : 'not_asked',
        ),
      };
    });
  }
}

/** Words matter here: likeness is a hint where to look, and proves nothing about this file. */
function similarAnswer(found: readonly SimilarManifest[] | undefined | 'not_asked') {
  if (found === 'not_asked')
    return { text: 'The file carries a manifest, so nothing was compared.', items: [] };
  if (found === undefined) return { text: 'The picture could not be compared with others.', items: [] };
  if (found.length === 0)
    return { text: 'This installation shows no manifest of a picture that looks similar.', items: [] };
  return {
    text: 'This installation signed pictures that look similar. Similar is not the same: compare them yourself before you conclude anything about this file.',
    items: found,
  };
}
