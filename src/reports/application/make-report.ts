import { writeFile } from 'node:fs/promises';
import { fileSizeBytes, hashFile } from '../../assets/adapters/file-asset-store.js';
import { type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import {
  type LoggedEntry,
  type PublishedCheckpoint,
  type ReadLog,
} from '../../audit/application/read-log.js';
import { type ReadOpenings } from '../../audit/application/read-openings.js';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type Clock } from '../../shared/clock.js';
import { isColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { ReportEntity, type ReportFormat } from '../adapters/report.entity.js';
import { type AssetDossier, type BundleEvidence, type DossierPicture } from '../domain/dossier.js';
import { type CollectDossier } from './collect-dossier.js';

/** The views of a dossier. */
export interface DossierRenderer {
  pdf(dossier: AssetDossier, pictures: readonly DossierPicture[]): Promise<Buffer>;
  json(dossier: AssetDossier): Buffer;
  bundle(
    dossier: AssetDossier,
    dossierPdf: Buffer,
    evidence: BundleEvidence,
    destinationPath: string,
  ): Promise<void>;
  /** A small picture of an asset. */
  picture(assetId: string, path: string): Promise<DossierPicture>;
}

const MEDIA_TYPES: Readonly<Record<ReportFormat, string>> = {
  pdf: 'application/pdf',
  json: 'application/json',
  bundle: 'application/zip',
};

/** Makes a requested report. Repeatable after a crash: nothing is visible before the report is DONE and in the log. */
export class MakeReport {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly collectDossier: CollectDossier,
    private readonly renderer: DossierRenderer,
    private readonly store: AssetStore,
    private readonly log: ReadLog,
    private readonly readOpenings: ReadOpenings,
    private readonly appendEntry: AppendEntry,
    private readonly trustAnchorsPem: string,
    private readonly clock: Clock,
  ) {}

  async make(organizationId: string, reportId: string): Promise<void> {
    const report = await this.start(organizationId, reportId);
    if (!report) return;
    const path = await this.store.stage();
    try {
      await this.render(organizationId, report, path);
      const [sha256, sizeBytes] = [await hashFile(path), await fileSizeBytes(path)];
      await this.store.put(organizationId, sha256, path);
      await this.finish(organizationId, report, sha256, sizeBytes);
    } catch (error) {
      // Something on our side is unavailable: the queue tries again. Anything else will not get better by itself.
      if (isColophonError(error) && error.status === 503) throw error;
      await this.fail(organizationId, report, isColophonError(error) ? error.code : 'internal');
      throw error;
    } finally {
      await this.store.discard(path);
    }
  }

  private start(organizationId: string, id: string): Promise<ReportEntity | undefined> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const where = { organizationId, id };
      const report = await tx.manager.findOneBy(ReportEntity, where);
      if (!report || report.state === 'DONE' || report.state === 'FAILED') return undefined;
      await tx.manager.update(ReportEntity, where, { state: 'RUNNING', progress: 0.05 });
      return report;
    });
  }

  private async render(organizationId: string, report: ReportEntity, path: string): Promise<void> {
    const request = { reportId: report.id, assetId: report.subjectId, createdBy: report.createdBy };
    const collected = await this.collectDossier.collect(organizationId, request);
    await this.progress(organizationId, report.id, 0.4);
    const { dossier } = collected;
    if (report.format === 'json') return writeFile(path, this.renderer.json(dossier), { mode: 0o600 });
    const pdf = await this.renderer.pdf(dossier, await this.pictures(organizationId, collected.lineage));
    await this.progress(organizationId, report.id, 0.7);
    if (report.format === 'pdf') return writeFile(path, pdf, { mode: 0o600 });
    await this.renderer.bundle(dossier, pdf, await this.evidence(organizationId, collected), path);
  }

  private async pictures(
    organizationId: string,
    lineage: readonly AssetWithParents[],
  ): Promise<DossierPicture[]> {
    const pictures: DossierPicture[] = [];
    for (const asset of lineage) {
      const path = await this.store.localPath(organizationId, asset.sha256);
      pictures.push(await this.renderer.picture(publicId('asset', asset.id), path));
    }
    return pictures;
  }

  private async evidence(
    organizationId: string,
    collected: {
      entries: readonly LoggedEntry[];
      published: PublishedCheckpoint;
      lineage: readonly AssetWithParents[];
    },
  ): Promise<BundleEvidence> {
    const entries: BundleEvidence['entries'][number][] = [];
    for (const { index = -1, entry } of collected.entries) {
      entries.push({
        index,
        bytes: entry,
        proof: await this.log.proof(organizationId, index, collected.published),
      });
    }
    const [asset] = collected.lineage;
    const assets = asset
      ? [
          {
            assetId: publicId('asset', asset.id),
            sha256: asset.sha256,
            path: await this.store.localPath(organizationId, asset.sha256),
            fileName: `${publicId('asset', asset.id)}.${asset.mediaType.split('/')[1] ?? 'bin'}`,
          },
        ]
      : [];
    const openings = await this.organizationTx.run(organizationId, (tx) =>
      this.readOpenings.of(tx, collected.entries.filter(isDisclosed)),
    );
    return { entries, openings, assets, trustAnchorsPem: this.trustAnchorsPem };
  }

  private async progress(organizationId: string, id: string, progress: number): Promise<void> {
    await this.organizationTx.run(organizationId, (tx) =>
      tx.manager.update(ReportEntity, { organizationId, id }, { progress }),
    );
  }

  private async finish(
    organizationId: string,
    report: ReportEntity,
    sha256: string,
    sizeBytes: number,
  ): Promise<void> {
    await this.organizationTx.run(organizationId, async (tx) => {
      const { affected } = await tx.manager.update(
        ReportEntity,
        { organizationId, id: report.id, state: 'RUNNING' },
        {
          state: 'DONE',
          progress: 1,
          mediaType: MEDIA_TYPES[report.format],
          sha256,
          sizeBytes,
          finishedAt: this.clock.now(),
        },
      );
      // Another worker, started after this one was taken for dead, was faster: its report is the one.
      if (affected !== 1) return;
      await this.appendEntry.append(tx, {
        type: 'report.created',
        actor: SYSTEM_ACTOR,
        subject: { kind: 'report', id: publicId('report', report.id) },
        data: {
          kind: report.kind,
          format: report.format,
          subjectId: publicId('asset', report.subjectId),
          sha256,
        },
      });
    });
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

/** The dossier prints prompts, statements and comments, so the bundle opens their commitments; names stay sealed. */
const DISCLOSED_TYPES = ['run.accepted', 'contribution.recorded', 'review.decided', 'waiver.approved'];

function isDisclosed({ type }: LoggedEntry): boolean {
  return DISCLOSED_TYPES.includes(type);
}
