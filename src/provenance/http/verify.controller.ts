import { Controller, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Unaudited } from '../../http/audited.js';
import { Public } from '../../http/authentication.guard.js';
import { FormRoute } from '../../http/form-route.js';
import { FormUploads } from '../../http/form-uploads.js';
import { VerifyFile } from '../application/verify-file.js';
import { verificationView } from './verification-view.js';

export const CRJSON_MEDIA_TYPE = 'application/crjson+json';
const querySchema = z.strictObject({ format: z.enum(['words', 'crjson']).default('words') });

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
  @FormRoute()
  @ApiQuery({ name: 'format', enum: ['words', 'crjson'], required: false })
  @ApiOperation({
    summary:
      'What does this file say, is it intact and where did it break, who signed it and who trusts them, do we know it. As words, or as crJSON. Public; the file is not kept.',
  })
  async verify(
    @Req() request: FastifyRequest,
    @Query({ schema: querySchema }) { format }: z.infer<typeof querySchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const asCrJson = format === 'crjson' || request.headers.accept === CRJSON_MEDIA_TYPE;
    return this.uploads.inspect(request, async (path) => {
      if (!asCrJson) return verificationView(await this.verifyFile.verify(path));
      const document = await this.verifyFile.crJson(path);
      void reply.type(CRJSON_MEDIA_TYPE);
      return document;
    });
  }
}
