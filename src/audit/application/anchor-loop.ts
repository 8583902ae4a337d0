import type pg from 'pg';
import { type Logger } from 'pino';
import { type PublishLog } from './publish-log.js';
import { type TimeStampLog } from './time-stamp-log.js';
import { type WitnessLog } from './witness-log.js';

/** Logs that are anchored at once: each waits for others most of the time. */
const PARALLEL_LOGS = 8;

/**
 * Shows the checkpoints of all logs to the witnesses and to the time-stamp authority, beside the business: nothing
 * waits for it. Any number of processes may run one.
 */
export class AnchorLoop {
  private running: Promise<void> | undefined;
  private stopped = false;
  private endPause: () => void = () => undefined;

  constructor(
    private readonly pool: pg.Pool,
    private readonly publishLog: PublishLog,
    private readonly witnessLog: WitnessLog | undefined,
    private readonly timeStampLog: TimeStampLog | undefined,
    private readonly logger: Logger,
    private readonly intervalMs: number,
    /** False until it is known that this database was not rewound: publishing may sign. */
    private readonly maySign: (organizationId: string) => boolean = () => true,
  ) {}

  start(): void {
    if (this.witnessLog === undefined && this.timeStampLog === undefined) return;
    this.stopped = false;
    this.running ??= this.loop();
  }

  /** Finishes what is at hand. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.endPause();
    await this.running;
    this.running = undefined;
  }

  /** One round over every log; those that everybody has seen cost two queries. Failures are logged and tried again. */
  async runOnce(): Promise<void> {
    const queue = await this.logsToAnchor();
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await this.anchor(next);
    };
    await Promise.all(Array.from({ length: PARALLEL_LOGS }, work));
  }

  private async anchor(organizationId: string): Promise<void> {
    const results = await Promise.allSettled([
      this.witnessLog?.witness(organizationId),
      this.timeStampLog?.stamp(organizationId),
    ]);
    for (const result of results) if (result.status === 'rejected') this.report(result.reason);
    if (!this.maySign(organizationId)) return;
    // The published note gets the cosignatures that have come.
    await this.publishLog.publish(organizationId).catch((error: unknown) => this.report(error));
  }

  private async loop(): Promise<void> {
    while (!this.stopped) {
      await this.runOnce().catch((error: unknown) => this.report(error));
      await this.pause();
    }
  }

  private report(error: unknown): void {
    this.logger.warn({ err: error }, 'a checkpoint could not be anchored; it is tried again');
  }

  private pause(): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.intervalMs);
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async logsToAnchor(): Promise<string[]> {
    const { rows } = await this.pool.query<{ organization_id: string }>(
      'SELECT organization_id FROM audit_log WHERE size > 0 ORDER BY organization_id',
    );
    return rows.map((row) => row.organization_id);
  }
}
