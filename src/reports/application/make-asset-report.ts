import { writeFile } from 'node:fs/promises';
import { type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { isStillImageType } from '../../assets/domain/media-probe/still-image-type.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type EvidenceCheckpoint } from '../../audit/application/evidence-checkpoint.js';
import { type LoggedEntry, type ReadLog } from '../../audit/application/read-log.js';
import { type ReadOpenings } from '../../audit/application/read-openings.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { inputSalts } from '../../licenses/application/input-salts.js';
import { fileExtensionOf, signableMediaType } from '../../provenance/domain/media-types.js';
import { type TrustList } from '../../provenance/domain/trust-list.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { parsePublicId, publicId } from '../../shared/ids.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import { type AssetDossier, type BundleEvidence, type DossierPicture } from '../domain/dossier.js';
import { BUNDLE_TYPE, DOSSIER_TYPE, REPORT_MEDIA_TYPES } from '../domain/report-kinds.js';
import {
  type OpenReportSigner,
  type PdfSignaturePlace,
  type ReportSignature,
  type ReportSigner,
} from '../domain/report-signature.js';
import { type CollectDossier } from './collect-dossier.js';
import { type MadeReport, type MakesReports, type ReportOrder } from './made-report.js';

/** What goes into a bundle beside the evidence. */
export interface BundleDocuments {
  readonly dossierPdf: Buffer;
  readonly dossierJws: Buffer;
  /** Signs the list of contents with the key that signed the dossier. */
  readonly signIndex: (index: Buffer) => Promise<Buffer>;
}

/** The views of a dossier. */
export interface DossierRenderer {
  /**
   * @param evidence attached to the file; without it only the facts are
   * @param place where the signature goes
   */
  pdf(
    dossier: AssetDossier,
    pictures: readonly DossierPicture[],
    attached: {
      readonly dossierJws: Buffer;
      readonly evidence: BundleEvidence | undefined;
      readonly place: PdfSignaturePlace;
    },
  ): Promise<Buffer>;
  json(dossier: AssetDossier): Buffer;
  bundle(
    dossier: AssetDossier,
    documents: BundleDocuments,
    evidence: BundleEvidence,
    destinationPath: string,
  ): Promise<void>;
  /** A picture of an asset, as large as it is shown: that of the report's own asset, or one of a step on the way. */
  picture(assetId: string, path: string, size: 'large' | 'small'): Promise<DossierPicture>;
}

export interface AssetReportParts {
  readonly organizationTx: OrganizationTx;
  readonly collectDossier: CollectDossier;
  readonly renderer: DossierRenderer;
  readonly openSigner: OpenReportSigner;
  readonly store: AssetStore;
  readonly log: ReadLog;
  readonly readOpenings: ReadOpenings;
  readonly installationTrust: { readonly anchorsPem: string };
  /** Roots of the report keys that this installation signed with. */
  readonly reportAnchorsPem: () => Promise<string>;
  /** Who vouches for names, by the lists of this installation. */
  readonly identityLists: () => readonly TrustList[];
  readonly timeStampRootsPem: string | undefined;
}

/** A few at a time: a lineage may be long, and reading files needs threads of the same pool. */
const PICTURES_AT_ONCE = 2;

/** The picture of one file of the lineage, or why there is none. */
interface LineagePicture {
  readonly assetId: string;
  readonly picture: DossierPicture | undefined;
  readonly removed: ColophonError | undefined;
}

const noPictures = (): Promise<readonly LineagePicture[]> => Promise.resolve([]);

/** The dossier of one asset: PDF/A-3, JSON, signed JSON, or the evidence bundle that holds all of them. */
export class MakeAssetReport implements MakesReports {
  constructor(private readonly parts: AssetReportParts) {}

  async make(order: ReportOrder): Promise<MadeReport> {
    try {
      return await this.makeOnce(order);
    } catch (error) {
      if (!isColophonError(error, 'content_removed') || order.report.format === 'bundle') throw error;
      // A file went after it was looked for: made again, the report says so.
      throw new ColophonError('audit_unavailable', 'A file was removed while the report was made.', {
        cause: error,
      });
    }
  }

  private async makeOnce({ organizationId, report, path, progress }: ReportOrder): Promise<MadeReport> {
    const { collectDossier, openSigner } = this.parts;
    const signer = report.format === 'json' ? undefined : await openSigner(organizationId);
    const found = await collectDossier.find(organizationId, report.subjectId, signer?.identity);
    const isPrinted = report.format === 'pdf' || report.format === 'bundle';
    const pictures = isPrinted ? this.pictures(organizationId, found.lineage) : noPictures();
    // Whoever waits for them is told if they fail; nobody waits when something else fails first.
    pictures.catch(() => undefined);
    const request = { reportId: report.id, createdBy: report.createdBy };
    const collected = await collectDossier.collect(organizationId, request, found);
    await progress(0.4);
    const { dossier, shown } = collected;
    const mediaType = REPORT_MEDIA_TYPES[report.format];
    const json = this.parts.renderer.json(dossier);
    if (signer === undefined) {
      await writeFile(path, json, { mode: 0o600 });
      return { mediaType, shown, signature: undefined };
    }
    const dossierJws = await signer.signJson(json, DOSSIER_TYPE);
    if (report.format === 'jws') {
      await writeFile(path, dossierJws, { mode: 0o600 });
      return { mediaType, shown, signature: signatureOf(signer, undefined) };
    }
    const chosen = report.parameters.attachments ?? [];
    const evidence = await this.evidence(organizationId, collected, chosen);
    await progress(0.6);
    // In a bundle the evidence lies beside the PDF: it is not in there a second time.
    const attached = report.format === 'pdf' ? evidence : undefined;
    const pdf = await this.signedPdf(collected.dossier, await pictures, signer, {
      dossierJws,
      evidence: attached,
    });
    await progress(0.8);
    if (report.format === 'pdf') await writeFile(path, pdf.bytes, { mode: 0o600 });
    else {
      const signIndex = (index: Buffer): Promise<Buffer> => signer.signJson(index, BUNDLE_TYPE);
      const documents = { dossierPdf: pdf.bytes, dossierJws, signIndex };
      await this.parts.renderer.bundle(dossier, documents, evidence, path);
    }
    return { mediaType, shown, signature: signatureOf(signer, pdf.timeStamp) };
  }

  private async signedPdf(
    dossier: AssetDossier,
    pictures: readonly LineagePicture[],
    signer: ReportSigner,
    attached: { readonly dossierJws: Buffer; readonly evidence: BundleEvidence | undefined },
  ): ReturnType<ReportSigner['signPdf']> {
    const place = signer.pdfPlace(`Report ${dossier.reportId} as it was made`);
    const gone = new Set(dossier.chain.flatMap(({ id, contentRemoved }) => (contentRemoved ? [id] : [])));
    const there = pictures.filter(({ assetId }) => !gone.has(assetId));
    for (const { removed } of there) if (removed !== undefined) throw removed;
    const shown = there.flatMap(({ picture }) => picture ?? []);
    return signer.signPdf(await this.parts.renderer.pdf(dossier, shown, { ...attached, place }));
  }

  /** While the facts are collected: decoding runs beside this thread. Which files are gone is known afterwards. */
  private async pictures(
    organizationId: string,
    lineage: readonly AssetWithParents[],
  ): Promise<LineagePicture[]> {
    // Of what is no picture of a kind that is decoded here, the report shows none.
    const queue = lineage.filter(({ mediaType }) => isStillImageType(mediaType));
    const made = new Map<string, LineagePicture>();
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        made.set(next.id, await this.picture(organizationId, next, next === lineage[0] ? 'large' : 'small'));
    };
    await Promise.all(Array.from({ length: PICTURES_AT_ONCE }, work));
    return lineage.flatMap(({ id }) => made.get(id) ?? []);
  }

  private async picture(
    organizationId: string,
    asset: AssetWithParents,
    size: 'large' | 'small',
  ): Promise<LineagePicture> {
    const assetId = publicId('asset', asset.id);
    try {
      const path = await this.parts.store.localPath(organizationId, asset.sha256);
      return { assetId, picture: await this.parts.renderer.picture(assetId, path, size), removed: undefined };
    } catch (error) {
      if (!isColophonError(error, 'content_removed')) throw error;
      return { assetId, picture: undefined, removed: error };
    }
  }

  private async evidence(
    organizationId: string,
    collected: {
      entries: readonly LoggedEntry[];
      checkpoint: EvidenceCheckpoint;
      lineage: readonly AssetWithParents[];
      dossier: AssetDossier;
    },
    chosenAttachments: readonly string[],
  ): Promise<BundleEvidence> {
    const { log, store, organizationTx, readOpenings } = this.parts;
    const indices = collected.entries.map(({ index = -1 }) => index);
    const proofs = await log.proofs(organizationId, indices, collected.checkpoint);
    const entries = collected.entries.map(({ index = -1, entry }, i) => {
      const proof = proofs[i];
      if (proof === undefined) throw new Error('an entry has no proof');
      return { index, bytes: entry, proof };
    });
    const [asset] = collected.lineage;
    const assets =
      asset && collected.dossier.asset.contentRemoved === undefined
        ? [
            {
              assetId: publicId('asset', asset.id),
              sha256: asset.sha256,
              path: await store.localPath(organizationId, asset.sha256),
              fileName: `${publicId('asset', asset.id)}.${extensionOf(asset.mediaType)}`,
              sidecar: await this.sidecarOf(organizationId, asset),
            },
          ]
        : [];
    const openings = await organizationTx.run(organizationId, async (tx) => [
      ...(await readOpenings.of(tx, collected.entries.filter(isDisclosed))),
      // The dossier prints the facts of each decision, so the bundle opens what the log says of them.
      ...(await inputOpenings(tx, collected.dossier)),
    ]);
    return {
      entries,
      openings,
      assets,
      attachments: await this.attachments(organizationId, collected.dossier, chosenAttachments),
      trustAnchorsPem: this.parts.installationTrust.anchorsPem,
      reportAnchorsPem: await this.parts.reportAnchorsPem(),
      identityLists: this.parts.identityLists(),
      timeStamps: collected.checkpoint.timeStamps,
      timeStampRootsPem: this.parts.timeStampRootsPem,
    };
  }

  /** @throws ColophonError `not_found` for one that is not of this record, `content_removed` */
  private attachments(
    organizationId: string,
    dossier: AssetDossier,
    chosen: readonly string[],
  ): Promise<BundleEvidence['attachments'][number][]> {
    const known = new Map(
      dossier.contributions.flatMap(({ attachments = [] }) =>
        attachments.map((one) => [one.id, one] as const),
      ),
    );
    return mapInOrder([...new Set(chosen)].sort(), async (id) => {
      const found = known.get(id);
      if (found === undefined)
        throw new ColophonError('not_found', 'One of the attachments is not of the record of this asset.');
      const path = await this.parts.store.localPath(organizationId, found.sha256);
      return { attachmentId: id, sha256: found.sha256, path };
    });
  }

  private async sidecarOf(
    organizationId: string,
    { manifestPlacement, manifestSha256 }: AssetWithParents,
  ): Promise<{ sha256: string; path: string } | undefined> {
    if (manifestPlacement === 'embedded') return undefined;
    return {
      sha256: manifestSha256,
      path: await this.parts.store.localPath(organizationId, manifestSha256),
    };
  }
}

