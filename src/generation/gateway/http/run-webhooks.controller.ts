import { Controller, Get, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { OrganizationTx } from '../../../database/organization-tx.js';
import { Unaudited } from '../../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../../http/authentication.guard.js';
import { idOf } from '../../../http/validation.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { RunRepository } from '../../adapters/run.repository.js';
import { JobDeliveries } from '../application/job-deliveries.js';

/** What a client of the gateway was told about its run. */
@ApiTags('Runs')
@ApiBearerAuth()
@Controller('v1/runs')
export class RunWebhooksController {
  constructor(
    private readonly deliveries: JobDeliveries,
    private readonly runs: RunRepository,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get(':id/webhooks')
  @Unaudited(
    'How often a client was told about its run, and with what success; neither the address nor the message.',
  )
  @Allow('organization:read')
  @ApiOperation({ summary: "Webhooks of a run that a vendor's SDK started: attempts and their outcome" })
  async list(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('run')) runId: string) {
    const found = await this.organizationTx.run(organizationId, async (tx) => {
      await this.runs.get(tx, runId);
      return this.deliveries.of(tx, runId);
    });
    const items = found.map(
      ({ event, state, attempts, lastStatus, lastError, createdAt, lastAttemptAt }) => ({
        event,
        state,
        attempts,
        lastStatus: lastStatus ?? null,
        lastError: lastError ?? null,
        createdAt: createdAt.toISOString(),
        lastAttemptAt: lastAttemptAt?.toISOString() ?? null,
      }),
    );
    return { items };
  }
}
