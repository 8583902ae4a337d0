import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type ShowObligationsToday } from '../../assets/application/show-obligations-today.js';
import {
  type EvidenceCheckpoint,
  type FindEvidenceCheckpoint,
} from '../../audit/application/evidence-checkpoint.js';
import { type ReadLog, type LoggedEntry } from '../../audit/application/read-log.js';
import { type ReadErasures } from '../../audit/application/read-erasures.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { type EffectiveRegistry } from '../../licenses/application/effective-registry.js';
import { saysDevelopment } from '../../provenance/domain/development-certificate.js';
import { type MediaVerification } from '../../provenance/domain/media-verifier.port.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { mapInOrder } from '../../shared/map-in-order.js';
import { PRODUCT_NAME, PRODUCT_VERSION } from '../../shared/product.js';
import { type AssetDossier, type DossierAsset, type DossierRemoval } from '../domain/dossier.js';
import { findGaps } from '../domain/find-gaps.js';
import { type ReportSignerIdentity } from '../domain/report-signature.js';
import { waiversOfRuns } from './accepted-findings.js';
import { collectDiligence } from './collect-diligence.js';
import { collectObligations } from './collect-obligations.js';
import { collectModels, listingsBehind } from './collect-models.js';
import { type CollectHumanWork } from './collect-human-work.js';
import { collectRuns, type CollectedSteps, collectSteps } from './collect-runs.js';
import { fileReadingOf } from './file-reading.js';
import { storyboardsWith } from './collect-storyboards.js';
import { People } from './people.js';
import { type Removals } from './removals.js';
import { type SealedTexts } from './sealed-texts.js';
import { usedUnderDecisions } from './used-under-decisions.js';

/** What a report rests on, all of it read in one transaction, before the log has published the entries. */
export interface FoundForDossier {
  /** The asset first, then what it descends from. */
  readonly lineage: readonly AssetWithParents[];
  readonly entryIds: readonly string[];
  readonly signer: ReportSignerIdentity | undefined;
}

/** Whose names and texts a dossier shows. */
export interface ShownPeople {
  readonly principalIds: readonly string[];
  /** Erasures in the organization before anything was opened for this dossier. */
  readonly erasuresBefore: number;
}

/** What reviewers said to each other before they decided is for the organization; the decisions have words of their own. */
const INTERNAL = ['review.commented'] as const;

/** Who looked at an asset says nothing of how it was made, and a dossier must not grow with each look at it. */
const READINGS = ['asset.read', 'contribution.file_read', 'opening.read', ...INTERNAL] as const;

/** How long a report waits until the log has published every entry that it cites. */
const PUBLICATION_TIMEOUT_MS = 30_000;

