import { fileSizeBytes, hashFile } from '../../assets/adapters/file-asset-store.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type ReadErasures } from '../../audit/application/read-erasures.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { ReportEntity } from '../adapters/report.entity.js';
import { type ReportKind } from '../domain/report-kinds.js';
import { reportSubject } from '../domain/report-subject.js';
import { type ShownPeople } from './collect-dossier.js';
import { type MadeReport, type MakesReports } from './made-report.js';
import { type ReportLeases } from './report-lease.js';

/** Makes a requested report. Repeatable after a crash: nothing is visible before the report is DONE and in the log. */
export class MakeReport {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly makers: Readonly<Record<ReportKind, MakesReports>>,
    private readonly store: AssetStore,
    private readonly erasures: ReadErasures,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
    private readonly leases: ReportLeases,
  ) {}

  /**
   * @param isLastAttempt nobody tries again: what is unavailable now fails the report instead of leaving it open
   * @returns `busy` when another worker makes it: look again later, because that one may die
   */
  async make(organizationId: string, reportId: string, isLastAttempt = false): Promise<'over' | 'busy'> {
    const report = await this.leases.take(organizationId, reportId);
    if (report === 'busy' || report === 'over') return report;
    const path = await this.store.stage();
    try {
      await this.leases.hold(organizationId, reportId, () => this.work(organizationId, report, path));
      return 'over';
    } catch (error) {
      // Something on our side is unavailable: the queue tries again. Anything else will not get better by itself.
      if (isColophonError(error) && error.status === 503 && !isLastAttempt) {
        await this.leases.release(organizationId, reportId).catch(() => undefined);
        throw error;
      }
      await this.fail(organizationId, report, isColophonError(error) ? error.code : 'internal');
      throw error;
    } finally {
      await this.store.discard(path);
    }
  }

  private async work(organizationId: string, report: ReportEntity, path: string): Promise<void> {
    const progress = (share: number): Promise<void> => this.progress(organizationId, report.id, share);
    const made = await this.makers[report.kind].make({ organizationId, report, path, progress });
    await this.finish(organizationId, report, path, made);
  }

  private async progress(organizationId: string, id: string, progress: number): Promise<void> {
    await this.organizationTx.run(organizationId, (tx) =>
      // A worker that was taken for dead does not set back what another one has finished.
      tx.manager.update(ReportEntity, { organizationId, id, state: 'RUNNING' }, { progress }),
    );
  }

  private async finish(
    organizationId: string,
    report: ReportEntity,
    path: string,
    { mediaType, shown, signature }: MadeReport,
  ): Promise<void> {
    const [sha256, sizeBytes] = [await hashFile(path), await fileSizeBytes(path)];
    await this.organizationTx.run(organizationId, async (tx) => {
      await this.requireNobodyErased(tx, shown);
      const { affected } = await tx.manager.update(
        ReportEntity,
        { organizationId, id: report.id, state: 'RUNNING' },
        {
          state: 'DONE',
          progress: 1,
          mediaType,
          sha256,
          sizeBytes,
          certificateSha256: signature?.certificateSha256 ?? null,
          timeStamp: signature?.timeStamp ?? null,
          finishedAt: this.clock.now(),
        },
      );
      // Another worker, started after this one was taken for dead, was faster: its report is the one.
      if (affected !== 1) return;
      await tx.query(
        `INSERT INTO report_data_subject (organization_id, report_id, subject_id)
         SELECT $1, $2, unnest($3::uuid[])`,
        [organizationId, report.id, shown.principalIds],
      );
      // Before the commit, so that a report that is DONE is there; after the row is ours, so that the loser of a race
      // leaves no second file with prompts behind.
      await this.store.put(organizationId, sha256, path);
      await this.appendEntry.append(tx, {
        type: 'report.created',
        actor: SYSTEM_ACTOR,
        subject: { kind: 'report', id: publicId('report', report.id) },
        data: {
          kind: report.kind,
          format: report.format,
          subjectId: reportSubject(report),
          sha256,
          ...(signature && { certificateSha256: signature.certificateSha256 }),
          ...(signature?.timeStamp && { timeStamp: signature.timeStamp }),
        },
      });
    });
  }

  /** A report shows no text that was erased while it was made: the queue makes it again. */
  private async requireNobodyErased(tx: Tx, { principalIds, erasuresBefore }: ShownPeople): Promise<void> {
    await this.erasures.holdOff(tx, principalIds);
    if ((await this.erasures.count(tx)) === erasuresBefore) return;
    throw new ColophonError('audit_unavailable', 'A person was erased while the report was made.');
  }

  private async fail(organizationId: string, report: ReportEntity, errorCode: string): Promise<void> {
    await this.organizationTx.run(organizationId, (tx) =>
      tx.manager.update(
        ReportEntity,
        { organizationId, id: report.id, state: 'RUNNING' },
        { state: 'FAILED', errorCode, finishedAt: this.clock.now() },
      ),
    );
  }
}
