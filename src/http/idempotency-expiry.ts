import type pg from 'pg';
import { type Logger } from 'pino';

/** Keys in one transaction. */
const BATCH = 1_000;
/** Transactions in one round: what is left waits for the next one. */
const MAX_BATCHES = 100;
const INTERVAL_MS = 3_600_000;

/**
 * Deletes idempotency keys that are older than 30 days (migrations/0017-idempotency-expiry.ts), every hour. A request
 * that is repeated with such a key is a new request. Any number of processes may run one.
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

  /** @returns the number of deleted keys */
  async runOnce(): Promise<number> {
    let total = 0;
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const { rows } = await this.pool.query<{ deleted: number }>(
        'SELECT delete_expired_idempotency_keys($1) AS deleted',
        [BATCH],
      );
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
