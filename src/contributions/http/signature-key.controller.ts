import { Body, Controller, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { type z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { AnswerOnce } from '../../http/answer-once.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import {
  decodeCursor,
  type PageQuery,
  pageQuerySchema,
  toPage,
  UUID_SORT_KEY,
} from '../../http/pagination.js';
import { idOf } from '../../http/validation.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { SignatureKeys } from '../application/signature-keys.js';
import { type SignatureKey } from '../domain/signature-key.js';
import { revocationSchema, signatureKeySchema } from './contribution.schemas.js';

@ApiTags('Human work')
@ApiBearerAuth()
@Controller('v1/signature-keys')
export class SignatureKeyController {
  constructor(
    private readonly signatureKeys: SignatureKeys,
    private readonly organizationTx: OrganizationTx,
    private readonly answerOnce: AnswerOnce,
  ) {}

  @Post()
  @Audited('signature_key.registered')
  @Allow('signature_keys:register')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({ summary: 'Register a key of one’s own, with which one signs the records of one’s work' })
  async register(
    @CurrentPrincipal() principal: Principal,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: signatureKeySchema }) body: z.infer<typeof signatureKeySchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST /v1/signature-keys', body];
    return this.answerOnce.run({ principal, key, status: 201, fingerprint }, reply, async (tx) =>
      keyView(await this.signatureKeys.register(tx, principal, body.jwk, body.proof)),
    );
  }

  @Get()
  @Unaudited('Public keys of people, by the ids of their holders.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Registered keys, newest first' })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: pageQuerySchema }) query: PageQuery,
  ) {
    const before = decodeCursor(query.cursor, UUID_SORT_KEY);
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      this.signatureKeys.list(tx, query.limit + 1, before),
    );
    return toPage(rows, query.limit, ({ id }) => id, keyView);
  }

  @Post(':id/revoke')
  @Audited('signature_key.revoked')
  @Allow('signature_keys:revoke')
  @ApiHeader({ name: 'Idempotency-Key', required: true })
  @ApiOperation({
    summary: 'From now on nothing is taken that this key signs; what it signed before stays as it is',
  })
  async revoke(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('signatureKey')) id: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: revocationSchema }) { reason }: z.infer<typeof revocationSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const fingerprint = ['POST revoke', id, reason];
    return this.answerOnce.run({ principal, key, status: 200, fingerprint }, reply, async (tx) =>
      keyView(await this.signatureKeys.revoke(tx, principal, id, reason)),
    );
  }
}

function keyView({ id, principalId, algorithm, thumbprint, jwk, entryId, createdAt, revoked }: SignatureKey) {
  return {
    id: publicId('signatureKey', id),
    principalId: publicId('principal', principalId),
    ...{ algorithm, thumbprint, jwk },
    entryId: publicId('entry', entryId),
    createdAt: createdAt.toISOString(),
    revokedAt: revoked?.at.toISOString() ?? null,
    revocationReason: revoked?.reason ?? null,
  };
}
