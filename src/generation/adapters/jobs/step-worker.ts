import type PgBoss from 'pg-boss';
import { type Logger } from 'pino';
import { STEP_QUEUE } from '../../../database/queues.js';
import { type AdvanceStep } from '../../application/advance-step.js';
import { type StepWakeUp } from '../../domain/wake-up.port.js';

/** Takes wake-ups from the queue. Several processes may run one; the lease in the ledger keeps them apart. */
export class StepWorker {
  private readonly workerIds: string[] = [];
  private readonly busy = new Set<string>();
  private lastNudged = 0;

  constructor(
    private readonly boss: PgBoss,
    private readonly advanceStep: AdvanceStep,
    private readonly concurrency: number,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    for (let worker = 0; worker < this.concurrency; worker++) {
      const id: string = await this.boss.work<StepWakeUp>(
        STEP_QUEUE,
        { pollingIntervalSeconds: 1, batchSize: 1 },
        async ([job]) => {
          if (job) await this.work(id, job.data);
        },
      );
      this.workerIds.push(id);
    }
  }

  /**
   * Look now, without waiting for the poll: something was committed in this process. One look a nudge is enough, by the
   * next worker that has nothing to do; those that are at work look again when they are done.
   */
  nudge(): void {
    const count = this.workerIds.length;
    for (let step = 1; step <= count; step++) {
      const at = (this.lastNudged + step) % count;
      const id = this.workerIds[at];
      if (id === undefined || this.busy.has(id)) continue;
      this.lastNudged = at;
      this.boss.notifyWorker(id);
      return;
    }
  }

  /** An error gives the job back to the queue, which offers it again a little later. */
  private async work(workerId: string, { organizationId, stepRunId }: StepWakeUp): Promise<void> {
    this.busy.add(workerId);
    try {
      await this.advanceStep.advance(organizationId, stepRunId);
    } catch (error) {
      this.logger.error({ err: error, stepRunId }, 'a step could not be advanced; it will be tried again');
      throw error;
    } finally {
      this.busy.delete(workerId);
      // pg-boss waits for its next poll after a job, even when more jobs are there.
      this.boss.notifyWorker(workerId);
    }
  }
}
