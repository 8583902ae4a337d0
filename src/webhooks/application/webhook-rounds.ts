import type pg from 'pg';
import { type Logger } from 'pino';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { type SendDelivery } from './send-delivery.js';
import { type TellEntries } from './tell-entries.js';

const INTERVAL_MS = 1_000;
/** Endpoints that are told at the same time, with one connection each. One organization has at most 20 of them. */
const ENDPOINTS_AT_ONCE = 80;
/** So long is one endpoint told before it makes room for others; then for one attempt more at most. */
const TURN_MS = 20_000;

/**
 * Looks every second for what is to be told, and tells it. Any number of processes may do so: rows are locked and leased.
 * Each endpoint goes on by itself: one that is slow makes neither others of its organization nor other organizations wait.
 */
export class WebhookRounds {
  private timer: NodeJS.Timeout | undefined;
  /** By the ids of the endpoints. */
  private readonly turns = new Map<string, Promise<void>>();
  private round: Promise<void> | undefined;
  private stopping = false;

  constructor(
    /** Connections of the sequencer's role, which may ask which organizations have something to tell. */
    private readonly pool: pg.Pool,
    private readonly organizationTx: OrganizationTx,
    private readonly tellEntries: TellEntries,
    private readonly sendDelivery: SendDelivery,
    private readonly logger: Logger,
  ) {}

  start(): void {
    if (this.timer !== undefined) return;
    this.timer = setInterval(() => {
      this.round ??= this.begin()
        .catch(this.warn)
        .finally(() => (this.round = undefined));
    }, INTERVAL_MS);
    this.timer.unref();
  }

  /** Finishes the attempts at hand. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    await this.round;
    await Promise.all(this.turns.values());
  }

  /** Everything that is due now. */
  async runOnce(): Promise<void> {
    for (const organizationId of await this.withDue()) {
      let again: boolean;
      do {
        const more = await this.tell(organizationId);
        const sent = await Promise.all(
          (await this.sendDelivery.endpointsWithDue(organizationId)).map((endpointId) =>
            this.sendDelivery.sendDue(organizationId, endpointId, () => !this.stopping),
          ),
        );
        again = more || sent.some((attempts) => attempts > 0);
      } while (again && !this.stopping);
    }
  }

  private async begin(): Promise<void> {
    for (const organizationId of await this.withDue()) {
      if (this.stopping || this.turns.size >= ENDPOINTS_AT_ONCE) return;
      await this.serve(organizationId).catch(this.warn);
    }
  }

  /** Begins the turns of one organization's endpoints, and waits for none of them. */
  private async serve(organizationId: string): Promise<void> {
    await this.tell(organizationId);
    for (const endpointId of await this.sendDelivery.endpointsWithDue(organizationId)) {
      if (this.turns.has(endpointId)) continue;
      if (this.stopping || this.turns.size >= ENDPOINTS_AT_ONCE) return;
      const end = performance.now() + TURN_MS;
      const turn = this.sendDelivery
        .sendDue(organizationId, endpointId, () => !this.stopping && performance.now() < end)
        .then(() => undefined, this.warn)
        .finally(() => this.turns.delete(endpointId));
      this.turns.set(endpointId, turn);
    }
  }

  private tell(organizationId: string): Promise<boolean> {
    return this.organizationTx.run(organizationId, (tx) => this.tellEntries.tell(tx));
  }

  private readonly warn = (error: unknown): void => {
    this.logger.warn({ err: error }, 'webhooks could not be sent; they are tried again');
  };

  /** In an order of chance, so that with many of them none is always the last. */
  private async withDue(): Promise<string[]> {
    const { rows } = await this.pool.query<{ organization_id: string }>(
      'SELECT organization_id FROM organizations_with_webhooks_due() ORDER BY random() LIMIT 100',
    );
    return rows.map((row) => row.organization_id);
  }
}