/** Gathers everything that is recorded of one asset. Facts only; what they mean is for the views and for counsel. */
export class CollectDossier {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly assets: AssetRepository,
    private readonly log: ReadLog,
    private readonly evidenceCheckpoint: FindEvidenceCheckpoint,
    private readonly sealedTexts: SealedTexts,
    private readonly humanWork: CollectHumanWork,
    private readonly erasures: ReadErasures,
    private readonly registry: EffectiveRegistry,
    private readonly removals: Removals,
    private readonly verifyAsset: (
      organizationId: string,
      asset: AssetWithParents,
    ) => Promise<MediaVerification>,
    private readonly obligationsToday: Pick<ShowObligationsToday, 'ofId'>,
    private readonly clock: Clock,
  ) {}

  /**
   * First half: which files and entries the report is about. What needs the files alone may begin after it.
   * @throws ColophonError `not_found`
   */
  async find(
    organizationId: string,
    assetId: string,
    signer?: ReportSignerIdentity,
  ): Promise<FoundForDossier> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const lineage = await this.assets.lineage(tx, assetId);
      return { lineage, entryIds: await this.entryIdsOf(tx, lineage, signer), signer };
    });
  }

  async collect(
    organizationId: string,
    request: { reportId: string; createdBy: string },
    { lineage, entryIds, signer }: FoundForDossier,
  ): Promise<{
    dossier: AssetDossier;
    entries: LoggedEntry[];
    checkpoint: EvidenceCheckpoint;
    lineage: readonly AssetWithParents[];
    shown: ShownPeople;
  }> {
    const asset = lineage[0] as AssetWithParents;
    const verified = this.verifyAsset(organizationId, asset);
    // Looked at below, unless the file is gone: then it does not matter what became of it.
    verified.catch(() => undefined);
    const { entries } = await this.log.waitUntilPublished(organizationId, entryIds, PUBLICATION_TIMEOUT_MS);
    const last = Math.max(...entries.map(({ index }) => index ?? 0));
    const checkpoint = await this.evidenceCheckpoint.find(organizationId, last);
    const isGone = await this.organizationTx.run(organizationId, (tx) =>
      this.removals.of(tx, 'asset', [asset.id], entries),
    );
    const verification = isGone.size > 0 ? undefined : await verified;
    const { dossier, shown } = await this.organizationTx.run(organizationId, async (tx) => {
      // Counted before anything is opened: an erasure in between is noticed when the report is finished.
      const erasuresBefore = await this.erasures.count(tx);
      const people = new People(tx);
      const asked = { ...request, signer };
      const composed = await this.compose(tx, asked, lineage, entries, checkpoint, verification, people);
      return { dossier: composed, shown: { principalIds: people.principalIds, erasuresBefore } };
    });
    return {
      dossier,
      shown,
      entries: [...entries].sort((a, b) => (a.index ?? 0) - (b.index ?? 0)),
      checkpoint,
      lineage,
    };
  }

  /** Every entry about the assets of the lineage, their runs, steps, clearances, contributions, reviews, obligations. */
  private async entryIdsOf(
    tx: Tx,
    lineage: readonly AssetWithParents[],
    signer: ReportSignerIdentity | undefined,
  ): Promise<string[]> {
    const assetIds = lineage.map(({ id }) => id);
    const runIds = [...new Set(lineage.flatMap(({ runId }) => runId ?? []))];
    const related = await tx.query<{
      kind: 'run' | 'stepRun' | 'clearance' | 'contribution' | 'review' | 'obligationProof' | 'signatureKey';
      id: string;
    }>(
      `SELECT 'run' AS kind, id FROM run WHERE organization_id = $1 AND id = ANY($3::uuid[])
       UNION ALL SELECT 'clearance', clearance_id FROM run WHERE organization_id = $1 AND id = ANY($3::uuid[])
       UNION ALL SELECT 'stepRun', step_run_id FROM asset WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND step_run_id IS NOT NULL
       UNION ALL SELECT 'contribution', id FROM contribution WHERE organization_id = $1 AND asset_id = ANY($2::uuid[])
       UNION ALL SELECT 'review', id FROM review WHERE organization_id = $1 AND asset_id = ANY($2::uuid[])
       UNION ALL SELECT 'signatureKey', k.id FROM contribution c
                  LEFT JOIN contribution_correction t ON t.organization_id = c.organization_id AND t.contribution_id = c.id
                  JOIN signature_key k ON k.organization_id = c.organization_id AND k.id IN (c.signature_key_id, t.signature_key_id)
                  WHERE c.organization_id = $1 AND c.asset_id = ANY($2::uuid[])
       UNION ALL SELECT 'obligationProof', id FROM obligation_proof WHERE organization_id = $1 AND asset_id = $4`,
      // Proofs belong to one file: those of ancestors are not shown, so their words stay sealed.
      [tx.organizationId, assetIds, runIds, assetIds[0]],
    );
    const subjects = [
      ...assetIds.map((id) => publicId('asset', id)),
      ...related.map(({ kind, id }) => publicId(kind, id)),
      ...(await waiversOfRuns(tx, lineage)).map(({ id }) => publicId('waiver', id)),
      ...(await storyboardsWith(tx, assetIds)).map((id) => publicId('storyboard', id)),
      // When the key that signs this report began, and whether it was given up.
      ...(signer ? [signer.certificateSha256] : []),
    ];
    return (await this.log.bySubjects(tx, subjects, READINGS)).map(({ entryId }) => entryId);
  }

  private async compose(
    tx: Tx,
    request: { reportId: string; createdBy: string; signer: ReportSignerIdentity | undefined },
    lineage: readonly AssetWithParents[],
    entries: readonly LoggedEntry[],
    checkpoint: EvidenceCheckpoint,
    verification: MediaVerification | undefined,
    people: People,
  ): Promise<AssetDossier> {
    const asset = lineage[0] as AssetWithParents;
    const lineageIds = lineage.map(({ id }) => id);
    const removed = await this.removals.of(tx, 'asset', lineageIds, entries);
    // Removed between the look before and this one: the report is made again, and then it says so.
    if (removed.has(asset.id) !== (verification === undefined))
      throw new ColophonError('audit_unavailable', 'Something was removed while the report was made.');
    const indexOf = indexByEntryId(entries);
    const steps = await collectSteps(tx, lineage);
    const chain = await mapInOrder([...lineage].reverse(), (one) =>
      this.dossierAsset(one, { steps, people, indexOf, removed: removed.get(one.id) }),
    );
    const used = await usedUnderDecisions(tx, lineage);
    const runs = await collectRuns({
      ...{ tx, lineage, entries, people },
      ...{ sealedTexts: this.sealedTexts, removals: this.removals, log: this.log },
    });
    const names = await namesOf(tx, asset, lineage.find(({ runId }) => runId !== undefined)?.runId);
    const humanWork = await this.humanWork.collect({ tx, lineage, entries, people });
    const facts: Omit<AssetDossier, 'gaps'> = {
      v: 1,
      reportId: publicId('report', request.reportId),
      createdAt: this.clock.now().toISOString(),
      createdBy: await people.named(request.createdBy),
      signedBy: request.signer && {
        ...request.signer,
        keyEntryIndex: entries.find(({ type }) => type === 'report_key.activated')?.index,
      },
      product: { name: PRODUCT_NAME, version: PRODUCT_VERSION },
      organization: { id: publicId('organization', tx.organizationId), name: names.organization },
      project: { id: publicId('project', asset.projectId), name: names.project },
      useCase: names.useCase,
      asset: chain.find(({ id }) => id === publicId('asset', asset.id)) as DossierAsset,
      chain,
      runs,
      models: collectModels(used, chain, (await this.registry.now(tx)).index),
      obligations: await collectObligations(
        {
          tx,
          entries,
          sealedTexts: this.sealedTexts,
          people,
          obligationsToday: this.obligationsToday,
          listingsBehind: listingsBehind(used, chain),
        },
        asset.id,
      ),
      ...humanWork,
      ...(await collectDiligence({ tx, lineage, entries, people, sealedTexts: this.sealedTexts })),
      verification: verification ? verificationOf(verification) : NOT_VERIFIED,
      log: logOf(entries, checkpoint),
    };
    return { ...facts, gaps: findGaps(facts) };
  }

  private async dossierAsset(
    asset: AssetWithParents,
    found: {
      readonly steps: CollectedSteps;
      readonly people: People;
      readonly indexOf: (entryId: string) => number;
      readonly removed: DossierRemoval | undefined;
    },
  ): Promise<DossierAsset> {
    const { steps, people, indexOf, removed } = found;
    return {
      contentRemoved: removed,
      id: publicId('asset', asset.id),
      title: asset.title,
      origin: asset.origin,
      mode: asset.mode,
      mediaType: asset.mediaType,
      kind: asset.kind,
      width: asset.width,
      height: asset.height,
      durationMs: asset.durationMs,
      sizeBytes: asset.sizeBytes,
      sha256: asset.sha256,
      originalSha256: asset.originalSha256,
      claimSha256: asset.claimSha256,
      manifestSha256: asset.manifestSha256,
      manifestLabel: asset.manifestLabel,
      certificateSha256: asset.certificateSha256,
      timeStamp: asset.timeStamp,
      manifestPlacement: asset.manifestPlacement,
      digitalSourceType: asset.digitalSourceType,
      parents: asset.parents.map(({ assetId, relationship }) => ({
        assetId: publicId('asset', assetId),
        relationship,
      })),
      createdAt: asset.createdAt.toISOString(),
      createdBy: await people.named(asset.createdBy),
      entryIndex: indexOf(asset.entryId),
      step: asset.stepRunId === undefined ? undefined : steps.get(asset.stepRunId),
      rights: asset.rights === undefined ? undefined : { ...asset.rights },
      fileReading: fileReadingOf(asset),
    };
  }
}

