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

interface DueRow {
  run_id: string;
  event: WebhookEvent;
  attempts: number;
  must_wait: boolean;
  superseded: boolean;
}

interface Due {
  readonly event: WebhookEvent;
  readonly attempts: number;
  readonly job: GatewayJob;
}

const KIND: DeliveryKind = { table: 'gateway_delivery', isDueByRow: false, schedule: JOB_SCHEDULE };

/** The order of what is told of one run: the start, its outputs, the end. */
const ORDER = (row: string): string =>
  `(CASE ${row}.event WHEN 'start' THEN 0 WHEN 'completed' THEN 2 ELSE 1 END, ${row}.ordinal)`;
/** What is before the message of the row `d` in its run. */
const BEFORE = `FROM gateway_delivery b
  WHERE b.organization_id = d.organization_id AND b.run_id = d.run_id AND ${ORDER('b')} < ${ORDER('d')}`;
const AFTER = `FROM gateway_delivery a
  WHERE a.organization_id = d.organization_id AND a.run_id = d.run_id AND ${ORDER('a')} > ${ORDER('d')}`;
/** Each delivery has one wake-up at a time, so that no two workers send it at once: it looks again by itself. */
const WAIT_SECONDS = 1;

/**
 * Tells a client what became of its job, at least once: a crash after the other side has taken the message sends it
 * again, with the same id. Addresses of files are made anew for each attempt, so they never come dead.
 *
 * The messages of one run are first sent one after the other, in the order in which things happened. One that was not
 * taken holds up none of the later ones, and is not sent any more once there is a later one: that one says all that it
 * said, and a client takes what comes last for how things stand.
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
    const [row] = await tx.query<DueRow>(
      `SELECT d.run_id, d.event, d.attempts,
              EXISTS (SELECT 1 ${BEFORE} AND b.state = 'due' AND b.attempts = 0) AS must_wait,
              EXISTS (SELECT 1 ${AFTER} AND (a.state = 'delivered' OR d.attempts > 0)) AS superseded
         FROM gateway_delivery d WHERE d.organization_id = $1 AND d.id = $2 AND d.state = 'due'`,
      [tx.organizationId, deliveryId],
    );
    if (row === undefined) return undefined;
    if (row.superseded) {
      await this.giveUp(tx, deliveryId);
      return undefined;
    }
    if (row.must_wait) {
      await this.queue.wakeDelivery(tx, deliveryId, WAIT_SECONDS);
      return undefined;
    }
    const job = await this.jobs.find(tx, row.run_id);
    return job && { event: row.event, attempts: row.attempts, job };
  }

  private async giveUp(tx: Tx, deliveryId: string): Promise<void> {
    await tx.query(
      `UPDATE gateway_delivery SET state = 'given_up', last_error = 'superseded'
        WHERE organization_id = $1 AND id = $2 AND state = 'due' RETURNING id`,
      [tx.organizationId, deliveryId],
    );
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
