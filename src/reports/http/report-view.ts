import { publicId } from '../../shared/ids.js';
import { type ReportEntity } from '../adapters/report.entity.js';
import { reportSubject } from '../domain/report-subject.js';

/** A report as the API shows it: no byte of its content. */
export function reportView(report: ReportEntity) {
  const id = publicId('report', report.id);
  const { kind, parameters } = report;
  return {
    id,
    kind,
    format: report.format,
    ...(kind === 'asset' && { assetId: reportSubject(report) }),
    ...(kind === 'campaign' && { projectId: reportSubject(report) }),
    ...parameters,
    state: report.state,
    progress: report.progress,
    sha256: report.sha256,
    sizeBytes: report.sizeBytes,
    signature:
      report.certificateSha256 === null
        ? null
        : { certificateSha256: report.certificateSha256, timeStamp: report.timeStamp },
    errorCode: report.errorCode,
    createdAt: report.createdAt.toISOString(),
    contentUrl: report.state === 'DONE' ? `/v1/reports/${id}/content` : null,
  };
}
