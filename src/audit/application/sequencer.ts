import type pg from 'pg';
import { type Logger } from 'pino';
import { type LogWriter, MAX_BATCH } from './log-writer.js';
import { type PublishLog } from './publish-log.js';

export interface SequencerOptions {
  /** How often to look for entries that another process appended. */
  readonly pollIntervalMs: number;
  /** How often to look at every log, also those with nothing to do. */
  readonly fullRoundIntervalMs: number;
  /** Least time between two publications of all logs; longer under load, see {@link pauseAfterMs}. */
  readonly publishIntervalMs: number;
}

/** How the sequencer is doing, for readiness: the log cannot be written when it keeps failing. */
export interface SequencerHealth {
  readonly lastSuccessAt: Date | undefined;
  readonly lastError: string | undefined;
}

/** A round of more than this is followed by a pause of three times what is beyond it. */
const SHORT_ROUND_MS = 50;
const PAUSE_PER_ROUND = 3;
const LONGEST_PAUSE_MS = 1_000;

/**
 * How long to wait after a round. What a round costs beside its entries (partial tiles, fsync, a signature, a dozen
 * statements) is paid less often when there is much to do, and each entry waits for its checkpoint a little longer.
 */
export function pauseAfterMs(roundMs: number, leastMs: number): number {
  return Math.max(leastMs, Math.min(LONGEST_PAUSE_MS, PAUSE_PER_ROUND * (roundMs - SHORT_ROUND_MS)));
}

/** Logs that are worked on at once: publishing waits for the disk most of the time. */
const PARALLEL_LOGS = 4;

/**
 * One loop for all logs of this deployment. Any number of processes may run one: the compare-and-swap on the head
 * of each log leaves one winner per round.
 */
export class Sequencer {
  private running: Promise<void> | undefined;
  private stopped = false;
  private wakeUp: () => void = () => undefined;
  private endPause: () => void = () => undefined;
  private pendingWake = false;
  /** Logs of the first round whose history others have not been asked about yet; unknown before that round. */
  private unasked: Set<string> | undefined;
  /**
   * Another process may have died between a checkpoint row and its file. While nothing is published nothing is begun,
   * so no new entry might ever come to repair it.
   */
  private lastFullRoundMs = -Infinity;
  /** Logs whose last round failed: their checkpoint may be recorded, but not published. */
  private readonly unpublished = new Set<string>();
  private health: SequencerHealth = { lastSuccessAt: undefined, lastError: undefined };

  constructor(
    private readonly pool: pg.Pool,
    private readonly logWriter: LogWriter,
    private readonly publishLog: PublishLog,
    private readonly logger: Logger,
    private readonly options: SequencerOptions = {
      pollIntervalMs: 500,
      publishIntervalMs: 50,
      fullRoundIntervalMs: 60_000,
    },
    /** Asks others what they have seen of a log, after each start until it succeeds. */
    private readonly beforeFirstSigning: (organizationId: string) => Promise<void> = () => Promise.resolve(),
  ) {}

  start(): void {
    this.stopped = false;
    this.running ??= this.loop();
  }

  /** Finishes the round at hand. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.endPause();
    await this.running;
    this.running = undefined;
  }

  /** Called after a commit in this process; others are found by polling. */
  wake(): void {
    this.pendingWake = true;
    this.wakeUp();
  }

  /** Whether a log may be signed in this process: others were asked what they have seen of it. */
  maySign(organizationId: string): boolean {
    return this.unasked !== undefined && !this.unasked.has(organizationId);
  }

  status(): SequencerHealth {
    return this.health;
  }

  /**
   * One round over every log that has something to do; returns the number of integrated entries.
   * @throws the first failure, after every log had its turn
   */
  async runOnce(): Promise<number> {
    let integrated = 0;
    const isFull = performance.now() - this.lastFullRoundMs >= this.options.fullRoundIntervalMs;
    const withWork = await (isFull ? this.allLogs() : this.logsWithWork());
    this.unasked ??= new Set(withWork);
    const queue = [...new Set([...withWork, ...this.unpublished])];
    const failures: unknown[] = [];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        try {
          integrated += await this.sequence(next);
          this.unpublished.delete(next);
        } catch (error) {
          // One log that cannot be written must not hold up those of other organizations.
          this.unpublished.add(next);
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_LOGS }, work));
    if (isFull) this.lastFullRoundMs = performance.now();
    if (failures.length > 0) throw failures[0];
    return integrated;
  }

  private async sequence(organizationId: string): Promise<number> {
    if (this.unasked?.has(organizationId)) {
      await this.beforeFirstSigning(organizationId);
      // Only now, and for this log alone: one that could not be asked about stays unsigned, and is tried again.
      this.unasked.delete(organizationId);
    }
    let integrated = 0;
    let batch: number;
    do {
      batch = await this.logWriter.integratePending(organizationId);
      integrated += batch;
      // What comes in meanwhile waits for the next round: writers that never rest must not keep this one from publishing.
    } while (batch === MAX_BATCH);
    await this.publishLog.publish(organizationId);
    return integrated;
  }

  private async loop(): Promise<void> {
    while (!this.stopped) {
      this.pendingWake = false;
      const startMs = performance.now();
      try {
        await this.runOnce();
        this.health = { lastSuccessAt: new Date(), lastError: undefined };
      } catch (error) {
        this.health = { ...this.health, lastError: error instanceof Error ? error.message : String(error) };
        this.logger.error({ err: error }, 'the log could not be sequenced; entries stay pending');
      }
      const pauseMs = pauseAfterMs(performance.now() - startMs, this.options.publishIntervalMs);
      await this.pause(pauseMs);
      if (!this.pendingWake) await this.pause(this.options.pollIntervalMs, true);
    }
  }

  private pause(milliseconds: number, untilWoken = false): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
      this.wakeUp = untilWoken ? this.endPause : () => undefined;
    });
  }

  private async allLogs(): Promise<string[]> {
    const { rows } = await this.pool.query<{ organization_id: string }>(
      'SELECT organization_id FROM audit_log',
    );
    return rows.map((row) => row.organization_id);
  }

  /** Logs with pending entries, and logs whose head has no recorded checkpoint yet. */
  private async logsWithWork(): Promise<string[]> {
    const { rows } = await this.pool.query<{ organization_id: string }>(
      `SELECT l.organization_id FROM audit_log l
        WHERE EXISTS (SELECT 1 FROM audit_pending p WHERE p.organization_id = l.organization_id)
           OR NOT EXISTS (SELECT 1 FROM audit_checkpoint c WHERE c.organization_id = l.organization_id AND c.size = l.size)`,
    );
    return rows.map((row) => row.organization_id);
  }
}
