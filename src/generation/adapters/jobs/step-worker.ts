import type PgBoss from 'pg-boss';
import { type Logger } from 'pino';
import { STEP_QUEUE } from '../../../database/queues.js';
import { type AdvanceStep } from '../../application/advance-step.js';
import { type StepWakeUp } from '../../domain/wake-up.port.js';

/** Takes wake-ups from the queue. Several processes may run one; the lease in the ledger keeps them apart. */
export class StepWorker {
  private readonly workerIds: string[] = [];

  constructor(
    private readonly boss: PgBoss,
    private readonly advanceStep: AdvanceStep,
    private readonly concurrency: number,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    for (let worker = 0; worker < this.concurrency; worker++) {
      const id = await this.boss.work<StepWakeUp>(
        STEP_QUEUE,
        { pollingIntervalSeconds: 1, batchSize: 1 },
        async ([job]) => {
          if (job) await this.work(job.data);
        },
      );
      this.workerIds.push(id);
    }
  }

  /** Look now, without waiting for the poll: something was committed in this process. */
  nudge(): void {
    for (const id of this.workerIds) this.boss.notifyWorker(id);
  }

  /** An error gives the job back to the queue, which offers it again a little later. */
  private async work({ organizationId, stepRunId }: StepWakeUp): Promise<void> {
    try {
      await this.advanceStep.advance(organizationId, stepRunId);
    } catch (error) {
      this.logger.error({ err: error, stepRunId }, 'a step could not be advanced; it will be tried again');
      throw error;
    } finally {
      // pg-boss waits for its next poll after a job, even when more jobs are there.
      this.nudge();
    }
  }
}
