import { Body, Controller, Get, Header, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { type z } from 'zod';
import { AssetIntake } from '../../assets/application/asset-intake.js';
import { FINGERPRINT_ALGORITHM } from '../../assets/domain/picture-fingerprint.js';
import { Unaudited } from '../../http/audited.js';
import { OptionalPrincipal, PublicOrKey } from '../../http/authentication.guard.js';
import { RawFileRoute, withRawFile } from '../../http/raw-file.js';
import { invalidRequest } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { FetchReference } from '../application/fetch-reference.js';
import { FindSimilarPictures } from '../application/find-similar-pictures.js';
import { FingerprintFile } from '../application/fingerprint-file.js';
import { IsccFormatError } from '../domain/iscc/iscc-unit.js';
import { imageCodeInValue, MAX_VALUE_LENGTH } from '../domain/soft-binding-value.js';
import {
  bindingBodySchema,
  byBindingQuerySchema,
  byContentQuerySchema,
  maxResultsQuerySchema,
  referenceBodySchema,
} from './sbr-schemas.js';

const SHOWN =
  'Tells ids of manifests that are public, and of their own to whoever sends a key: no byte of a file or manifest. What was asked is not kept.';

/** Queries of the C2PA Soft Binding Resolution API: which manifests belong to pictures that look like this one? */
@ApiTags('Soft binding resolution')
@Controller('sbr/matches')
export class SbrMatchesController {
  constructor(
    private readonly similarPictures: FindSimilarPictures,
    private readonly fingerprintFile: FingerprintFile,
    private readonly reference: FetchReference,
    private readonly intake: AssetIntake,
  ) {}

  @Get('byBinding')
  @Unaudited(SHOWN)
  @PublicOrKey()
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Manifests by a soft binding value (io.iscc.v0). Public' })
  async byBinding(
    @Query({ schema: byBindingQuerySchema }) query: z.infer<typeof byBindingQuerySchema>,
    @OptionalPrincipal() principal: Principal | undefined,
  ) {
    if (query.value.length > MAX_VALUE_LENGTH)
      throw new ColophonError(
        'query_too_long',
        `A value has at most ${String(MAX_VALUE_LENGTH)} characters.`,
      );
    return this.matching(codesInBinding(query.alg, query.value), principal, query.maxResults);
  }

  @Post('byBinding')
  @Unaudited(SHOWN)
  @PublicOrKey()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'The same for a value that is too long for an address. Public' })
  async byLargeBinding(
    @Query({ schema: maxResultsQuerySchema }) { maxResults }: z.infer<typeof maxResultsQuerySchema>,
    @Body({ schema: bindingBodySchema }) { alg, value }: z.infer<typeof bindingBodySchema>,
    @OptionalPrincipal() principal: Principal | undefined,
  ) {
    return this.matching(codesInBinding(alg, value), principal, maxResults);
  }

  @Post('byContent')
  @Unaudited(SHOWN)
  @PublicOrKey()
  @HttpCode(200)
  @RawFileRoute()
  @Header('cache-control', 'no-store')
  @ApiConsumes('image/*')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiOperation({ summary: 'Manifests by a picture, which is not kept. Public' })
  async byContent(
    @Query({ schema: byContentQuerySchema }) query: z.infer<typeof byContentQuerySchema>,
    @Req() request: FastifyRequest,
    @OptionalPrincipal() principal: Principal | undefined,
  ) {
    requireKnownAlgorithm(query.alg);
    const { store, maxBytes } = this.intake;
    const codes = await withRawFile(request, store, maxBytes, (path) => this.codesOf(path, query));
    return this.matching(codes, principal, query.maxResults);
  }

  @Post('byReference')
  @Unaudited(SHOWN)
  @PublicOrKey()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Manifests by the address of a picture, where the operator allows it. Public' })
  async byReference(
    @Query({ schema: byContentQuerySchema }) query: z.infer<typeof byContentQuerySchema>,
    @Body({ schema: referenceBodySchema }) body: z.infer<typeof referenceBodySchema>,
    @OptionalPrincipal() principal: Principal | undefined,
  ) {
    requireKnownAlgorithm(query.alg);
    if (body.region !== undefined)
      throw invalidRequest([{ path: 'region', message: 'only whole pictures are compared here' }]);
    const { store } = this.intake;
    const path = await store.stage();
    try {
      await this.reference.fetch({ url: body.referenceUrl, lengthBytes: body.assetLength }, path);
      return await this.matching(await this.codesOf(path, query), principal, query.maxResults);
    } finally {
      await store.discard(path);
    }
  }

  /** A hint counts only where nothing can be made of the file itself. */
  private async codesOf(
    path: string,
    { hintAlg, hintValue }: z.infer<typeof byContentQuerySchema>,
  ): Promise<Uint8Array[]> {
    try {
      return await this.fingerprintFile.of(path);
    } catch (error) {
      const isUsable = hintAlg === FINGERPRINT_ALGORITHM && hintValue !== undefined;
      if (isUsable && isColophonError(error) && error.status < 500) return codesInBinding(hintAlg, hintValue);
      throw error;
    }
  }

  private async matching(
    codes: readonly Uint8Array[],
    principal: Principal | undefined,
    maxResults: number,
  ): Promise<{ matches: { manifestId: string; similarityScore: number }[] }> {
    const found = await this.similarPictures.find(codes, principal, maxResults);
    return {
      matches: found.map(({ manifestLabel, similarityScore }) => ({
        manifestId: manifestLabel,
        similarityScore,
      })),
    };
  }
}

/** None where the value is about something else than a picture. */
function codesInBinding(algorithm: string, value: string): Uint8Array[] {
  requireKnownAlgorithm(algorithm);
  try {
    const code = imageCodeInValue(value);
    return code === undefined ? [] : [code];
  } catch (error) {
    if (error instanceof IsccFormatError) throw invalidRequest([{ path: 'value', message: error.message }]);
    throw error;
  }
}

function requireKnownAlgorithm(algorithm: string | undefined): void {
  if (algorithm === undefined || algorithm === FINGERPRINT_ALGORITHM) return;
  throw invalidRequest([{ path: 'alg', message: `only ${FINGERPRINT_ALGORITHM} is known here` }]);
}
