import type pg from 'pg';
import { type Logger } from 'pino';
import { type LogWriter, MAX_BATCH } from './log-writer.js';
import { type PublishLog } from './publish-log.js';

export interface SequencerOptions {
  /** How often to look for entries that another process appended. */
  readonly pollIntervalMs: number;
  /** How often to look at every log, also those with nothing to do. */
  readonly fullRoundIntervalMs: number;
  /** Least time between two rounds over all logs; longer under load, see {@link pauseAfterMs}. */
  readonly roundIntervalMs: number;
  /** The same while nobody in this process waits for a log: a round costs the same for one entry and for many. */
  readonly sharedRoundIntervalMs: number;
  /** Least time between two publications of one log that nobody in this process waits for. */
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

interface LogWithWork {
  readonly organizationId: string;
  readonly hasPending: boolean;
}

/**
 * One loop for all logs of this deployment. Any number of processes may run one: the compare-and-swap on the head
 * of each log leaves one winner per round.
 */
export class Sequencer {
  private running: Promise<void> | undefined;
  private stopped = false;
  private wakeUp: () => void = () => undefined;
  private endPause: () => void = () => undefined;
  private hurry: () => void = () => undefined;
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
  /** When each log was published by this process, on the clock of `performance`: one number a log. */
  private readonly publishedAtMs = new Map<string, number>();
  private readonly followers = new Map<string, Set<() => void>>();
  private health: SequencerHealth = { lastSuccessAt: undefined, lastError: undefined };

  constructor(
    private readonly pool: pg.Pool,
    private readonly logWriter: LogWriter,
    private readonly publishLog: PublishLog,
    private readonly logger: Logger,
    private readonly options: SequencerOptions = {
      pollIntervalMs: 500,
      roundIntervalMs: 50,
      sharedRoundIntervalMs: 250,
      publishIntervalMs: 1_000,
      fullRoundIntervalMs: 60_000,
    },
    /** Asks others what they have seen of a log, after each start until it succeeds. */
    private readonly beforeFirstSigning: (organizationId: string) => Promise<void> = () => Promise.resolve(),
  ) {}

  start(): void {
    this.stopped = false;
    this.running ??= this.loop();
  }

  /** Finishes the round at hand, and publishes what was not due yet. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.endPause();
    const wasRunning = this.running !== undefined;
    await this.running;
    this.running = undefined;
    if (wasRunning && this.health.lastError === undefined) await this.tryRound(() => true);
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
   * Somebody waits for the publication of a log: it is published without waiting for others to share it, and `changed`
   * is called after each publication. @returns ends this
   */
  follow(organizationId: string, changed: () => void): () => void {
    const followers = this.followers.get(organizationId) ?? new Set();
    this.followers.set(organizationId, followers.add(changed));
    this.wake();
    this.hurry();
    return () => {
      followers.delete(changed);
      if (followers.size === 0) this.followers.delete(organizationId);
    };
  }

  /**
   * One round over every log that has something to do; returns the number of integrated entries.
   * @throws the first failure, after every log had its turn
   */
  runOnce(): Promise<number> {
    return this.round(() => true);
  }

