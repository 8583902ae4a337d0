import { type OutboundPolicy } from '../outbound/guarded-fetch.js';
import { WebhookEndpointRepository } from '../webhooks/adapters/webhook-endpoint.repository.js';
import { ManageEndpoints } from '../webhooks/application/manage-endpoints.js';
import { Deliveries } from '../webhooks/application/read-deliveries.js';
import { SendDelivery } from '../webhooks/application/send-delivery.js';
import { TellEntries } from '../webhooks/application/tell-entries.js';
import { WebhookAddresses } from '../webhooks/application/webhook-address.js';
import { WebhookRounds } from '../webhooks/application/webhook-rounds.js';
import { type composeDatabase } from './database.js';
import { type composeLog } from './log.js';
import { type Composed, clock, type ServicesOptions } from './services-options.js';

/** Other systems of the customer are told of what the log says. */
export function composeWebhooks(
  { configuration, logger }: ServicesOptions,
  { organizationTx, sequencerPool, webhookKey }: Composed<typeof composeDatabase>,
  { appendEntry }: Composed<typeof composeLog>,
) {
  const outbound: OutboundPolicy = { allowedPrivateHosts: configuration.webhookAllowedHosts };
  const endpoints = new WebhookEndpointRepository(webhookKey);
  const sendDelivery = new SendDelivery(organizationTx, endpoints, appendEntry, outbound, clock);
  return {
    webhookAddresses: new WebhookAddresses(outbound),
    manageEndpoints: new ManageEndpoints(endpoints, appendEntry, clock),
    webhookDeliveries: new Deliveries(endpoints, clock),
    webhookRounds: new WebhookRounds(
      sequencerPool,
      organizationTx,
      new TellEntries(clock),
      sendDelivery,
      logger,
    ),
  };
}
