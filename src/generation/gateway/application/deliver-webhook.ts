import { type OrganizationTx, type Tx } from '../../../database/organization-tx.js';
import { type Authenticate } from '../../../identity/application/authenticate.js';
import { guardedFetch, type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { OutboundError } from '../../../outbound/outbound-error.js';
import { type Clock } from '../../../shared/clock.js';
import { pauseAfter } from '../domain/delivery-schedule.js';
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

/** How an attempt ended: an answer, or our own word for why there was none. */
type Attempt = { readonly status: number } | { readonly error: string };

const DEADLINE_MS = 15_000;
/** What the other side answers is not read; this much may come before the connection is closed. */
const MAX_ANSWER_BYTES = 64 * 1024;

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
    if (call?.webhookUrl === undefined) return { error: 'inputs_erased' };
    const keyId = run.apiKeyId;
    if (keyId === undefined || (await this.authenticate.principalOfKey(keyId)) === undefined)
      return { error: 'key_revoked' };
    const body = webhookMessage(event, job, (asset) =>
      addressOfAsset(job.baseUrl, this.links.issue({ keyId }, asset.id), asset),
    );
    const at = Math.floor(this.clock.now().getTime() / 1000);
    const { mode } = run;
    const headers =
      vendor === 'fal'
        ? this.keys.falHeaders({ organizationId, mode, requestId: run.id }, body, at)
        : this.keys.replicateHeaders({ organizationId, mode, deliveryId }, body, at);
    return this.send(call.webhookUrl, body, headers);
  }

  private async send(url: string, body: string, headers: Record<string, string>): Promise<Attempt> {
    try {
      const response = await guardedFetch({
        ...this.outbound,
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
        maxResponseBytes: MAX_ANSWER_BYTES,
        deadlineMs: DEADLINE_MS,
      });
      response.discard();
      return { status: response.status };
    } catch (error) {
      if (error instanceof OutboundError) return { error: error.code };
      throw error;
    }
  }

  private async record(tx: Tx, deliveryId: string, due: Due, attempt: Attempt): Promise<void> {
    const attempts = due.attempts + 1;
    const status = 'status' in attempt ? attempt.status : null;
    const isTaken = status !== null && status >= 200 && status < 300;
    const isHopeless = 'error' in attempt && ['inputs_erased', 'key_revoked'].includes(attempt.error);
    const pause = isTaken || isHopeless ? undefined : pauseAfter(attempts);
    const state = isTaken ? 'delivered' : pause === undefined ? 'given_up' : 'due';
    const changed = await tx.query(
      `UPDATE gateway_delivery SET state = $3, attempts = $4, last_status = $5, last_error = $6, last_attempt_at = $7
        WHERE organization_id = $1 AND id = $2 AND state = 'due' AND attempts = $8 RETURNING id`,
      [
        tx.organizationId,
        deliveryId,
        state,
        attempts,
        status,
        'error' in attempt ? attempt.error : null,
        this.clock.now(),
        due.attempts,
      ],
    );
    if (changed.length > 0 && pause !== undefined) await this.queue.wakeDelivery(tx, deliveryId, pause);
  }
}
