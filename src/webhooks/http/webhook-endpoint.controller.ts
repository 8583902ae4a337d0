import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { OrganizationTx } from '../../database/organization-tx.js';
import { Audited, Unaudited } from '../../http/audited.js';
import { Allow, CurrentPrincipal } from '../../http/authentication.guard.js';
import { decodeCursor, pageQuerySchema, toPage, UUID_SORT_KEY } from '../../http/pagination.js';
import { idOf } from '../../http/validation.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { publicId } from '../../shared/ids.js';
import { ManageEndpoints, type OpenEndpoint } from '../application/manage-endpoints.js';
import { Deliveries, type Delivery, DELIVERY_STATES } from '../application/read-deliveries.js';
import { WebhookAddresses } from '../application/webhook-address.js';
import { eventsSchema } from '../domain/subscription.js';

const url = z.string().min(1).max(2048).describe('https on port 443; shown to admins only');

const createSchema = z.strictObject({ url, events: eventsSchema }).meta({ id: 'CreateWebhookEndpoint' });
const changeSchema = z
  .strictObject({
    url: url.optional(),
    events: eventsSchema.optional(),
    state: z
      .enum(['active', 'paused'])
      .optional()
      .describe('what happens while it is not active is told when it is active again'),
  })
  .meta({ id: 'ChangeWebhookEndpoint' });
const deliveriesQuery = pageQuerySchema.extend({ state: z.enum(DELIVERY_STATES).optional() });

const WHAT = 'Where other systems are told of what happens';

@ApiTags('Webhooks')
@ApiBearerAuth()
@Controller('v1/webhook-endpoints')
export class WebhookEndpointController {
  constructor(
    private readonly endpoints: ManageEndpoints,
    private readonly deliveries: Deliveries,
    private readonly addresses: WebhookAddresses,
    private readonly organizationTx: OrganizationTx,
  ) {}

  @Post()
  @Audited('webhook_endpoint.set')
  @Allow('webhooks:manage')
  @ApiOperation({
    summary: 'Have a system told of entries of the log from now on; the secret is shown this once',
  })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: createSchema }) body: z.infer<typeof createSchema>,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    const address = await this.addresses.judge(body.url);
    const created = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.endpoints.create(tx, principal, address, body.events),
    );
    return { ...endpointView(created), secret: created.secret };
  }

  @Get()
  @Unaudited('Addresses that an admin has set, without their secrets. Each change of them is in the log.')
  @Allow('webhooks:manage')
  @ApiOperation({ summary: 'Which systems are told of what, and whether they take it' })
  async list(@CurrentPrincipal() { organizationId }: Principal) {
    const items = await this.organizationTx.run(organizationId, (tx) => this.endpoints.list(tx));
    return { items: items.map(endpointView) };
  }

  @Patch(':id')
  @Audited('webhook_endpoint.set')
  @Allow('webhooks:manage')
  @ApiOperation({ summary: 'Change address or events, pause, or set active again' })
  async change(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('webhookEndpoint')) id: string,
    @Body({ schema: changeSchema }) body: z.infer<typeof changeSchema>,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    const address = body.url === undefined ? undefined : await this.addresses.judge(body.url);
    const { events, state } = body;
    return this.organizationTx.run(principal.organizationId, async (tx) =>
      endpointView(await this.endpoints.change(tx, principal, id, { address, events, state })),
    );
  }

  @Post(':id/secret')
  @Audited('webhook_endpoint.secret_rotated')
  @Allow('webhooks:manage')
  @ApiOperation({ summary: 'A new secret, shown this once; the old one signs beside it for a day' })
  async rotateSecret(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('webhookEndpoint')) id: string,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    const secret = await this.organizationTx.run(principal.organizationId, (tx) =>
      this.endpoints.rotateSecret(tx, principal, id),
    );
    return { secret };
  }

  @Delete(':id')
  @Audited('webhook_endpoint.removed')
  @Allow('webhooks:manage')
  @HttpCode(200)
  @ApiOperation({ summary: 'Tell this system nothing more; what was due is not sent' })
  async remove(@CurrentPrincipal() principal: Principal, @Param('id', idOf('webhookEndpoint')) id: string) {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    await this.organizationTx.run(principal.organizationId, (tx) => this.endpoints.remove(tx, principal, id));
    return { id: publicId('webhookEndpoint', id), removed: true };
  }

  @Post(':id/trial')
  @Unaudited('A message that tells of nothing, to an address that an admin has set.')
  @Allow('webhooks:manage')
  @HttpCode(202)
  @ApiOperation({ summary: 'Send a message that tells of nothing, to try address and secret' })
  async sendTrial(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('webhookEndpoint')) id: string,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    return this.organizationTx.run(principal.organizationId, async (tx) =>
      deliveryView(await this.deliveries.sendTrial(tx, id)),
    );
  }

  @Get(':id/deliveries')
  @Unaudited('When a system was told of which entry and what it answered, as a number.')
  @Allow('webhooks:manage')
  @ApiOperation({ summary: 'What this system was told in the last 30 days, newest first' })
  async listDeliveries(
    @CurrentPrincipal() { organizationId }: Principal,
    @Param('id', idOf('webhookEndpoint')) id: string,
    @Query({ schema: deliveriesQuery }) { cursor, limit, state }: z.infer<typeof deliveriesQuery>,
  ) {
    const before = decodeCursor(cursor, UUID_SORT_KEY);
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      this.deliveries.list(tx, id, { before, state, limit: limit + 1 }),
    );
    return toPage(rows, limit, (row) => row.id, deliveryView);
  }

  @Post(':id/deliveries/:delivery/send-again')
  @Unaudited('The same message to the same address: nothing is told that was not to be told before.')
  @Allow('webhooks:manage')
  @HttpCode(202)
  @ApiOperation({ summary: 'Send a message again, with the same webhook-id' })
  async sendAgain(
    @CurrentPrincipal() principal: Principal,
    @Param('id', idOf('webhookEndpoint')) id: string,
    @Param('delivery', idOf('webhookDelivery')) deliveryId: string,
  ) {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    return this.organizationTx.run(principal.organizationId, async (tx) =>
      deliveryView(await this.deliveries.sendAgain(tx, id, deliveryId)),
    );
  }
}

function endpointView({ id, url: address, host, events, state, failingSince, createdAt }: OpenEndpoint) {
  return {
    id: publicId('webhookEndpoint', id),
    url: address,
    host,
    events,
    state,
    failingSince: failingSince?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}

function deliveryView({ id, lastAttemptAt, nextAttemptAt, createdAt, ...rest }: Delivery) {
  return {
    id: publicId('webhookDelivery', id),
    ...rest,
    lastAttemptAt: lastAttemptAt?.toISOString() ?? null,
    nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}