export function signatureOf(
  { identity }: ReportSigner,
  timeStamp: ReportSignature['timeStamp'],
): ReportSignature {
  return { certificateSha256: identity.certificateSha256, timeStamp };
}

/** The dossier prints prompts, statements, corrections, comments, proofs and recalls, so the bundle opens their commitments; names stay sealed. */
const DISCLOSED_TYPES = [
  'run.accepted',
  'contribution.recorded',
  'contribution.corrected',
  'review.decided',
  'waiver.approved',
  'obligation.proved',
  'asset.examined',
  'claim.received',
  'claim.answered',
  'storyboard.ordered',
  'asset.recalled',
];

async function inputOpenings(tx: Tx, { runs }: AssetDossier): Promise<BundleEvidence['openings']> {
  const clearances = new Map(
    runs.map(({ clearance }) => [parsePublicId('clearance', clearance.id) ?? '', clearance]),
  );
  const salts = await inputSalts(tx, [...clearances.keys()]);
  return [...salts].flatMap(([id, salt]) => {
    const decided = clearances.get(id);
    return decided === undefined
      ? []
      : [{ index: decided.entryIndex, field: 'input', salt, value: decided.inputSha256 }];
  });
}

function isDisclosed({ type }: LoggedEntry): boolean {
  return DISCLOSED_TYPES.includes(type);
}

function extensionOf(mediaType: string): string {
  const signable = signableMediaType(mediaType);
  return signable === undefined ? 'bin' : fileExtensionOf(signable);
}
