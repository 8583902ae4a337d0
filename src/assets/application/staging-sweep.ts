import { type Logger } from 'pino';
import { type Clock } from '../../shared/clock.js';

const INTERVAL_MS = 3_600_000;

/** What knows which files in the making nobody will come back for. */
export interface SweepableStaging {
  sweepStaging(now: Date): Promise<number>;
  putBackRemoving(): Promise<void>;
}

/** Removes them at the start and every hour; what was being removed when a process was killed is put back first. */
export class StagingSweep {
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly staging: SweepableStaging,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    await this.staging.putBackRemoving();
    await this.staging.sweepStaging(this.clock.now());
    if (this.timer !== undefined) return;
    this.timer = setInterval(() => {
      this.round = this.staging
        .sweepStaging(this.clock.now())
        .catch((error: unknown) =>
          this.logger.warn({ err: error }, 'the staging area could not be swept; it is tried again'),
        );
    }, INTERVAL_MS);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.round;
  }
}
