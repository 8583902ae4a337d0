import type pg from 'pg';
import { type Logger } from 'pino';

/** Keys in one transaction. */
const BATCH = 1_000;
/** Transactions in one round: what is left waits for the next one. */
const MAX_BATCHES = 100;
const INTERVAL_MS = 3_600_000;

/** What remembers requests and deliveries, each with the function that forgets old ones (migrations 0017, 0021, 0033, 0039). */
const FORGET = [
  'delete_expired_idempotency_keys',
  'delete_expired_gateway_requests',
  'delete_old_webhook_deliveries',
  'delete_expired_gateway_jobs',
  'delete_expired_gateway_uploads',
] as const;

/**
 * Deletes idempotency keys, requests, jobs and announced files of the gateway, and records of webhooks older than 30 days, every
 * hour. A request that is repeated after that is a new request. Any number of processes may run one.
 */
export class IdempotencyExpiry {
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<unknown> = Promise.resolve();
  private stopped = true;

  constructor(
    /** Connections of the sequencer's role. */
    private readonly pool: pg.Pool,
    private readonly logger: Logger,
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.begin();
    this.timer = setInterval(() => this.begin(), INTERVAL_MS);
    this.timer.unref();
  }

  /** Finishes the batch at hand. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.round;
  }

  /** @returns the number of deleted rows */
  async runOnce(): Promise<number> {
    let total = 0;
    for (const forget of FORGET) total += await this.inBatches(forget);
    return total;
  }

  private async inBatches(forget: (typeof FORGET)[number]): Promise<number> {
    let total = 0;
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const { rows } = await this.pool.query<{ deleted: number }>(`SELECT ${forget}($1) AS deleted`, [BATCH]);
      const deleted = rows[0]?.deleted ?? 0;
      total += deleted;
      if (deleted < BATCH) break;
    }
    return total;
  }

  private begin(): void {
    this.round = this.runOnce().catch((error: unknown) =>
      this.logger.warn({ err: error }, 'old idempotency keys could not be deleted; they are tried again'),
    );
  }
}
