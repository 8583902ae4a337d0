import type pg from 'pg';
import { type Logger } from 'pino';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { type SendDelivery } from './send-delivery.js';
import { type TellEntries } from './tell-entries.js';

const INTERVAL_MS = 1_000;
/** Of one organization, at the same time: a receiver that does not answer holds up its own organization at most. */
const AT_ONCE = 8;
/** Organizations that are served at the same time. */
const ORGANIZATIONS_AT_ONCE = 4;

/**
 * Looks every second for what is to be told, and tells it. Any number of processes may do so: rows are locked and leased.
 * One organization whose receivers are slow does not make the others wait.
 */
export class WebhookRounds {
  private timer: NodeJS.Timeout | undefined;
  private readonly busy = new Map<string, Promise<void>>();
  private round: Promise<unknown> = Promise.resolve();
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
      this.round = this.begin().catch((error: unknown) =>
        this.logger.warn({ err: error }, 'webhooks could not be sent; they are tried again'),
      );
    }, INTERVAL_MS);
    this.timer.unref();
  }

  /** Finishes the attempts at hand. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    await this.round;
    await Promise.all(this.busy.values());
  }

  /** Everything that is due now. */
  async runOnce(): Promise<void> {
    for (const organizationId of await this.withDue()) await this.serve(organizationId);
  }

  private async begin(): Promise<void> {
    if (this.busy.size >= ORGANIZATIONS_AT_ONCE) return;
    const waiting = (await this.withDue()).filter((id) => !this.busy.has(id));
    for (const organizationId of waiting.slice(0, ORGANIZATIONS_AT_ONCE - this.busy.size)) {
      const served = this.serve(organizationId)
        .catch((error: unknown) =>
          this.logger.warn({ err: error }, 'webhooks could not be sent; they are tried again'),
        )
        .finally(() => this.busy.delete(organizationId));
      this.busy.set(organizationId, served);
    }
  }

  /** In an order of chance, so that with many of them none is always the last. */
  private async withDue(): Promise<string[]> {
    const { rows } = await this.pool.query<{ organization_id: string }>(
      'SELECT organization_id FROM organizations_with_webhooks_due() ORDER BY random() LIMIT 100',
    );
    return rows.map((row) => row.organization_id);
  }

  private async serve(organizationId: string): Promise<void> {
    let again: boolean;
    do {
      const more = await this.organizationTx.run(organizationId, (tx) => this.tellEntries.tell(tx));
      const sent = await this.sendDelivery.sendDue(organizationId, AT_ONCE);
      again = more || sent > 0;
    } while (again && !this.stopping);
  }
}
