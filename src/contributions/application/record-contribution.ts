import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { keepOriginal, type ReceivedFile } from '../../assets/application/receive-file.js';
import { madeBy, type RecordAsset } from '../../assets/application/record-asset.js';
import { type ManifestSettingsOfProject } from '../../assets/application/manifest-settings.js';
import { type NamedActors } from '../../assets/application/named-actors.js';
import { type PictureHistory } from '../../assets/application/picture-history.js';
import { type SignAsset } from '../../assets/application/sign-asset.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { displayName } from '../../assets/domain/display-name.js';
import { isStillImageType } from '../../assets/domain/media-probe/still-image-type.js';
import {
  type FileSignalReader,
  type SignalReading,
  statedSourceType,
  withoutParents,
} from '../../assets/domain/signal-reading.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { requirePerson } from '../../identity/application/require-person.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import {
  type ActTrace,
  type CaptureKind,
  type ChangedRegion,
  type ContributionAction,
  type ContributionBasis,
} from '../domain/contribution.js';
import { contributionManifest, sourceTypeOfEdit } from '../domain/contribution-manifest.js';
import {
  type EngagementTerms,
  type RecordedAct,
  recordText,
  wrongSigningTime,
} from '../domain/contribution-record.js';
import { type KeptDifference, type KeepDifference } from './keep-difference.js';
import { type EditsBehind, type RemainingTraces } from './remaining-traces.js';
import { type RequireOwnWork } from './require-own-work.js';
import { type SignatureKeys } from './signature-keys.js';
import { requireSignature } from './verify-signature.js';
import { type NewContribution, type WriteContribution } from './write-contribution.js';

export interface ContributionRequest {
  readonly parentAssetId: string;
  readonly file: ReceivedFile;
  readonly actionType: ContributionAction;
  readonly basis: ContributionBasis;
  readonly capture: CaptureKind;
  readonly tool: { readonly name: string; readonly version: string };
  /** Whether the person asks to be named in the file, as far as the project allows it. */
  readonly nameInFile: boolean;
  /** What the person did and why, in their own words. Sealed. */
  readonly statement: string;
  readonly engagement: EngagementTerms;
  /** Candidates that were shown before this one was worked on, in their order. UUIDs. */
  readonly shownAssetIds: readonly string[];
  readonly signature: { readonly keyId: string; readonly jws: string; readonly signedAt: string } | undefined;
}

export interface RecordedContribution {
  readonly contributionId: string;
  readonly asset: Asset;
  /** `undefined` where the two versions are not pictures that can be compared. */
  readonly changedRegion: ChangedRegion | undefined;
  readonly differenceSha256: string | undefined;
  readonly isSigned: boolean;
}

/**
 * A person's new version of an asset: a new asset, chained to its parent by manifest and by log, and the record of
 * the creative act, made when it happens.
 */
