import type pg from 'pg';
import { type Logger } from 'pino';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { RETENTION_KINDS } from '../domain/retention-rule.js';
import { type ApplyRetention } from './apply-retention.js';
import { type SettleRemovedFiles } from './settle-removed-files.js';

const INTERVAL_MS = 3_600_000;

/**
 * Once an hour: what is due is removed, step by step, and files that an earlier round left are deleted. Any number of
 * processes may do so: they wait for each other at the lock of the holds, and each step looks anew.
 */
export class RetentionRounds {
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();

  constructor(
    /** Connections of the sequencer's role, which may ask which organizations have rules. */
    private readonly pool: pg.Pool,
    private readonly organizationTx: OrganizationTx,
    private readonly applyRetention: ApplyRetention,
    private readonly settleRemovedFiles: SettleRemovedFiles,
    private readonly logger: Logger,
  ) {}

  start(): void {
    if (this.timer !== undefined) return;
    this.begin();
    this.timer = setInterval(() => this.begin(), INTERVAL_MS);
    this.timer.unref();
  }

  /** Finishes the step at hand. */
  async stop(): Promise<void> {
    this.stopping.abort();
    clearInterval(this.timer);
    await this.round;
  }

  /** @returns how many things were removed. One organization that fails does not keep the others. */
  async runOnce(): Promise<number> {
    const { rows } = await this.pool.query<{ organization_id: string }>(
      'SELECT organization_id FROM organizations_with_retention() ORDER BY random()',
    );
    let removed = 0;
    for (const { organization_id: id } of rows) {
      if (this.stopping.signal.aborted) break;
      try {
        removed += await this.serve(id);
      } catch (error) {
        this.logger.error({ err: error }, 'what is due for removal could not be removed; it is tried again');
      }
    }
    return removed;
  }

  private async serve(organizationId: string): Promise<number> {
    // First what an earlier round left: a hold that was placed since takes it back.
    await this.settleRemovedFiles.settle(organizationId, this.stopping.signal);
    let removed = 0;
    for (const kind of RETENTION_KINDS) {
      let after: string | undefined;
      do {
        if (this.stopping.signal.aborted) return removed;
        const from = after;
        const step = await this.organizationTx.run(organizationId, (tx) =>
          this.applyRetention.step(tx, kind, from),
        );
        removed += step.removed;
        after = step.next;
      } while (after !== undefined);
    }
    await this.settleRemovedFiles.settle(organizationId, this.stopping.signal);
    return removed;
  }

  private begin(): void {
    this.round = this.round
      .then(() => this.runOnce())
      .then(
        () => undefined,
        (error: unknown) =>
          this.logger.warn(
            { err: error },
            'what is due for removal could not be looked for; it is tried again',
          ),
      );
  }
}
