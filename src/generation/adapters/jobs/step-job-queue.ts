import type PgBoss from 'pg-boss';
import { type Tx } from '../../../database/organization-tx.js';
import { STEP_QUEUE } from '../../../database/queues.js';
import { type StepWakeUp, type WakeUpQueue } from '../../domain/wake-up.port.js';

/** Sends wake-ups through pg-boss with the caller's own transaction, and nudges the worker of this process. */
export class StepJobQueue implements WakeUpQueue {
  constructor(
    private readonly boss: PgBoss,
    private readonly expireInSeconds: number,
    private readonly nudge: () => void,
  ) {}

  async wakeStep(tx: Tx, stepRunId: string, delaySeconds = 0): Promise<void> {
    const job: StepWakeUp = { organizationId: tx.organizationId, stepRunId };
    await this.boss.send(STEP_QUEUE, job, {
      db: {
        executeSql: async (text: string, values: unknown[]) => {
          const rows: unknown = await tx.manager.query(text, values);
          return { rows } as never;
        },
      },
      startAfter: delaySeconds,
      // A job whose worker was killed is given to another one after this time.
      expireInSeconds: this.expireInSeconds,
      retryLimit: 1000,
      retryDelay: 1,
    });
    if (delaySeconds === 0) tx.afterCommit(this.nudge);
  }
}
