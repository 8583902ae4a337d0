import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, AuditedAsOneOf, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { idOf, invalidRequest } from '../../http/validation.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { budgetView } from '../application/budget-view.js';
import { type LimitChange, ManageBudgets } from '../application/manage-budgets.js';
import { type Budget, BUDGET_LEVELS, BUDGET_PERIODS, type BudgetTarget } from '../domain/budget.js';

const amountSchema = z.string().regex(/^(0|[1-9]\d{0,15})$/, 'integer micro-USD as text');
const limitFields = {
  hardLimitMicroUsd: amountSchema.nullable().default(null).describe('nothing is reserved beyond it'),
  softLimitMicroUsd: amountSchema
    .nullable()
    .default(null)
    .describe('whoever spends beyond it is told; not above the hard limit'),
  allowBelowCommitted: z
    .boolean()
    .default(false)
    .describe('must be true when the hard limit is below what is reserved and spent already'),
};
interface LimitFields {
  readonly hardLimitMicroUsd: string | null;
  readonly softLimitMicroUsd: string | null;
  readonly allowBelowCommitted: boolean;
}
const SOME_LIMIT = 'give "hardLimitMicroUsd", "softLimitMicroUsd" or both';
const hasLimit = (body: LimitFields): boolean =>
  body.hardLimitMicroUsd !== null || body.softLimitMicroUsd !== null;

const createSchema = z
  .strictObject({
    level: z.enum(BUDGET_LEVELS),
    targetId: z.string().max(64).optional().describe('prj_..., use_..., or the id of an API key'),
    period: z.enum(BUDGET_PERIODS).describe('month: a calendar month in UTC'),
    ...limitFields,
  })
  .refine(hasLimit, SOME_LIMIT)
  .meta({ id: 'CreateBudget' });
const changeSchema = z.strictObject(limitFields).refine(hasLimit, SOME_LIMIT).meta({ id: 'ChangeBudget' });
const totalSchema = z
  .strictObject({
    limitMicroUsd: amountSchema,
    allowBelowCommitted: limitFields.allowBelowCommitted,
  })
  .meta({ id: 'SetBudget' });

const WHAT = 'A budget';

@ApiTags('Money')
@ApiBearerAuth()
@Controller('v1')
export class BudgetController {
  constructor(
    private readonly budgets: ManageBudgets,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get('budget')
  @Unaudited('Sums of money of the organization. Every reservation and settlement behind them is in the log.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'What the organization may spend in all, is reserved, and was spent; micro-USD' })
  async total(@CurrentPrincipal() { organizationId }: Principal) {
    return totalView(
      await this.organizationTx.run(organizationId, (tx) => this.budgets.organizationTotal(tx)),
    );
  }

  @Put('budget')
  @Audited('budget.set')
  @Allow('organization:administer')
  @ApiOperation({ summary: 'Set what the organization may spend in all; a soft limit above it follows' })
  async setTotal(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: totalSchema }) body: z.infer<typeof totalSchema>,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', 'The budget');
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const { id, softLimitMicroUsd: soft } = await this.budgets.organizationTotal(tx);
      const hardLimitMicroUsd = BigInt(body.limitMicroUsd);
      const { allowBelowCommitted } = body;
      // Whoever stops the spending at once must not be kept from it by a soft limit above that.
      const softLimitMicroUsd = soft !== undefined && soft > hardLimitMicroUsd ? hardLimitMicroUsd : soft;
      const change = { hardLimitMicroUsd, softLimitMicroUsd, allowBelowCommitted };
      return totalView(await this.budgets.change(tx, principal, id, change));
    });
  }

  @Get('budgets')
  @Unaudited('Sums of money of the organization. Every reservation and settlement behind them is in the log.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'All budgets: organization, projects, use cases, API keys; what is left of each' })
  async list(@CurrentPrincipal() { organizationId }: Principal) {
    const budgets = await this.organizationTx.run(organizationId, (tx) => this.budgets.list(tx));
    return { items: budgets.map(budgetView) };
  }

  @Get('budgets/:id')
  @Unaudited('Sums of money of the organization. Every reservation and settlement behind them is in the log.')
  @Allow('organization:read')
  @ApiOperation({ summary: 'One budget' })
  async get(@CurrentPrincipal() { organizationId }: Principal, @Param('id', idOf('budget')) id: string) {
    return budgetView(await this.organizationTx.run(organizationId, (tx) => this.budgets.get(tx, id)));
  }

  @Post('budgets')
  @Audited('budget.defined')
  @Allow('organization:administer')
  @ApiOperation({ summary: 'A budget of the organization by month, a project, a use case or an API key' })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: createSchema }) body: z.infer<typeof createSchema>,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    const target = targetOf(body);
    return this.organizationTx.run(principal.organizationId, async (tx) =>
      budgetView(await this.budgets.create(tx, principal, target, changeOf(body))),
    );
  }

  @Put('budgets/:id')
  @AuditedAsOneOf('budget.defined', 'budget.set')
  @Allow('organization:administer')
  @ApiOperation({ summary: 'Change the limits of a budget' })
  async change(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('budget')) id: string,
    @Body({ schema: changeSchema }) body: z.infer<typeof changeSchema>,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    return this.organizationTx.run(principal.organizationId, async (tx) =>
      budgetView(await this.budgets.change(tx, principal, id, changeOf(body))),
    );
  }

  @Delete('budgets/:id')
  @Audited('budget.removed')
  @Allow('organization:administer')
  @HttpCode(200)
  @ApiOperation({ summary: 'Remove a budget; what was spent stays in the ledger' })
  async remove(@CurrentPrincipal() principal: Principal, @Param('id', idOf('budget')) id: string) {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    await this.organizationTx.run(principal.organizationId, (tx) => this.budgets.remove(tx, principal, id));
    return { id: publicId('budget', id), removed: true };
  }
}

function totalView(budget: Budget) {
  return {
    limitMicroUsd: (budget.hardLimitMicroUsd ?? 0n).toString(),
    softLimitMicroUsd: budget.softLimitMicroUsd?.toString() ?? null,
    reservedMicroUsd: budget.reservedMicroUsd.toString(),
    spentMicroUsd: budget.spentMicroUsd.toString(),
  };
}

function changeOf(body: LimitFields): LimitChange {
  const amount = (text: string | null) => (text === null ? undefined : BigInt(text));
  return {
    hardLimitMicroUsd: amount(body.hardLimitMicroUsd),
    softLimitMicroUsd: amount(body.softLimitMicroUsd),
    allowBelowCommitted: body.allowBelowCommitted,
  };
}

function targetOf({ level, targetId, period }: z.infer<typeof createSchema>): BudgetTarget {
  const refuse = (message: string) => invalidRequest([{ path: 'targetId', message }]);
  if (level === 'organization') {
    if (targetId !== undefined) throw refuse('must be left out for the organization');
    return { level, targetId: '', period };
  }
  const found = level === 'api_key' ? keyId(targetId) : parsedId(level, targetId);
  if (found === undefined) throw refuse(`must be the id of a ${level.replace('_', ' ')}`);
  return { level, targetId: found, period };
}

function parsedId(level: 'project' | 'use_case', targetId: string | undefined): string | undefined {
  return parsePublicId(level === 'project' ? 'project' : 'useCase', targetId ?? '');
}

function keyId(targetId: string | undefined): string | undefined {
  return targetId !== undefined && /^[0-9A-Za-z]{12}$/.test(targetId) ? targetId : undefined;
}