/** Of a file that is gone. */
const NOT_VERIFIED: AssetDossier['verification'] = {
  verdict: 'removed',
  trustedBy: undefined,
  signer: { commonName: undefined, issuer: undefined },
  sentences: [
    'The file was removed, so its manifest could not be read back when this report was made. Its hashes were recorded when it was signed.',
  ],
  manifestCount: 0,
};

function verificationOf(verification: MediaVerification): AssetDossier['verification'] {
  return {
    verdict: verification.verdict,
    trustedBy: verification.trustedBy,
    signer: {
      commonName: verification.chain?.signer?.commonName,
      issuer: verification.chain?.signer?.issuer,
      isDevelopment: saysDevelopment(verification.signer?.subject, verification.signer?.issuer),
    },
    sentences: verification.sentences,
    brokenIngredient: verification.brokenIngredient,
    manifestCount: countManifests(verification),
  };
}

function indexByEntryId(entries: readonly LoggedEntry[]): (entryId: string) => number {
  const byId = new Map(entries.map(({ entryId, index }) => [entryId, index]));
  return (entryId) => {
    const index = byId.get(entryId);
    if (index === undefined) throw new Error(`entry ${entryId} is cited but was not collected`);
    return index;
  };
}

async function namesOf(
  tx: Tx,
  asset: AssetWithParents,
  runId: string | undefined,
): Promise<{ organization: string; project: string; useCase: string | undefined }> {
  const [row] = await tx.query<{ organization: string; project: string; use_case: string | null }>(
    `SELECT o.name AS organization, p.name AS project,
            (SELECT u.name FROM run r JOIN use_case u ON u.organization_id = r.organization_id AND u.id = r.use_case_id
              WHERE r.organization_id = $1 AND r.id = $3) AS use_case
       FROM organization o JOIN project p ON p.organization_id = o.organization_id AND p.id = $2
      WHERE o.organization_id = $1`,
    [tx.organizationId, asset.projectId, runId ?? null],
  );
  return {
    organization: row?.organization ?? '',
    project: row?.project ?? '',
    useCase: row?.use_case ?? undefined,
  };
}

