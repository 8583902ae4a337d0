import type PgBoss from 'pg-boss';
import { type Logger } from 'pino';
import { type Tx } from '../../database/organization-tx.js';
import { enqueueWithin } from '../../database/job-queue.js';
import { REPORT_SCHEDULE_QUEUE } from '../../database/queues.js';
import { type MakeDueReports } from '../application/make-due-reports.js';
import { type ScheduleQueue } from '../application/report-schedules.js';

interface ScheduleJob {
  readonly organizationId: string;
  readonly scheduleId: string;
}

const EXPIRE_SECONDS = 60;
const RETRY_DELAY_SECONDS = 60;
/** Two months of one attempt a minute: whatever is unavailable comes back, or somebody has noticed. */
const RETRY_LIMIT = 90_000;
/** A service that was switched off for a year goes on; how much it makes up for, `madeUpFor` says. */
const RETENTION_DAYS = 400;
const POLLING_SECONDS = 30;

/** Wake-ups of report schedules: delayed jobs of the same queue that reports use. */
export class ScheduleJobs implements ScheduleQueue {
  constructor(
    private readonly boss: PgBoss,
    private readonly logger: Logger,
  ) {}

  async wakeSchedule(
    tx: Tx,
    { id, dueAt, now }: { readonly id: string; readonly dueAt: Date; readonly now: Date },
  ): Promise<void> {
    const job: ScheduleJob = { organizationId: tx.organizationId, scheduleId: id };
    await enqueueWithin(this.boss, tx, REPORT_SCHEDULE_QUEUE, job, {
      delaySeconds: Math.max(0, Math.ceil((dueAt.getTime() - now.getTime()) / 1000)),
      expireInSeconds: EXPIRE_SECONDS,
      retryLimit: RETRY_LIMIT,
      retryDelaySeconds: RETRY_DELAY_SECONDS,
      retentionDays: RETENTION_DAYS,
    });
  }

  async startWorker(dueReports: MakeDueReports): Promise<void> {
    await this.boss.work<ScheduleJob>(
      REPORT_SCHEDULE_QUEUE,
      { pollingIntervalSeconds: POLLING_SECONDS, batchSize: 1 },
      async ([job]) => {
        if (!job) return;
        try {
          await dueReports.makeDue(job.data.organizationId, job.data.scheduleId);
        } catch (error) {
          this.logger.error(
            { err: error, scheduleId: job.data.scheduleId },
            'a scheduled report could not be asked for',
          );
          throw error;
        }
      },
    );
  }
}
