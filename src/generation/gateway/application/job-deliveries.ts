import { type Tx } from '../../../database/organization-tx.js';
import { newId } from '../../../shared/ids.js';
import { type Clock } from '../../../shared/clock.js';
import { type RunEvent } from '../../application/run-events.js';
import { TERMINAL_RUN_STATES } from '../../domain/run.js';
import { type WebhookEvent } from '../domain/gateway-job.js';

/** Wakes whoever delivers. In the transaction: a wake-up exists exactly if its delivery does. */
export interface DeliveryQueue {
  wakeDelivery(tx: Tx, deliveryId: string, delaySeconds: number): Promise<void>;
}

export interface Delivery {
  readonly event: WebhookEvent;
  readonly state: 'due' | 'delivered' | 'given_up';
  readonly attempts: number;
  readonly lastStatus: number | undefined;
  readonly lastError: string | undefined;
  readonly createdAt: Date;
  readonly lastAttemptAt: Date | undefined;
}

interface DeliveryRow {
  event: WebhookEvent;
  state: Delivery['state'];
  attempts: number;
  last_status: number | null;
  last_error: string | null;
  created_at: Date;
  last_attempt_at: Date | null;
}

/** What the clients of jobs are to be told. Each delivery is written in the transaction in which it happens. */
export class JobDeliveries {
  constructor(
    private readonly queue: DeliveryQueue,
    private readonly clock: Clock,
  ) {}

  /** Called for every event of every run. */
  async note(tx: Tx, runId: string, event: RunEvent): Promise<void> {
    const told = toldOf(event);
    if (told === undefined) return;
    const id = newId();
    // Of an output there may be several; of a start and an end there is one.
    const rows = await tx.query(
      `INSERT INTO gateway_delivery (organization_id, id, run_id, event, ordinal, state, attempts, created_at)
       SELECT j.organization_id, $3, j.run_id, $4,
              CASE WHEN $4 = 'output' THEN (SELECT count(*)::int FROM gateway_delivery d
                     WHERE d.organization_id = j.organization_id AND d.run_id = j.run_id AND d.event = 'output')
                   ELSE 0 END, 'due', 0, $5
         FROM gateway_job j
        WHERE j.organization_id = $1 AND j.run_id = $2 AND $4 = ANY(j.webhook_events)
       ON CONFLICT (organization_id, run_id, event, ordinal) DO NOTHING RETURNING id`,
      [tx.organizationId, runId, id, told, this.clock.now()],
    );
    if (rows.length > 0) await this.queue.wakeDelivery(tx, id, 0);
  }

  /** Of one run, in their order. */
  async of(tx: Tx, runId: string): Promise<Delivery[]> {
    const rows = await tx.query<DeliveryRow>(
      `SELECT event, state, attempts, last_status, last_error, created_at, last_attempt_at FROM gateway_delivery
        WHERE organization_id = $1 AND run_id = $2 ORDER BY id`,
      [tx.organizationId, runId],
    );
    return rows.map((row) => ({
      event: row.event,
      state: row.state,
      attempts: row.attempts,
      lastStatus: row.last_status ?? undefined,
      lastError: row.last_error ?? undefined,
      createdAt: row.created_at,
      lastAttemptAt: row.last_attempt_at ?? undefined,
    }));
  }
}

function toldOf(event: RunEvent): WebhookEvent | undefined {
  if (event.type === 'run') return TERMINAL_RUN_STATES.includes(event.state) ? 'completed' : undefined;
  if (event.state === 'SUBMITTING') return 'start';
  return event.state === 'SUCCEEDED' ? 'output' : undefined;
}
