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

  /** Those for which an attempt is due, in an order of chance, so that with many of them none is always the last. */
  endpointsWithDue(organizationId: string): Promise<string[]> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const rows = await tx.query<{ id: string }>(
        `SELECT e.id FROM webhook_endpoint e
          WHERE e.organization_id = $1 AND e.state = 'active' AND EXISTS (
            SELECT FROM webhook_delivery d WHERE d.organization_id = $1 AND d.endpoint_id = e.id
                AND d.state = 'due' AND d.next_attempt_at <= $2)
          ORDER BY random()`,
        [tx.organizationId, this.clock.now()],
      );
      return rows.map(({ id }) => id);
    });
  }

  /**
   * Tells one endpoint what is due, one after the other: what is told for the first time in the order of the log, and in
   * turn with it what was not taken before, so that neither holds up the other.
   * @param goesOn asked before each further attempt
   * @returns the attempts that were made
   */
  async sendDue(organizationId: string, endpointId: string, goesOn: () => boolean): Promise<number> {
    const lease = (tx: Tx, made: number) => this.leaseNext(tx, endpointId, made % 2 === 1);
    let made = 0;
    let next = await this.organizationTx.run(organizationId, (tx) => lease(tx, made));
    while (next !== undefined) {
      const delivery = next;
      const attempt = await this.attempt(delivery);
      made += 1;
      next = await this.organizationTx.run(organizationId, async (tx) => {
        await this.record(tx, delivery, attempt);
        return goesOn() ? lease(tx, made) : undefined;
      });
    }
    return made;
  }

  /**
   * The next attempt is put off while this one is made: whoever looks meanwhile finds it not due. While a message is told
   * for the first time, no later one is begun, by any worker.
   */
  private async leaseNext(tx: Tx, endpointId: string, isAgainFirst: boolean): Promise<Due | undefined> {
    const now = this.clock.now();
    // Workers look for the next one of an endpoint one after the other.
    const [endpoint] = await tx.query<{ sealed: string }>(
      `SELECT sealed FROM webhook_endpoint
        WHERE organization_id = $1 AND id = $2 AND state = 'active' FOR NO KEY UPDATE`,
      [tx.organizationId, endpointId],
    );
    if (!endpoint) return undefined;
    const [row] = await tx.query<DueRow>(
      `WITH next AS (
         SELECT d.id FROM webhook_delivery d
          WHERE d.organization_id = $1 AND d.endpoint_id = $2 AND d.state = 'due' AND d.next_attempt_at <= $3
            AND (d.attempts > 0 OR d.entry_index IS NULL OR NOT EXISTS (
              SELECT FROM webhook_delivery b WHERE b.organization_id = $1 AND b.endpoint_id = $2 AND b.state = 'due'
                  AND b.attempts = 0 AND b.next_attempt_at > $3 AND b.entry_index < d.entry_index))
          ORDER BY (d.attempts > 0) <> $5, CASE WHEN d.attempts > 0 THEN d.next_attempt_at END,
                   d.entry_index NULLS FIRST, d.id
          LIMIT 1),
       leased AS (
         UPDATE webhook_delivery d SET next_attempt_at = $4 FROM next
          WHERE d.organization_id = $1 AND d.id = next.id RETURNING d.*)
       SELECT l.id, l.endpoint_id, l.entry_index, l.attempts, l.created_at, a.entry, a.entry_id
         FROM leased l
         LEFT JOIN audit_entry a ON a.organization_id = l.organization_id AND a.index = l.entry_index`,
      [tx.organizationId, endpointId, now, new Date(now.getTime() + LEASE_MS), isAgainFirst],
    );
    return row && this.opened(tx.organizationId, { ...row, sealed: endpoint.sealed });
  }

  private async opened(organizationId: string, row: DueRow & { sealed: string }): Promise<Due> {
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