  private async round(mayPublish: (organizationId: string) => boolean): Promise<number> {
    let integrated = 0;
    const isFull = performance.now() - this.lastFullRoundMs >= this.options.fullRoundIntervalMs;
    const withWork = await (isFull ? this.allLogs() : this.logsWithWork());
    this.unasked ??= new Set(withWork.map(({ organizationId }) => organizationId));
    const queue = [...withWork, ...this.failedBefore(withWork)];
    const failures: unknown[] = [];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { organizationId } = next;
        try {
          integrated += await this.sequence(next, isFull || mayPublish(organizationId));
        } catch (error) {
          // One log that cannot be written must not hold up those of other organizations.
          this.unpublished.add(organizationId);
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_LOGS }, work));
    if (isFull) this.lastFullRoundMs = performance.now();
    if (failures.length > 0) throw failures[0];
    return integrated;
  }

  private failedBefore(withWork: readonly LogWithWork[]): LogWithWork[] {
    const known = new Set(withWork.map(({ organizationId }) => organizationId));
    return [...this.unpublished]
      .filter((organizationId) => !known.has(organizationId))
      .map((organizationId) => ({ organizationId, hasPending: true }));
  }

  private async sequence({ organizationId, hasPending }: LogWithWork, mayPublish: boolean): Promise<number> {
    if (this.unasked?.has(organizationId)) {
      await this.beforeFirstSigning(organizationId);
      // Only now, and for this log alone: one that could not be asked about stays unsigned, and is tried again.
      this.unasked.delete(organizationId);
    }
    const integrated = hasPending ? await this.integrate(organizationId) : 0;
    if (mayPublish) await this.publish(organizationId);
    return integrated;
  }

  private async integrate(organizationId: string): Promise<number> {
    let integrated = 0;
    let batch: number;
    do {
      batch = await this.logWriter.integratePending(organizationId);
      integrated += batch;
      // What comes in meanwhile waits for the next round: writers that never rest must not keep this one from publishing.
    } while (batch === MAX_BATCH);
    return integrated;
  }

  private async publish(organizationId: string): Promise<void> {
    const startMs = performance.now();
    await this.publishLog.publish(organizationId);
    this.unpublished.delete(organizationId);
    this.publishedAtMs.set(organizationId, startMs);
    this.followers.get(organizationId)?.forEach((changed) => changed());
  }

  /**
   * What a publication costs is the same for one entry and for hundreds. A log that was quiet is published at once; what
   * follows shares the next publication, unless somebody waits for it.
   */
  private isDue(organizationId: string): boolean {
    const lastMs = this.publishedAtMs.get(organizationId) ?? -Infinity;
    return this.followers.has(organizationId) || performance.now() - lastMs >= this.options.publishIntervalMs;
  }

  private async loop(): Promise<void> {
    while (!this.stopped) {
      this.pendingWake = false;
      const startMs = performance.now();
      await this.tryRound((organizationId) => this.isDue(organizationId));
      const pauseMs = pauseAfterMs(performance.now() - startMs, this.options.roundIntervalMs);
      await this.pause(pauseMs);
      const untilSharedMs = this.options.sharedRoundIntervalMs - pauseMs;
      if (this.followers.size === 0 && untilSharedMs > 0) await this.pause(untilSharedMs, 'somebody waits');
      if (!this.pendingWake) await this.pause(this.options.pollIntervalMs, 'an entry comes');
    }
  }

  private async tryRound(mayPublish: (organizationId: string) => boolean): Promise<void> {
    try {
      await this.round(mayPublish);
      this.health = { lastSuccessAt: new Date(), lastError: undefined };
    } catch (error) {
      this.health = { ...this.health, lastError: error instanceof Error ? error.message : String(error) };
      this.logger.error({ err: error }, 'the log could not be sequenced; entries stay pending');
    }
  }

  private pause(milliseconds: number, until?: 'an entry comes' | 'somebody waits'): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
      this.wakeUp = until === 'an entry comes' ? this.endPause : () => undefined;
      this.hurry = until === 'somebody waits' ? this.endPause : () => undefined;
    });
  }

  private async allLogs(): Promise<LogWithWork[]> {
    const { rows } = await this.pool.query<{ organization_id: string }>(
      'SELECT organization_id FROM audit_log',
    );
    return rows.map((row) => ({ organizationId: row.organization_id, hasPending: true }));
  }

  /** Logs with pending entries, and logs whose head has no recorded checkpoint yet. */
  private async logsWithWork(): Promise<LogWithWork[]> {
    const { rows } = await this.pool.query<{ organization_id: string; has_pending: boolean }>(
      `SELECT organization_id, has_pending FROM (
        SELECT l.organization_id, l.size,
               EXISTS (SELECT 1 FROM audit_pending p WHERE p.organization_id = l.organization_id) AS has_pending
          FROM audit_log l) AS log
        WHERE has_pending OR NOT EXISTS (
          SELECT 1 FROM audit_checkpoint c WHERE c.organization_id = log.organization_id AND c.size = log.size)`,
    );
    return rows.map((row) => ({ organizationId: row.organization_id, hasPending: row.has_pending }));
  }
}
