import type PgBoss from 'pg-boss';
import { type Logger } from 'pino';
import { enqueueWithin } from '../../../database/job-queue.js';
import { type Tx } from '../../../database/organization-tx.js';
import { DELIVERY_QUEUE } from '../../../database/queues.js';

interface DeliveryJob {
  readonly organizationId: string;
  readonly deliveryId: string;
}

/** An attempt ends after 15 seconds; one of a killed worker is made again after this time. */
const EXPIRE_SECONDS = 60;
const RETRY_LIMIT = 1000;
/** A receiver that does not answer holds one of them. */
const WORKERS = 2;

/** Wake-ups for deliveries through pg-boss. The table of deliveries is the truth: a job that comes twice does nothing. */
export class WebhookJobs {
  private readonly workerIds: string[] = [];

  constructor(
    private readonly boss: PgBoss,
    private readonly logger: Logger,
  ) {}

  async wakeDelivery(tx: Tx, deliveryId: string, delaySeconds: number): Promise<void> {
    const job: DeliveryJob = { organizationId: tx.organizationId, deliveryId };
    await enqueueWithin(this.boss, tx, DELIVERY_QUEUE, job, {
      delaySeconds,
      expireInSeconds: EXPIRE_SECONDS,
      retryLimit: RETRY_LIMIT,
    });
    if (delaySeconds === 0) tx.afterCommit(() => this.nudge());
  }

  async startWorkers(deliver: (organizationId: string, deliveryId: string) => Promise<void>): Promise<void> {
    for (let worker = 0; worker < WORKERS; worker++) {
      const id = await this.boss.work<DeliveryJob>(
        DELIVERY_QUEUE,
        { pollingIntervalSeconds: 1, batchSize: 1 },
        async ([job]) => {
          if (!job) return;
          try {
            await deliver(job.data.organizationId, job.data.deliveryId);
          } catch (error) {
            this.logger.error({ err: error, deliveryId: job.data.deliveryId }, 'a webhook could not be sent');
            throw error;
          } finally {
            this.nudge();
          }
        },
      );
      this.workerIds.push(id);
    }
  }

  private nudge(): void {
    for (const id of this.workerIds) this.boss.notifyWorker(id);
  }
}
