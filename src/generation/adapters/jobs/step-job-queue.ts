import type PgBoss from 'pg-boss';
import { enqueueWithin } from '../../../database/job-queue.js';
import { type Tx } from '../../../database/organization-tx.js';
import { STEP_QUEUE } from '../../../database/queues.js';
import { type StepWakeUp, type WakeUpQueue } from '../../domain/wake-up.port.js';

const RETRY_LIMIT = 1000;

/** Sends wake-ups through pg-boss and nudges the worker of this process. */
export class StepJobQueue implements WakeUpQueue {
  constructor(
    private readonly boss: PgBoss,
    /** A job whose worker was killed is given to another one after this time. */
    private readonly expireInSeconds: number,
    private readonly nudge: () => void,
  ) {}

  async wakeStep(tx: Tx, stepRunId: string, delaySeconds = 0): Promise<void> {
    const job: StepWakeUp = { organizationId: tx.organizationId, stepRunId };
    const { expireInSeconds } = this;
    await enqueueWithin(this.boss, tx, STEP_QUEUE, job, {
      delaySeconds,
      expireInSeconds,
      retryLimit: RETRY_LIMIT,
    });
    if (delaySeconds === 0) tx.afterCommit(this.nudge);
  }
}
