import { type OrganizationTx, type Tx } from '../../../database/organization-tx.js';
import { type Authenticate } from '../../../identity/application/authenticate.js';
import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { type Clock } from '../../../shared/clock.js';
import { postWebhook } from '../../../webhooks/application/post-webhook.js';
import { type DeliveryKind, recordAttempt } from '../../../webhooks/application/record-attempt.js';
import { type Attempt, JOB_SCHEDULE } from '../../../webhooks/domain/delivery-schedule.js';
import { type GatewayJob, type WebhookEvent } from '../domain/gateway-job.js';
import { type CapabilityLinks } from './capability-links.js';
import { type GatewayJobs } from './gateway-jobs.js';
import { type DeliveryQueue } from './job-deliveries.js';
import { webhookMessage } from '../domain/webhook-message.js';
import { type WebhookKeys } from '../domain/webhook-signing.js';
import { addressOfAsset } from '../domain/asset-address.js';

interface Due {
  readonly event: WebhookEvent;
  readonly attempts: number;
  readonly job: GatewayJob;
}

const KIND: DeliveryKind = { table: 'gateway_delivery', isDueByRow: false, schedule: JOB_SCHEDULE };

/**
 * Tells a client what became of its job, at least once: a crash after the other side has taken the message sends it
 * again, with the same id. Addresses of files are made anew for each attempt, so they never come dead.
 */
export class DeliverWebhook {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly jobs: GatewayJobs,
    private readonly links: CapabilityLinks,
    private readonly authenticate: Authenticate,
    private readonly keys: WebhookKeys,
    private readonly queue: DeliveryQueue,
    /** Without the hosts that the operator opened for models: those are not for clients to send to. */
    private readonly outbound: OutboundPolicy,
    private readonly clock: Clock,
  ) {}

  async deliver(organizationId: string, deliveryId: string): Promise<void> {
    const due = await this.organizationTx.run(organizationId, (tx) => this.due(tx, deliveryId));
    if (due === undefined) return;
    const attempt = await this.attempt(organizationId, deliveryId, due);
    await this.organizationTx.run(organizationId, (tx) => this.record(tx, deliveryId, due, attempt));
  }

  private async due(tx: Tx, deliveryId: string): Promise<Due | undefined> {
    const [row] = await tx.query<{ run_id: string; event: WebhookEvent; attempts: number }>(
      `SELECT run_id, event, attempts FROM gateway_delivery
        WHERE organization_id = $1 AND id = $2 AND state = 'due'`,
      [tx.organizationId, deliveryId],
    );
    const job = row && (await this.jobs.find(tx, row.run_id));
    return row && job && { event: row.event, attempts: row.attempts, job };
  }

  private async attempt(organizationId: string, deliveryId: string, { event, job }: Due): Promise<Attempt> {
    const { run, vendor, call } = job;
    if (call?.webhookUrl === undefined) return { error: 'inputs_erased', isHopeless: true };
    const keyId = run.apiKeyId;
    if (keyId === undefined || (await this.authenticate.principalOfKey(keyId)) === undefined)
      return { error: 'key_revoked', isHopeless: true };
    const body = webhookMessage(event, job, (asset) =>
      addressOfAsset(job.baseUrl, this.links.issue({ keyId }, asset.id), asset),
    );
    const at = Math.floor(this.clock.now().getTime() / 1000);
    const { mode } = run;
    const headers =
      vendor === 'fal'
        ? this.keys.falHeaders({ organizationId, mode, requestId: run.id }, body, at)
        : this.keys.replicateHeaders({ organizationId, mode, deliveryId }, body, at);
    return postWebhook(this.outbound, { url: call.webhookUrl, body, headers });
  }

  private async record(tx: Tx, id: string, { attempts: made }: Due, attempt: Attempt): Promise<void> {
    const outcome = await recordAttempt(tx, KIND, { id, made }, attempt, this.clock.now());
    if (outcome?.state === 'due') await this.queue.wakeDelivery(tx, id, outcome.pauseSeconds);
  }
}
