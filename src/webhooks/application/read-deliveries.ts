import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import { type WebhookEndpointRepository } from '../adapters/webhook-endpoint.repository.js';
import { TRIAL_EVENT } from '../domain/subscription.js';

export const DELIVERY_STATES = ['due', 'delivered', 'given_up'] as const;

export interface Delivery {
  /** UUID; with its prefix also the `webhook-id`. */
  readonly id: string;
  readonly event: string;
  readonly entryIndex: number | null;
  readonly state: (typeof DELIVERY_STATES)[number];
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly lastAttemptAt: Date | null;
  readonly nextAttemptAt: Date | null;
  readonly createdAt: Date;
}

interface DeliveryRow {
  id: string;
  event: string;
  entry_index: string | null;
  state: Delivery['state'];
  attempts: number;
  last_status: number | null;
  last_error: string | null;
  last_attempt_at: Date | null;
  next_attempt_at: Date;
  created_at: Date;
}

/** What an endpoint was told, and what is still to be told. Kept for 30 days. */
export class Deliveries {
  constructor(
    private readonly endpoints: WebhookEndpointRepository,
    private readonly clock: Clock,
  ) {}

  /** Newest first. @throws ColophonError `not_found` */
  async list(
    tx: Tx,
    endpointId: string,
    {
      before,
      state,
      limit,
    }: { before: string | undefined; state: Delivery['state'] | undefined; limit: number },
  ): Promise<Delivery[]> {
    await this.endpoints.get(tx, endpointId);
    const rows = await tx.query<DeliveryRow>(
      `SELECT * FROM webhook_delivery
        WHERE organization_id = $1 AND endpoint_id = $2 AND ($3::uuid IS NULL OR id < $3)
          AND ($4::text IS NULL OR state = $4)
        ORDER BY id DESC LIMIT $5`,
      [tx.organizationId, endpointId, before ?? null, state ?? null, limit],
    );
    return rows.map(deliveryOf);
  }

  /**
   * The same message again, with the same id and all attempts before it.
   * @throws ColophonError `not_found`; `conflict` while it is due anyway
   */
  async sendAgain(tx: Tx, endpointId: string, deliveryId: string): Promise<Delivery> {
    await this.endpoints.get(tx, endpointId);
    const [row] = await tx.query<DeliveryRow>(
      'SELECT * FROM webhook_delivery WHERE organization_id = $1 AND endpoint_id = $2 AND id = $3 FOR UPDATE',
      [tx.organizationId, endpointId, deliveryId],
    );
    if (!row) throw new ColophonError('not_found', 'There is no delivery with this id.');
    if (row.state === 'due') throw new ColophonError('conflict', 'This delivery is due already.');
    const [again] = await tx.query<DeliveryRow>(
      `UPDATE webhook_delivery SET state = 'due', attempts = 0, next_attempt_at = $3
        WHERE organization_id = $1 AND id = $2 RETURNING *`,
      [tx.organizationId, deliveryId, this.clock.now()],
    );
    return deliveryOf(again ?? row);
  }

  /** A message that tells of nothing. @throws ColophonError `not_found`; `conflict` while the endpoint is not active */
  async sendTrial(tx: Tx, endpointId: string): Promise<Delivery> {
    const { state } = await this.endpoints.get(tx, endpointId);
    if (state !== 'active')
      throw new ColophonError('conflict', `The endpoint is ${state}: set it active first.`);
    const [row] = await tx.query<DeliveryRow>(
      `INSERT INTO webhook_delivery
         (organization_id, id, endpoint_id, event, state, attempts, next_attempt_at, created_at)
       VALUES ($1, $2, $3, $4, 'due', 0, $5, $5) RETURNING *`,
      [tx.organizationId, newId(), endpointId, TRIAL_EVENT, this.clock.now()],
    );
    if (!row) throw new Error('an inserted row is returned');
    return deliveryOf(row);
  }
}

function deliveryOf(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    event: row.event,
    entryIndex: row.entry_index === null ? null : Number(row.entry_index),
    state: row.state,
    attempts: row.attempts,
    lastStatus: row.last_status,
    lastError: row.last_error,
    lastAttemptAt: row.last_attempt_at,
    nextAttemptAt: row.state === 'due' ? row.next_attempt_at : null,
    createdAt: row.created_at,
  };
}
