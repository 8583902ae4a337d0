import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { decodeCursor, pageQuerySchema, toPage, UUID_SORT_KEY } from '../../http/pagination.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { publicTarget } from '../application/budget-view.js';
import {
  ListOpenMoney,
  type OpenMoney,
  type OpenReason,
  type VendorWord,
} from '../application/list-open-money.js';
import { ManageBudgets } from '../application/manage-budgets.js';

/** So many vendors' answers are waited for in one request. */
const MAX_ASKED = 20;

const querySchema = pageQuerySchema.extend({
  ask: z
    .enum(['true', 'false'])
    .default('false')
    .describe(`true: ask the vendors, too; then a page has at most ${MAX_ASKED} items`),
});

const WHY: Readonly<Record<OpenReason, string>> = {
  outcome_unknown:
    'The answer to the submit was lost. The vendor may have the job and charge for it, so it is not sent again by itself.',
  ended_without_settlement:
    'The step has ended and its reservation has not: rows were changed by hand. Compare with the log.',
  reserved_for_long: 'Nothing was sent for more than a day: the run waits, for a waiver or for a worker.',
  submitted_for_long: 'The vendor has had the job for more than a day.',
};

@ApiTags('Money')
@ApiBearerAuth()
@Controller('v1/reconciliation')
export class ReconciliationController {
  constructor(
    private readonly openMoney: ListOpenMoney,
    private readonly budgets: ManageBudgets,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get()
  @Unaudited('States, costs and ids of steps, and what a vendor says of them. No prompt.')
  @Allow('organization:read')
  @ApiOperation({
    summary: 'Money that waits for a person: steps with unknown outcome, reservations without end',
  })
  async list(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: querySchema }) query: z.infer<typeof querySchema>,
  ) {
    const asks = query.ask === 'true';
    const limit = asks ? Math.min(query.limit, MAX_ASKED) : query.limit;
    const after = decodeCursor(query.cursor, UUID_SORT_KEY);
    const rows = await this.openMoney.list(organizationId, limit + 1, after);
    const page = toPage(
      rows,
      limit,
      ({ stepRunId }) => stepRunId,
      (row) => row,
    );
    const words = asks
      ? await Promise.all(page.items.map((open) => this.openMoney.ask(organizationId, open)))
      : [];
    return {
      items: page.items.map((open, index) => openView(open, words[index])),
      nextCursor: page.nextCursor,
    };
  }

  @Get('integrity')
  @Unaudited('Sums of money of the organization. Every reservation and settlement behind them is in the log.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'Compares every counter of every budget with the sum of the ledger' })
  async integrity(@CurrentPrincipal() { organizationId }: Principal) {
    const differences = await this.organizationTx.run(organizationId, (tx) => this.budgets.differences(tx));
    return {
      agrees: differences.length === 0,
      differences: differences.map(({ countedMicroUsd, ledgerMicroUsd, ...at }) => ({
        level: at.level,
        targetId: publicTarget(at) === '' ? null : publicTarget(at),
        period: at.period,
        month: at.month ?? null,
        counter: at.counter,
        countedMicroUsd: countedMicroUsd.toString(),
        ledgerMicroUsd: ledgerMicroUsd.toString(),
      })),
    };
  }
}

function openView(open: OpenMoney, word: VendorWord | undefined) {
  return {
    stepRunId: publicId('stepRun', open.stepRunId),
    runId: publicId('run', open.runId),
    stepKey: open.stepKey,
    provider: open.provider,
    endpoint: open.endpoint,
    state: open.state,
    upstreamId: open.upstreamId ?? null,
    reservedMicroUsd: open.reservedMicroUsd.toString(),
    since: open.since.toISOString(),
    reason: open.reason,
    why: WHY[open.reason],
    vendor: word ?? null,
    settle:
      open.reason === 'outcome_unknown'
        ? `POST /v1/runs/${publicId('run', open.runId)}/steps/${open.stepKey}/reconcile`
        : null,
  };
}
