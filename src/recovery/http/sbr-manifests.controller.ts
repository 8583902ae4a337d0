import { Body, Controller, Get, Header, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type z } from 'zod';
import { Audited, Unaudited } from '../../http/audited.js';
import { OptionalPrincipal, PublicOrKey } from '../../http/authentication.guard.js';
import { SendsBody } from '../../http/conditional.js';
import { invalidRequest } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ManifestReceipts } from '../application/manifest-receipts.js';
import { RecoverableManifests } from '../application/recoverable-manifests.js';
import { receiptSchema, type SuppliedReceipt } from '../domain/manifest-receipt.js';
import { PublicAddress } from '../../http/public-address.js';
import { manifestQuerySchema } from './sbr-schemas.js';

/** Characters of a URN (RFC 8141). Labels here are `urn:c2pa:...`; any other one is simply unknown. */
const MANIFEST_ID = /^[A-Za-z0-9()+,\-.:=@;$_!*'%/?#]{1,200}$/;

/** Fetching of the C2PA Soft Binding Resolution API: manifest stores, and receipts that they were recorded. */
@ApiTags('Soft binding resolution')
@Controller('sbr/manifests')
export class SbrManifestsController {
  constructor(
    private readonly manifests: RecoverableManifests,
    private readonly receipts: ManifestReceipts,
    private readonly address: PublicAddress,
  ) {}

  @Get(':manifestId')
  @Audited('asset.read')
  @PublicOrKey()
  @ApiOperation({
    summary:
      'The manifest store of a released asset, for everybody, and of any own asset with a key. Reading with a key of the owner is written into the log first',
  })
  async manifest(
    @Param('manifestId') manifestId: string,
    @Query({ schema: manifestQuerySchema }) { returnActiveManifest }: z.infer<typeof manifestQuerySchema>,
    @OptionalPrincipal() principal: Principal | undefined,
    @SendsBody() sendsBody: boolean,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireId(manifestId);
    const bytes = await this.manifests.read(manifestId, {
      principal,
      activeOnly: returnActiveManifest,
      sendsBody,
    });
    await reply
      .headers({
        'content-type': 'application/c2pa',
        'content-length': String(bytes.length),
        // What is public today may not be so tomorrow.
        'cache-control': principal === undefined ? 'public, max-age=60' : 'private, no-store',
        vary: 'authorization, x-api-key, x-goog-api-key',
        'content-disposition': 'attachment; filename="manifest.c2pa"',
      })
      .send(bytes);
  }

  @Get(':manifestId/receipts')
  @Unaudited(
    'Shows that a manifest was recorded: its log entry, which holds ids and hashes, and the proof of its place. Only of what is public, and of their own to whoever sends a key.',
  )
  @PublicOrKey()
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'The receipt of a manifest, anchored in the log. Public like the manifest' })
  async receipt(
    @Param('manifestId') manifestId: string,
    @OptionalPrincipal() principal: Principal | undefined,
    @Req() request: FastifyRequest,
  ) {
    requireId(manifestId);
    return this.receipts.of(manifestId, principal, this.address.of(request));
  }

  @Post(':manifestId/receipts')
  @Unaudited('Checks a receipt that the caller holds already. Nothing is kept.')
  @PublicOrKey()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Does this receipt prove that the manifest was recorded here?' })
  async verifyReceipt(
    @Param('manifestId') manifestId: string,
    @Body({ schema: receiptSchema }) receipt: SuppliedReceipt,
    @OptionalPrincipal() principal: Principal | undefined,
  ) {
    requireId(manifestId);
    const error = await this.receipts.faultOf(manifestId, principal, receipt);
    return { ...receipt, verified: error === undefined, ...(error === undefined ? {} : { error }) };
  }
}

function requireId(manifestId: string): void {
  if (!MANIFEST_ID.test(manifestId))
    throw invalidRequest([{ path: 'manifestId', message: 'is no identifier of a manifest' }]);
}
