import { Controller, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Unaudited } from '../../http/audited.js';
import { OptionalPrincipal, PublicOrKey } from '../../http/authentication.guard.js';
import { FormRoute } from '../../http/form-route.js';
import { FormUploads } from '../../http/form-uploads.js';
import { VerifyFile } from '../application/verify-file.js';
import { FindSimilar, type SimilarManifest } from '../domain/find-similar.port.js';
import { verificationView } from './verification-view.js';

export const CRJSON_MEDIA_TYPE = 'application/crjson+json';
const querySchema = z.strictObject({ format: z.enum(['words', 'crjson']).default('words') });

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
  @FormRoute(undefined, {
    name: 'manifest',
    description: 'The C2PA manifest store of a file that carries none (application/c2pa). Optional',
  })
  @ApiQuery({ name: 'format', enum: ['words', 'crjson'], required: false })
  @ApiOperation({
    summary:
      'What does this file say, is it intact and where did it break, who signed it and who trusts them, do we know it. As words, or as crJSON. Public; the file is not kept.',
  })
  async verify(
    @Req() request: FastifyRequest,
    @Query({ schema: querySchema }) { format }: z.infer<typeof querySchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
    @OptionalPrincipal() viewer: { readonly organizationId: string } | undefined,
  ): Promise<unknown> {
    const asCrJson = format === 'crjson' || request.headers.accept === CRJSON_MEDIA_TYPE;
    return this.uploads.inspect(request, 'manifest', async (path, manifestPath) => {
      if (!asCrJson) return this.inWords(path, manifestPath, viewer);
      const document = await this.verifyFile.crJson(path);
      void reply.type(CRJSON_MEDIA_TYPE);
      return document;
    });
  }

  private async inWords(
    path: string,
    manifestPath: string | undefined,
    viewer: { readonly organizationId: string } | undefined,
  ) {
    const found = await this.verifyFile.verify(path, { manifestPath });
    const isStripped = found.verification.verdict === 'none';
    const similar = isStripped ? await this.findSimilar.to(path, viewer) : 'not_asked';
    return { ...verificationView(found), similar: similarAnswer(similar) };
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
