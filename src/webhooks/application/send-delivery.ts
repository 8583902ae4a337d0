import { Webhook } from 'standardwebhooks';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { parseEntry } from '../../audit/core/entry.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type OutboundPolicy } from '../../outbound/guarded-fetch.js';
import { type Clock } from '../../shared/clock.js';
import { publicId } from '../../shared/ids.js';
import { type WebhookEndpointRepository } from '../adapters/webhook-endpoint.repository.js';
import { type Attempt, DISABLED_AFTER_MS, ENDPOINT_SCHEDULE } from '../domain/delivery-schedule.js';
import { type EndpointSecrets, signingSecrets } from '../domain/webhook-endpoint.js';
import { entryMessage, trialMessage } from '../domain/webhook-message.js';
import { postWebhook } from './post-webhook.js';
import { type DeliveryKind, recordAttempt } from './record-attempt.js';

interface Due {
  readonly id: string;
  readonly endpointId: string;
  readonly attempts: number;
  readonly endpoint: EndpointSecrets;
  readonly body: Buffer;
}

interface DueRow {
  id: string;
  endpoint_id: string;
  entry_index: string | null;
  attempts: number;
  created_at: Date;
  sealed: string;
  entry: Buffer | null;
  entry_id: string | null;
}

/** A worker that died at an attempt leaves it to others after this time. */
const LEASE_MS = 60_000;
const KIND: DeliveryKind = { table: 'webhook_delivery', isDueByRow: true, schedule: ENDPOINT_SCHEDULE };

/**
 * Sends what is due, at least once: a crash after the other side has taken a message sends it again, with the same
 * webhook-id.
 */
export class SendDelivery {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly endpoints: WebhookEndpointRepository,
    private readonly appendEntry: AppendEntry,
    /** Without the hosts that the operator opened for models: those are not for customers to send to. */
    private readonly outbound: OutboundPolicy,
    private readonly clock: Clock,
  ) {}

  /** @returns the attempts that were made */
  async sendDue(organizationId: string, atMost: number): Promise<number> {
    const due = await this.organizationTx.run(organizationId, (tx) => this.lease(tx, atMost));
    await Promise.all(
      due.map(async (delivery) => {
        const attempt = await this.attempt(delivery);
        await this.organizationTx.run(organizationId, (tx) => this.record(tx, delivery, attempt));
      }),
    );
    return due.length;
  }

  /** The next attempt is put off while this one is made: whoever looks meanwhile finds nothing due. */
  private async lease(tx: Tx, atMost: number): Promise<Due[]> {
    const now = this.clock.now();
    const rows = await tx.query<DueRow>(
      `WITH due AS (
         SELECT d.id FROM webhook_delivery d JOIN webhook_endpoint e
             ON e.organization_id = d.organization_id AND e.id = d.endpoint_id AND e.state = 'active'
          WHERE d.organization_id = $1 AND d.state = 'due' AND d.next_attempt_at <= $2
          ORDER BY d.next_attempt_at, d.id LIMIT $3 FOR UPDATE OF d SKIP LOCKED),
       leased AS (
         UPDATE webhook_delivery d SET next_attempt_at = $4 FROM due
          WHERE d.organization_id = $1 AND d.id = due.id RETURNING d.*)
       SELECT l.id, l.endpoint_id, l.entry_index, l.attempts, l.created_at, e.sealed, a.entry, a.entry_id
         FROM leased l
         JOIN webhook_endpoint e ON e.organization_id = l.organization_id AND e.id = l.endpoint_id
         LEFT JOIN audit_entry a ON a.organization_id = l.organization_id AND a.index = l.entry_index`,
      [tx.organizationId, now, atMost, new Date(now.getTime() + LEASE_MS)],
    );
    return Promise.all(rows.map((row) => this.opened(tx.organizationId, row)));
  }

  private async opened(organizationId: string, row: DueRow): Promise<Due> {
    const { id, endpoint_id: endpointId, attempts } = row;
    const endpoint = await this.endpoints.open(organizationId, { id: endpointId, sealed: row.sealed });
    const organization = publicId('organization', organizationId);
    const body =
      row.entry === null || row.entry_id === null
        ? trialMessage(organization, publicId('webhookEndpoint', endpointId), row.created_at)
        : entryMessage(parseEntry(row.entry).entry, {
            organizationId: organization,
            entryId: publicId('entry', row.entry_id),
            index: Number(row.entry_index),
          });
    return { id, endpointId, attempts, endpoint, body };
  }

  private attempt({ id, endpoint, body }: Due): Promise<Attempt> {
    const now = this.clock.now();
    const webhookId = publicId('webhookDelivery', id);
    const signatures = signingSecrets(endpoint, now).map((secret) =>
      new Webhook(secret).sign(webhookId, now, body),
    );
    const headers = {
      'webhook-id': webhookId,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': signatures.join(' '),
    };
    return postWebhook(this.outbound, { url: endpoint.url, body, headers });
  }

  private async record(tx: Tx, { id, endpointId, attempts }: Due, attempt: Attempt): Promise<void> {
    const now = this.clock.now();
    const outcome = await recordAttempt(tx, KIND, { id, made: attempts }, attempt, now);
    if (outcome === undefined) return;
    const isGone = outcome.state === 'given_up' && outcome.isGone;
    await this.noteHealth(tx, endpointId, { isTaken: outcome.state === 'delivered', isGone }, now);
  }

  /** An endpoint that is gone, or has taken nothing for days, is asked no more until a person sets it active again. */
  private async noteHealth(
    tx: Tx,
    endpointId: string,
    { isTaken, isGone }: { isTaken: boolean; isGone: boolean },
    now: Date,
  ): Promise<void> {
    if (isTaken) {
      await tx.query(
        `UPDATE webhook_endpoint SET failing_since = NULL
          WHERE organization_id = $1 AND id = $2 AND failing_since IS NOT NULL RETURNING id`,
        [tx.organizationId, endpointId],
      );
      return;
    }
    const [disabled] = await tx.query<{ host: string; is_disabled: boolean }>(
      `UPDATE webhook_endpoint SET failing_since = coalesce(failing_since, $3),
              state = CASE WHEN $4 OR failing_since <= $5 THEN 'disabled' ELSE state END
        WHERE organization_id = $1 AND id = $2 AND state = 'active'
        RETURNING host, state = 'disabled' AS is_disabled`,
      [tx.organizationId, endpointId, now, isGone, new Date(now.getTime() - DISABLED_AFTER_MS)],
    );
    if (!disabled?.is_disabled) return;
    await this.appendEntry.append(tx, {
      type: 'webhook_endpoint.disabled',
      actor: SYSTEM_ACTOR,
      subject: { kind: 'webhook_endpoint', id: publicId('webhookEndpoint', endpointId) },
      data: { host: disabled.host, because: isGone ? 'gone' : 'failing' },
    });
  }
}
