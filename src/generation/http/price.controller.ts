import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import {
  decodeCursor,
  type PageQuery,
  pageQuerySchema,
  toPage,
  UUID_SORT_KEY,
} from '../../http/pagination.js';
import { invalidRequest } from '../../http/validation.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { OwnPrices, type PricedEndpoint, type RecordedPrice } from '../application/own-prices.js';
import { daySchema } from '../domain/calendar-days.js';
import { priceSchema } from '../domain/price.js';

/** What is done here is not bought from anybody. */
const PAID_PROVIDERS = ['fal', 'replicate', 'openai', 'google', 'openai-compatible', 'comfyui'] as const;

const recordSchema = z
  .strictObject({
    provider: z.enum(PAID_PROVIDERS),
    endpoint: z.string().regex(/^[\x21-\x7e]{1,120}$/, "the provider's own name of the model"),
    validFrom: daySchema.describe('the first day on which it counts'),
    price: priceSchema.nullable().describe('null: the organization has no price of its own from that day on'),
  })
  .meta({ id: 'RecordPrice' });

@ApiTags('Money')
@ApiBearerAuth()
@Controller('v1/prices')
export class PriceController {
  constructor(
    private readonly prices: OwnPrices,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Get()
  @Unaudited('Prices of vendors as they were read, and those that the organization recorded.')
  @Allow('organization:read')
  @ApiOperation({
    summary:
      'What each endpoint costs today: unit, tiers, source, day read, verified or not; unknown is never 0',
  })
  async list(@CurrentPrincipal() { organizationId }: Principal) {
    const rows = await this.organizationTx.run(organizationId, (tx) => this.prices.table(tx));
    return { items: rows.map(priceView) };
  }

  @Get('own')
  @Unaudited('Prices that the organization recorded: its entries say by whom.')
  @Allow('organization:read')
  @ApiOperation({
    summary:
      'Own prices of all days, newest day first: `to_come`, `in_force`, `past`, or `replaced` by one that was recorded later for the same day',
  })
  async own(
    @CurrentPrincipal() { organizationId }: Principal,
    @Query({ schema: pageQuerySchema }) { cursor, limit }: PageQuery,
  ) {
    const after = decodeCursor(cursor, UUID_SORT_KEY);
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      this.prices.recorded(tx, limit + 1, after),
    );
    return toPage(rows, limit, ({ id }) => id, recordedView);
  }

  @Post()
  @Audited('price.recorded')
  @Allow('organization:administer')
  @ApiOperation({ summary: "Record the organization's own price of an endpoint, from a day on" })
  async record(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: recordSchema }) { price, ...row }: z.infer<typeof recordSchema>,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', 'A price');
    const problem = price === null ? undefined : this.prices.problemOf(row.provider, price);
    if (problem !== undefined) throw invalidRequest([problem]);
    const id = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.prices.record(tx, principal, { ...row, price: price ?? undefined }),
    );
    return { id: publicId('ownPrice', id), ...row, price };
  }
}

function recordedView({ id, price, recordedAt, ...row }: RecordedPrice) {
  return {
    id: publicId('ownPrice', id),
    ...row,
    price: price ?? null,
    recordedAt: recordedAt.toISOString(),
  };
}

function priceView({ provider, endpoint, listingIds, price, origin }: PricedEndpoint) {
  return {
    provider,
    endpoint,
    models: listingIds,
    known: price !== undefined && price.family !== 'ceiling',
    origin: origin ?? null,
    validFrom: price?.validFrom ?? null,
    price: price ?? null,
  };
}
