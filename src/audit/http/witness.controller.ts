import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { ClearWitnessConflict, type WitnessStanding } from '../application/clear-witness-conflict.js';

const clearSchema = z.strictObject({
  witness: z
    .string()
    .regex(/^[\x21-\x7e]{1,300}$/)
    .describe('name and key id of the witness, as GET /v1/audit/witnesses shows it'),
});

@ApiTags('Audit log')
@ApiBearerAuth()
@Controller('v1/audit/witnesses')
export class WitnessController {
  constructor(private readonly clearWitnessConflict: ClearWitnessConflict) {}

  @Get()
  @Unaudited('How far the witnesses of the log have come: it tells nothing about anybody.')
  @Allow('audit:read')
  @ApiOperation({ summary: 'Witnesses that were asked about this log, and what they answered last' })
  async list(@CurrentPrincipal() { organizationId }: Principal) {
    const standings = await this.clearWitnessConflict.list(organizationId);
    return { items: standings.map(standingView) };
  }

  @Post('clear-conflict')
  @Audited('log.conflict_cleared')
  @Allow('organization:administer')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'A person has found out that a witness is wrong about this log: it is signed again, and the witness asked again',
  })
  async clear(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: clearSchema }) { witness }: z.infer<typeof clearSchema>,
  ) {
    const { entryId, conflict } = await this.clearWitnessConflict.clear(principal, witness);
    return { witness, conflict, entryId: publicId('entry', entryId) };
  }
}

function standingView({ witness, size, failures, lastError, conflict, ...times }: WitnessStanding) {
  return {
    witness,
    confirmedSize: size,
    failures,
    lastError: lastError ?? null,
    conflict: conflict ?? null,
    attemptedAt: times.attemptedAt.toISOString(),
    succeededAt: times.succeededAt?.toISOString() ?? null,
  };
}
