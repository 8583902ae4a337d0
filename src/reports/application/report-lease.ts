import { type OrganizationTx } from '../../database/organization-tx.js';
import { ReportEntity } from '../adapters/report.entity.js';

/** A worker that was not heard of for so long is taken for dead. Far longer than between two beats. */
export const REPORT_LEASE_SECONDS = 45;
const BEAT_MS = 15_000;

/**
 * Who makes a report. The export of a large log takes minutes, longer than any job of the queue may: while its worker is
 * alive, nobody begins the same work beside it. By the clock of the database, which all workers share.
 */
export class ReportLeases {
  constructor(private readonly organizationTx: OrganizationTx) {}

  /** @returns the report, which is RUNNING from now on; `busy` while another worker makes it; `over` when it was made */
  take(organizationId: string, id: string): Promise<ReportEntity | 'busy' | 'over'> {
    return this.organizationTx.run(organizationId, async (tx) => {
      // One statement: what another worker has finished since it was read is not opened again.
      const taken = await tx.query<{ id: string }>(
        `UPDATE report SET state = 'RUNNING', progress = 0.05, worked_at = now()
          WHERE organization_id = $1 AND id = $2 AND (state = 'QUEUED' OR (state = 'RUNNING'
            AND (worked_at IS NULL OR worked_at < now() - make_interval(secs => $3))))
          RETURNING id`,
        [organizationId, id, REPORT_LEASE_SECONDS],
      );
      const report = await tx.manager.findOneBy(ReportEntity, { organizationId, id });
      if (report === null) return 'over';
      if (taken.length === 1) return report;
      return report.state === 'RUNNING' ? 'busy' : 'over';
    });
  }

  /** Lets others know that the worker lives, until the work is over. A beat that fails shortens the lease, no more. */
  async hold<T>(organizationId: string, id: string, work: () => Promise<T>): Promise<T> {
    const beat = setInterval(() => {
      this.mark(organizationId, id, 'now()').catch(() => undefined);
    }, BEAT_MS);
    try {
      return await work();
    } finally {
      clearInterval(beat);
    }
  }

  /** After a failure that is tried again: whoever comes next need not wait. */
  async release(organizationId: string, id: string): Promise<void> {
    await this.mark(organizationId, id, 'NULL');
  }

  private mark(organizationId: string, id: string, value: 'now()' | 'NULL'): Promise<void> {
    return this.organizationTx.run(organizationId, async (tx) => {
      await tx.query(
        `UPDATE report SET worked_at = ${value} WHERE organization_id = $1 AND id = $2 AND state = 'RUNNING'`,
        [organizationId, id],
      );
    });
  }
}