export class RecordContribution {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly assets: AssetRepository,
    private readonly store: AssetStore,
    private readonly signals: FileSignalReader,
    private readonly signAsset: SignAsset,
    private readonly recordAsset: RecordAsset,
    private readonly writeContribution: WriteContribution,
    private readonly requirePublishing: RequirePublishing,
    private readonly signatureKeys: SignatureKeys,
    private readonly keepDifference: KeepDifference,
    private readonly clock: Clock,
    private readonly settings: ManifestSettingsOfProject,
    private readonly namedActors: NamedActors,
    private readonly history: PictureHistory,
    private readonly ownWork: RequireOwnWork,
    private readonly remainingTraces: RemainingTraces,
  ) {}

  async contribute(
    principal: Principal,
    request: ContributionRequest,
    completed: (tx: Tx, recorded: RecordedContribution) => Promise<void>,
  ): Promise<RecordedContribution> {
    const { organizationId } = principal;
    const { file } = request;
    const { parent, edits } = await this.organizationTx.run(organizationId, async (tx) => {
      await this.requirePublishing.check(tx);
      const asked = await this.assets.get(tx, request.parentAssetId);
      await this.requireUsable(tx, principal, request, asked);
      return { parent: asked, edits: await this.remainingTraces.editsBehind(tx, asked.id) };
    });
    if (parent.mode !== principal.mode) {
      throw new ColophonError('wrong_mode', `The asset was made with a ${parent.mode} key.`);
    }
    await keepOriginal(this.store, organizationId, file);
    const [parentPath, filePath] = await Promise.all([
      this.store.localPath(organizationId, parent.sha256),
      this.store.localPath(organizationId, file.sha256),
    ]);
    const change = await this.changeOf(organizationId, parent, parentPath, file, filePath);
    // Whoever edits may have brought in a picture that reserves something, or that says who made it.
    const signalReading = await this.reading(organizationId, parent, parentPath, file, filePath);
    const [assetId, contributionId] = [newId(), newId()];
    const traces = await this.tracesIn(organizationId, filePath, edits, { contributionId, change });
    const title = displayName(file.fileName, parent.title);
    const signed = await this.signAsset.sign({
      organizationId,
      original: { ...file, path: filePath },
      origin: { kind: 'received_with_declaration', originalSha256: file.sha256, assetId },
      plan: contributionManifest({
        ...request,
        assetId: publicId('asset', assetId),
        parentId: publicId('asset', parent.id),
        mode: principal.mode,
        title,
        parent: { ...parent, path: parentPath },
        signalReading,
        now: this.clock.now(),
        ...(await this.organizationTx.run(organizationId, (tx) =>
          this.named(tx, principal, request, parent),
        )),
      }),
    });
    return this.organizationTx.run(organizationId, async (tx) => {
      await this.ownWork.checkBytesAlone(tx, principal.principalId, parent, file.sha256);
      const asset = await this.recordAsset.record(tx, {
        id: assetId,
        projectId: parent.projectId,
        origin: 'edit',
        title,
        original: file,
        signed,
        digitalSourceType: sourceTypeOfEdit(statedSourceType(signalReading)),
        signalReading,
        parents: [{ assetId: parent.id, relationship: 'parentOf' }],
        ...madeBy(principal),
        createdAt: this.clock.now(),
      });
      const recorded = {
        contributionId,
        asset,
        changedRegion: change?.region,
        differenceSha256: change?.differenceSha256,
        isSigned: request.signature !== undefined,
      };
      await this.write(tx, principal, request, { parent, recorded, change, traces, signalReading });
      await completed(tx, recorded);
      return recorded;
    });
  }

  /** Before anything is done for it. @throws ColophonError `forbidden`, `signature_invalid`, `invalid_request` */
  private async requireUsable(
    tx: Tx,
    principal: Principal,
    request: ContributionRequest,
    parent: Asset,
  ): Promise<void> {
    await requirePerson(tx, principal, 'human-work');
    const { signature, capture, shownAssetIds, file } = request;
    await this.ownWork.checkBytes(tx, principal.principalId, parent, file.sha256);
    if (signature) {
      const key = await this.signatureKeys.usable(tx, principal.principalId, signature.keyId);
      const text = recordText(tx.organizationId, principal.principalId, actOf(request, parent, file.sha256));
      await requireSignature(signature.jws, text, key);
      const wrong = wrongSigningTime(signature.signedAt, capture, this.clock.now());
      if (wrong !== undefined) throw new ColophonError('invalid_request', `signature.signedAt: ${wrong}`);
    }
    if (shownAssetIds.length === 0) return;
    const found = await this.assets.byIds(tx, shownAssetIds);
    if (found.length !== new Set(shownAssetIds).size)
      throw new ColophonError('not_found', 'There is no asset with one of the ids in "shown".');
    requireShowable(found, parent);
    if (!shownAssetIds.includes(request.parentAssetId))
      throw new ColophonError('invalid_request', 'shown: the asset that was worked on must be among them');
  }

  /** What the file says, and which of that its parent says already. @throws ColophonError `conflict` */
  private async reading(
    organizationId: string,
    parent: Asset,
    parentPath: string,
    file: ReceivedFile,
    filePath: string,
  ): Promise<SignalReading> {
    const { reading, versionLabels } = await this.signals.read({ path: filePath, mediaType: file.mediaType });
    await this.organizationTx.run(organizationId, (tx) =>
      this.ownWork.checkManifests(tx, parent, versionLabels),
    );
    if (reading.sourceStatements === undefined) return reading;
    const ofParent = await this.signals.read({ path: parentPath, mediaType: parent.mediaType });
    return withoutParents(reading, ofParent.reading);
  }

  private async tracesIn(
    organizationId: string,
    filePath: string,
    edits: EditsBehind | undefined,
    {
      contributionId,
      change,
    }: { readonly contributionId: string; readonly change: KeptDifference | undefined },
  ): Promise<ActTrace[] | undefined> {
    if (edits === undefined || change === undefined) return undefined;
    return this.remainingTraces.in(organizationId, filePath, edits, { contributionId, change });
  }

  /** @throws ColophonError `conflict` when nothing was changed */
  private async changeOf(
    organizationId: string,
    parent: Asset,
    parentPath: string,
    file: ReceivedFile,
    filePath: string,
  ): Promise<KeptDifference | undefined> {
    if ([parent.sha256, parent.originalSha256].includes(file.sha256)) {
      throw new ColophonError('conflict', 'The file is the asset itself: there is nothing to record.');
    }
    // Of films, sounds and models it is known that the bytes differ, and not what that means.
    if (!isStillImageType(parent.mediaType) || !isStillImageType(file.mediaType)) return undefined;
    const difference = await this.keepDifference.between(organizationId, parentPath, filePath);
    if (difference) return difference;
    throw new ColophonError(
      'conflict',
      'The file shows the same picture as the asset: there is nothing to record.',
    );
  }

  /** What the manifest says of others than the edit itself, and in whose name. */
  private async named(tx: Tx, principal: Principal, { nameInFile }: ContributionRequest, parent: Asset) {
    const context = await this.settings.context(tx, parent.projectId);
    const { sourceTypes, reserves } = await this.history.of(tx, parent.id);
    const { nameContributors } = context.settings;
    const isNamed = nameContributors === 'always' || (nameContributors === 'on_request' && nameInFile);
    return {
      context,
      sourceTypes,
      parentReserves: reserves,
      organization: await this.namedActors.organization(tx, context.organizationName),
      contributor: isNamed
        ? await this.namedActors.person(tx, principal.principalId, context.organizationName)
        : undefined,
    };
  }

  private async write(
    tx: Tx,
    principal: Principal,
    request: ContributionRequest,
    {
      parent,
      recorded,
      change,
      traces,
      signalReading,
    }: {
      readonly parent: Asset;
      readonly recorded: RecordedContribution;
      readonly change: NewContribution['change'];
      readonly traces: NewContribution['traces'];
      readonly signalReading: SignalReading;
    },
  ): Promise<void> {
    const { signature } = request;
    const { contributionId, asset } = recorded;
    await this.writeContribution.write(tx, {
      id: contributionId,
      assetId: asset.id,
      projectId: parent.projectId,
      contributorId: principal.principalId,
      actor: actorOf(principal),
      change,
      traces,
      signalReading,
      // Asked again: the key may have been revoked while the file was signed.
      signature: signature && {
        key: await this.signatureKeys.usable(tx, principal.principalId, signature.keyId),
        jws: signature.jws,
      },
      act: actOf(request, parent, asset.originalSha256),
    });
  }
}

/** Candidates are chosen among within one project and one mode. @throws ColophonError `wrong_mode`, `invalid_request` */
function requireShowable(shown: readonly Asset[], { mode, projectId }: Asset): void {
  if (shown.some((asset) => asset.mode !== mode))
    throw new ColophonError('wrong_mode', 'Something in "shown" was made with a key of the other mode.');
  if (shown.some((asset) => asset.projectId !== projectId))
    throw new ColophonError('invalid_request', 'shown: everything must belong to the project of the asset');
}

function actOf(request: ContributionRequest, parent: Asset, afterSha256: string): RecordedAct {
  const { actionType, basis, capture, engagement, tool, statement, shownAssetIds, signature } = request;
  return {
    ...{ actionType, basis, capture, engagement, tool, statement, shownAssetIds },
    parentAssetId: parent.id,
    beforeSha256: parent.sha256,
    afterSha256,
    signedAt: signature?.signedAt ?? null,
  };
}
