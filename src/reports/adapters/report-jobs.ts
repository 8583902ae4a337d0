import type PgBoss from 'pg-boss';
import { type Logger } from 'pino';
import { type Tx } from '../../database/organization-tx.js';
import { enqueueWithin } from '../../database/job-queue.js';
import { REPORT_QUEUE } from '../../database/queues.js';
import { type MakeReport } from '../application/make-report.js';
import { type ReportQueue } from '../application/request-report.js';

interface ReportJob {
  readonly organizationId: string;
  readonly reportId: string;
}

/** A report takes seconds; one of a killed worker is taken up again after this time. */
const EXPIRE_SECONDS = 60;

export class ReportJobs implements ReportQueue {
  private workerId: string | undefined;

  constructor(
    private readonly boss: PgBoss,
    private readonly logger: Logger,
  ) {}

  async wakeReport(tx: Tx, reportId: string): Promise<void> {
    const job: ReportJob = { organizationId: tx.organizationId, reportId };
    await enqueueWithin(this.boss, tx, REPORT_QUEUE, job, {
      delaySeconds: 0,
      expireInSeconds: EXPIRE_SECONDS,
      retryLimit: 5,
    });
    tx.afterCommit(() => this.nudge());
  }

  async startWorker(makeReport: MakeReport): Promise<void> {
    this.workerId = await this.boss.work<ReportJob>(
      REPORT_QUEUE,
      { pollingIntervalSeconds: 1, batchSize: 1 },
      async ([job]) => {
        if (!job) return;
        try {
          await makeReport.make(job.data.organizationId, job.data.reportId);
        } catch (error) {
          this.logger.error({ err: error, reportId: job.data.reportId }, 'a report could not be made');
          throw error;
        } finally {
          this.nudge();
        }
      },
    );
  }

  private nudge(): void {
    if (this.workerId !== undefined) this.boss.notifyWorker(this.workerId);
  }
}
