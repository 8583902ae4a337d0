import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type ActorKind } from '../../audit/core/entry-types.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import {
  type PlannedObligations,
  type RecordObligations,
} from '../../licenses/application/record-obligations.js';
import { DIGITAL_SOURCE_TYPES } from '../../provenance/domain/manifest-plan.js';
import { publicId } from '../../shared/ids.js';
import { type AssetRepository } from '../adapters/asset.repository.js';
import { type Asset, type AssetParent, type AssetTimeStamp } from '../domain/asset.js';
import { type MediaShape } from '../domain/media-probe/media-probe.port.js';
import { type PictureFingerprint } from '../domain/picture-fingerprint.js';
import { type SignedAsset } from './sign-asset.js';

/** What only the caller knows about a new asset. Everything else follows from its file before and after signing. */
export interface NewAsset extends Pick<
  Asset,
  'id' | 'projectId' | 'origin' | 'mode' | 'title' | 'createdBy' | 'createdAt'
> {
  readonly actor: { readonly kind: ActorKind; readonly id: string };
  readonly parents: readonly AssetParent[];
  /** The bytes as captured or received, and what is in them, which signing does not change. */
  readonly original: MediaShape & { readonly sha256: string; readonly mediaType: string };
  readonly signed: SignedAsset;
  readonly digitalSourceType?: Asset['digitalSourceType'];
  readonly rights?: Asset['rights'];
  readonly signalReading?: Asset['signalReading'];
  /** The step that made it. */
  readonly step?: { readonly runId: string; readonly id: string };
}

/** Asked in the transaction that makes the asset whether the key that signed its file may still have signed it. */
export interface KeyUse {
  /** @throws ColophonError `signer_unavailable` when it may not: the file is signed again with the key of now */
  admit(tx: Tx, certificateSha256: string): Promise<void>;
}

/** The part of a new asset that says on whose behalf it is made. */
export function madeBy(principal: Principal): Pick<NewAsset, 'actor' | 'mode' | 'createdBy'> {
  return { actor: actorOf(principal), mode: principal.mode, createdBy: principal.principalId };
}

/** Keeps what an asset looks like, in the caller's transaction. */
export interface AssetFingerprints {
  save(tx: Tx, assetId: string, fingerprint: PictureFingerprint): void;
}

/**
 * The one place where an asset comes into being: its row, what is owed for it, and its `asset.signed` entry in one
 * transaction. What serves bytes starts from the row, so nothing leaves that is not in the log (promise P1).
 */
export class RecordAsset {
  constructor(
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly obligations: RecordObligations,
    private readonly keyUse: KeyUse,
    private readonly fingerprints: AssetFingerprints,
  ) {}

  async record(tx: Tx, newAsset: NewAsset): Promise<Asset> {
    const { actor, parents } = newAsset;
    const asset = assetOf(newAsset);
    const [owed] = await Promise.all([
      this.planObligations(tx, asset, parents),
      this.keyUse.admit(tx, newAsset.signed.certificateSha256),
    ]);
    const entryId = await this.appendEntry.append(tx, {
      type: 'asset.signed',
      projectId: asset.projectId,
      actor,
      subject: { kind: 'asset', id: publicId('asset', asset.id) },
      data: {
        ...(asset.runId === undefined ? {} : { runId: publicId('run', asset.runId) }),
        ...(asset.stepRunId === undefined ? {} : { stepRunId: publicId('stepRun', asset.stepRunId) }),
        originalSha256: asset.originalSha256,
        sha256: asset.sha256,
        sizeBytes: asset.sizeBytes,
        mediaType: asset.mediaType,
        claimSha256: asset.claimSha256,
        manifestSha256: asset.manifestSha256,
        manifestLabel: asset.manifestLabel,
        certificateSha256: newAsset.signed.certificateSha256,
        ...(asset.timeStamp === undefined ? {} : { timeStamp: asset.timeStamp }),
        manifestPlacement: asset.manifestPlacement,
        kind: asset.kind,
        parents: parents.map(({ assetId, relationship }) => ({
          assetId: publicId('asset', assetId),
          relationship,
        })),
        ...(asset.digitalSourceType === undefined
          ? {}
          : { digitalSourceType: DIGITAL_SOURCE_TYPES[asset.digitalSourceType] }),
        obligations: { count: owed.rows.length, sha256: owed.sha256, calendarSha256: owed.calendar.sha256 },
      },
    });
    const recorded: Asset = { ...asset, entryId };
    this.assets.insert(tx, recorded, parents);
    this.obligations.save(tx, recorded, owed);
    const { fingerprint } = newAsset.signed;
    if (fingerprint !== undefined) this.fingerprints.save(tx, recorded.id, fingerprint);
    return recorded;
  }

  private async planObligations(
    tx: Tx,
    asset: Omit<Asset, 'entryId'>,
    parents: readonly AssetParent[],
  ): Promise<PlannedObligations> {
    const parentIds = parents.map(({ assetId }) => assetId);
    const { origin, runId, digitalSourceType = null } = asset;
    return this.obligations.plan(tx, {
      own: { origin, runId, digitalSourceType, showsPeople: asset.rights?.showsPeople },
      ancestors: await this.assets.ancestry(tx, parentIds),
      parentIds,
      madeAt: asset.createdAt,
    });
  }
}

/** Signing keeps the media type: it embeds a manifest and does not convert. */
function assetOf({
  original,
  signed,
  step,
  digitalSourceType,
  rights,
  signalReading,
  ...stated
}: NewAsset): Omit<Asset, 'entryId'> {
  return {
    id: stated.id,
    projectId: stated.projectId,
    origin: stated.origin,
    mode: stated.mode,
    title: stated.title,
    mediaType: original.mediaType,
    sizeBytes: signed.sizeBytes,
    kind: original.kind,
    width: original.width,
    height: original.height,
    durationMs: original.durationMs,
    sha256: signed.sha256,
    originalSha256: original.sha256,
    originalMediaType: original.mediaType,
    claimSha256: signed.claimSha256,
    manifestSha256: signed.manifestSha256,
    manifestLabel: signed.manifestLabel,
    certificateSha256: signed.certificateSha256,
    timeStamp: timeStampOf(signed),
    manifestPlacement: signed.manifestPlacement,
    digitalSourceType,
    rights,
    signalReading,
    runId: step?.runId,
    stepRunId: step?.id,
    createdBy: stated.createdBy,
    createdAt: stated.createdAt,
  };
}

function timeStampOf({ timeStamp }: SignedAsset): AssetTimeStamp | undefined {
  return timeStamp?.outcome === 'stamped' ? { ...timeStamp, time: timeStamp.time.toISOString() } : timeStamp;
}
