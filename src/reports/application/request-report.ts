import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { ReportEntity, type ReportFormat } from '../adapters/report.entity.js';

/** Wakes the worker that makes reports, within the caller's transaction. */
export interface ReportQueue {
  wakeReport(tx: Tx, reportId: string): Promise<void>;
}

export class RequestReport {
  constructor(
    private readonly assets: AssetRepository,
    private readonly queue: ReportQueue,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  async request(
    tx: Tx,
    principal: Principal,
    request: { assetId: string; format: ReportFormat },
  ): Promise<ReportEntity> {
    const asset = await this.assets.get(tx, request.assetId);
    const report: ReportEntity = {
      organizationId: tx.organizationId,
      id: newId(),
      kind: 'asset',
      format: request.format,
      subjectId: request.assetId,
      state: 'QUEUED',
      progress: 0,
      mediaType: null,
      sha256: null,
      sizeBytes: null,
      errorCode: null,
      createdBy: principal.principalId,
      createdAt: this.clock.now(),
      finishedAt: null,
    };
    await tx.manager.insert(ReportEntity, report);
    await this.appendEntry.append(tx, {
      type: 'report.requested',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'report', id: publicId('report', report.id) },
      data: { kind: report.kind, format: report.format, subjectId: publicId('asset', report.subjectId) },
    });
    await this.queue.wakeReport(tx, report.id);
    return report;
  }

  async get(tx: Tx, id: string): Promise<ReportEntity> {
    const report = await tx.manager.findOneBy(ReportEntity, { organizationId: tx.organizationId, id });
    if (!report) throw new ColophonError('not_found', 'There is no report with this id.');
    return report;
  }
}
