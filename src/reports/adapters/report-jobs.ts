import type PgBoss from 'pg-boss';
import { type Logger } from 'pino';
import { type Tx } from '../../database/organization-tx.js';
import { enqueueWithin } from '../../database/job-queue.js';
import { REPORT_QUEUE } from '../../database/queues.js';
import { type MakeReport } from '../application/make-report.js';
import { REPORT_LEASE_SECONDS } from '../application/report-lease.js';
import { type ReportQueue } from '../application/request-report.js';

interface ReportJob {
  readonly organizationId: string;
  readonly reportId: string;
}

/**
 * A report takes seconds, the export of a large log minutes. The job of a killed worker is taken up again after this
 * time; that of one who is still at work meets its lease and looks again later.
 */
const EXPIRE_SECONDS = 60;
/** With a second between them: what is unavailable for longer fails the report, which can be asked for again. */
const RETRY_LIMIT = 5;

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
      retryLimit: RETRY_LIMIT,
    });
    tx.afterCommit(() => this.nudge());
  }

  async startWorker(makeReport: MakeReport): Promise<void> {
    this.workerId = await this.boss.work<ReportJob>(
      REPORT_QUEUE,
      { pollingIntervalSeconds: 1, batchSize: 1, includeMetadata: true },
      async ([job]) => {
        if (!job) return;
        try {
          const isLastAttempt = job.retryCount >= RETRY_LIMIT;
          const { organizationId, reportId } = job.data;
          const outcome = await makeReport.make(organizationId, reportId, isLastAttempt);
          if (outcome === 'busy') await this.lookAgain(job.data);
        } catch (error) {
          this.logger.error({ err: error, reportId: job.data.reportId }, 'a report could not be made');
          throw error;
        } finally {
          this.nudge();
        }
      },
    );
  }

  /** Should the worker die that is at work now, its lease has ended by then. */
  private async lookAgain(job: ReportJob): Promise<void> {
    await this.boss.send(REPORT_QUEUE, job, {
      startAfter: REPORT_LEASE_SECONDS + 1,
      expireInSeconds: EXPIRE_SECONDS,
      retryLimit: RETRY_LIMIT,
    });
  }

  private nudge(): void {
    if (this.workerId !== undefined) this.boss.notifyWorker(this.workerId);
  }
}