function logOf(
  entries: readonly LoggedEntry[],
  { checkpoint, note, vkey, witnesses, ...anchors }: EvidenceCheckpoint,
): AssetDossier['log'] {
  return {
    origin: checkpoint.origin,
    vkey,
    treeSize: checkpoint.size,
    rootHash: Buffer.from(checkpoint.root).toString('base64'),
    checkpointNote: Buffer.from(note).toString('utf8'),
    entries: entries.map(listedEntry).sort((a, b) => a.index - b.index),
    witnessing: {
      policy: anchors.policy,
      isMet: anchors.isPolicyMet,
      witnesses: witnesses.map(({ name, key, cosignedAt }) => ({
        name,
        key,
        cosignedAt: cosignedAt?.toISOString(),
      })),
    },
    timeStamps: anchors.verifiedTimeStamps.map(({ at, ...rest }) => ({ ...rest, at: at.toISOString() })),
    timeStampsExpected: anchors.timeStampsExpected,
  };
}

function listedEntry({
  index,
  type,
  recordedAt,
  entry,
}: LoggedEntry): AssetDossier['log']['entries'][number] {
  const { subject } = JSON.parse(entry.toString('utf8')) as { subject: { id: string } };
  return { index: index ?? -1, type, recordedAt: recordedAt.toISOString(), subject: subject.id };
}

function countManifests({ chain }: MediaVerification): number {
  const count = (node: NonNullable<typeof chain>): number =>
    (node.manifestLabel === undefined ? 0 : 1) +
    node.ingredients.reduce((sum, ingredient) => sum + count(ingredient), 0);
  return chain ? count(chain) : 0;
}
