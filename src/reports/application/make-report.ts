import { writeFile } from 'node:fs/promises';
import { In } from 'typeorm';
import { fileSizeBytes, hashFile } from '../../assets/adapters/file-asset-store.js';
import { type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { isStillImageType } from '../../assets/domain/media-probe/still-image-type.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type EvidenceCheckpoint } from '../../audit/application/evidence-checkpoint.js';
import { type LoggedEntry, type ReadLog } from '../../audit/application/read-log.js';
import { type ReadErasures } from '../../audit/application/read-erasures.js';
import { type ReadOpenings } from '../../audit/application/read-openings.js';
import { type TrustList } from '../../provenance/domain/trust-list.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type Clock } from '../../shared/clock.js';
import { fileExtensionOf, signableMediaType } from '../../provenance/domain/media-types.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { ReportEntity, type ReportFormat, type ReportState } from '../adapters/report.entity.js';
import { type AssetDossier, type BundleEvidence, type DossierPicture } from '../domain/dossier.js';
import { type CollectDossier, type ShownPeople } from './collect-dossier.js';

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

const OPEN_STATES: readonly ReportState[] = ['QUEUED', 'RUNNING'];

/** Makes a requested report. Repeatable after a crash: nothing is visible before the report is DONE and in the log. */
export class MakeReport {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly collectDossier: CollectDossier,
    private readonly renderer: DossierRenderer,
    private readonly store: AssetStore,
    private readonly log: ReadLog,
    private readonly readOpenings: ReadOpenings,
    private readonly erasures: ReadErasures,
    private readonly appendEntry: AppendEntry,
    private readonly installationTrust: { readonly anchorsPem: string },
    /** Who vouches for names, by the lists of this installation. */
    private readonly identityLists: () => readonly TrustList[],
    private readonly timeStampRootsPem: string | undefined,
    private readonly clock: Clock,
  ) {}

  async make(organizationId: string, reportId: string): Promise<void> {
    const report = await this.start(organizationId, reportId);
    if (!report) return;
    const path = await this.store.stage();
    try {
      const shown = await this.render(organizationId, report, path);
      await this.finish(organizationId, report, path, shown);
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
      if (!report) return undefined;
      // In one statement: what another worker has finished since it was read is not opened again.
      const { affected } = await tx.manager.update(
        ReportEntity,
        { ...where, state: In(OPEN_STATES) },
        { state: 'RUNNING', progress: 0.05 },
      );
      return affected === 1 ? report : undefined;
    });
  }

  private async render(organizationId: string, report: ReportEntity, path: string): Promise<ShownPeople> {
    const request = { reportId: report.id, assetId: report.subjectId, createdBy: report.createdBy };
    const collected = await this.collectDossier.collect(organizationId, request);
    await this.progress(organizationId, report.id, 0.4);
    const { dossier, shown } = collected;
    if (report.format === 'json') {
      await writeFile(path, this.renderer.json(dossier), { mode: 0o600 });
      return shown;
    }
    const pdf = await this.renderer.pdf(dossier, await this.pictures(organizationId, collected.lineage));
    await this.progress(organizationId, report.id, 0.7);
    if (report.format === 'pdf') await writeFile(path, pdf, { mode: 0o600 });
    else await this.renderer.bundle(dossier, pdf, await this.evidence(organizationId, collected), path);
    return shown;
  }

  private async pictures(
    organizationId: string,
    lineage: readonly AssetWithParents[],
  ): Promise<DossierPicture[]> {
    const pictures: DossierPicture[] = [];
    // Of what is no picture of a kind that is decoded here, the report shows none.
    for (const asset of lineage.filter(({ mediaType }) => isStillImageType(mediaType))) {
      const path = await this.store.localPath(organizationId, asset.sha256);
      pictures.push(await this.renderer.picture(publicId('asset', asset.id), path));
    }
    return pictures;
  }

  private async evidence(
    organizationId: string,
    collected: {
      entries: readonly LoggedEntry[];
      checkpoint: EvidenceCheckpoint;
      lineage: readonly AssetWithParents[];
    },
  ): Promise<BundleEvidence> {
    const entries: BundleEvidence['entries'][number][] = [];
    for (const { index = -1, entry } of collected.entries) {
      entries.push({
        index,
        bytes: entry,
        proof: await this.log.proof(organizationId, index, collected.checkpoint),
      });
    }
    const [asset] = collected.lineage;
    const assets = asset
      ? [
          {
            assetId: publicId('asset', asset.id),
            sha256: asset.sha256,
            path: await this.store.localPath(organizationId, asset.sha256),
            fileName: `${publicId('asset', asset.id)}.${extensionOf(asset.mediaType)}`,
            sidecar: await this.sidecarOf(organizationId, asset),
          },
        ]
      : [];
    const openings = await this.organizationTx.run(organizationId, (tx) =>
      this.readOpenings.of(tx, collected.entries.filter(isDisclosed)),
    );
    return {
      entries,
      openings,
      assets,
      trustAnchorsPem: this.installationTrust.anchorsPem,
      identityLists: this.identityLists(),
      timeStamps: collected.checkpoint.timeStamps,
      timeStampRootsPem: this.timeStampRootsPem,
    };
  }

  private async sidecarOf(
    organizationId: string,
    { manifestPlacement, manifestSha256 }: AssetWithParents,
  ): Promise<{ sha256: string; path: string } | undefined> {
    if (manifestPlacement === 'embedded') return undefined;
    return { sha256: manifestSha256, path: await this.store.localPath(organizationId, manifestSha256) };
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
    shown: ShownPeople,
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
          mediaType: MEDIA_TYPES[report.format],
          sha256,
          sizeBytes,
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
          subjectId: publicId('asset', report.subjectId),
          sha256,
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

/** The dossier prints prompts, statements, comments and proofs, so the bundle opens their commitments; names stay sealed. */
const DISCLOSED_TYPES = [
  'run.accepted',
  'contribution.recorded',
  'review.decided',
  'waiver.approved',
  'obligation.proved',
];

function isDisclosed({ type }: LoggedEntry): boolean {
  return DISCLOSED_TYPES.includes(type);
}

function extensionOf(mediaType: string): string {
  const signable = signableMediaType(mediaType);
  return signable === undefined ? 'bin' : fileExtensionOf(signable);
}
