import { createReadStream } from 'node:fs';
import { type Readable } from 'node:stream';
import { type RemovedContent } from '../../assets/application/removed-content.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type LogWriter } from '../../audit/application/log-writer.js';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { reportSubject } from '../domain/report-subject.js';
import { type ReportEntity } from '../adapters/report.entity.js';
import { type RequestReport } from './request-report.js';

/** A report that can be read. */
export type FinishedReport = ReportEntity & { readonly sha256: string };

/** The way out for finished reports: whoever gets one is in the log before the first byte leaves (promise P3). */
export class ReadReport {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly reports: RequestReport,
    private readonly store: AssetStore,
    private readonly removed: RemovedContent,
    private readonly log: LogWriter,
  ) {}

  /** @throws ColophonError `not_found`; `conflict` when it is not done, or was withdrawn with an erased person; `content_removed` */
  async finished(organizationId: string, id: string): Promise<FinishedReport> {
    const report = await this.organizationTx.run(organizationId, (tx) => this.reports.get(tx, id));
    if (report.state === 'ERASED') {
      throw new ColophonError(
        'conflict',
        'This report showed a person who was erased since, so its file is gone. Make it again.',
      );
    }
    if (report.state === 'REMOVED') {
      await this.organizationTx.run(organizationId, (tx) => this.removed.requirePresent(tx, 'report', id));
    }
    const { sha256 } = report;
    if (report.state !== 'DONE' || sha256 === null)
      throw new ColophonError('conflict', `The report is ${report.state}.`);
    return { ...report, sha256 };
  }

  /**
   * @param sendsBody false when only headers will be sent: that is not written down
   * @throws ColophonError `audit_unavailable`, `storage_unavailable`: nothing may be sent
   */
  async content(principal: Principal, report: FinishedReport, sendsBody: boolean): Promise<Readable> {
    const path = await this.store.localPath(principal.organizationId, report.sha256);
    if (sendsBody) {
      await this.log.append(principal.organizationId, {
        type: 'report.read',
        actor: actorOf(principal),
        subject: { kind: 'report', id: publicId('report', report.id) },
        data: {
          kind: report.kind,
          format: report.format,
          subjectId: reportSubject(report),
          sha256: report.sha256,
        },
      });
    }
    return createReadStream(path);
  }
}
