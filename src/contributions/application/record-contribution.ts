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
  loggedReading,
  type SignalReading,
} from '../../assets/domain/signal-reading.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type RequirePublishing } from '../../audit/application/require-publishing.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { ContributionEntity } from '../adapters/contribution.entity.js';
import {
  type CaptureKind,
  type ChangedRegion,
  type ContributionAction,
  type ContributionBasis,
  HUMAN_EDITS,
} from '../domain/contribution.js';
import { contributionManifest } from '../domain/contribution-manifest.js';

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
}

export interface RecordedContribution {
  readonly contributionId: string;
  readonly asset: Asset;
  /** `undefined` where the two versions are not pictures that can be compared. */
  readonly changedRegion: ChangedRegion | undefined;
}

/** Compares the two versions. A port, because it decodes pictures. */
export type CompareVersions = (beforePath: string, afterPath: string) => Promise<ChangedRegion | undefined>;

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
    private readonly appendEntry: AppendEntry,
    private readonly requirePublishing: RequirePublishing,
    private readonly vault: SubjectVault,
    private readonly compareVersions: CompareVersions,
    private readonly clock: Clock,
    private readonly settings: ManifestSettingsOfProject,
    private readonly namedActors: NamedActors,
    private readonly history: PictureHistory,
  ) {}

  async contribute(
    principal: Principal,
    request: ContributionRequest,
    completed: (tx: Tx, recorded: RecordedContribution) => Promise<void>,
  ): Promise<RecordedContribution> {
    const { organizationId } = principal;
    const { file } = request;
    const parent = await this.organizationTx.run(organizationId, async (tx) => {
      await this.requirePublishing.check(tx);
      return this.assets.get(tx, request.parentAssetId);
    });
    if (parent.mode !== principal.mode) {
      throw new ColophonError('wrong_mode', `The asset was made with a ${parent.mode} key.`);
    }
    await keepOriginal(this.store, organizationId, file);
    const [parentPath, filePath] = await Promise.all([
      this.store.localPath(organizationId, parent.sha256),
      this.store.localPath(organizationId, file.sha256),
    ]);
    const region = await this.changeOf(parent, parentPath, file, filePath);
    // Whoever edits may have brought in a picture that reserves something.
    const signalReading = await this.signals.read({ path: filePath, mediaType: file.mediaType });
    const assetId = newId();
    const title = displayName(file.fileName, parent.title);
    const signed = await this.signAsset.sign({
      organizationId,
      original: file,
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
      const asset = await this.recordAsset.record(tx, {
        id: assetId,
        projectId: parent.projectId,
        origin: 'edit',
        title,
        original: file,
        signed,
        digitalSourceType: HUMAN_EDITS,
        signalReading,
        parents: [{ assetId: parent.id, relationship: 'parentOf' }],
        ...madeBy(principal),
        createdAt: this.clock.now(),
      });
      const recorded = { contributionId: newId(), asset, changedRegion: region, signalReading };
      await this.insert(tx, principal, request, parent, recorded);
      await completed(tx, recorded);
      return recorded;
    });
  }

  /** @throws ColophonError `conflict` when nothing was changed */
  private async changeOf(
    parent: Asset,
    parentPath: string,
    file: ReceivedFile,
    filePath: string,
  ): Promise<ChangedRegion | undefined> {
    if ([parent.sha256, parent.originalSha256].includes(file.sha256)) {
      throw new ColophonError('conflict', 'The file is the asset itself: there is nothing to record.');
    }
    // Of films, sounds and models it is known that the bytes differ, and not what that means.
    if (!isStillImageType(parent.mediaType) || !isStillImageType(file.mediaType)) return undefined;
    const region = await this.compareVersions(parentPath, filePath);
    if (region) return region;
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

  private async insert(
    tx: Tx,
    principal: Principal,
    request: ContributionRequest,
    parent: Asset,
    recorded: RecordedContribution & { readonly signalReading: SignalReading },
  ): Promise<void> {
    const { contributionId, asset, changedRegion, signalReading } = recorded;
    const entryId = await this.appendEntry.append(tx, {
      type: 'contribution.recorded',
      projectId: parent.projectId,
      actor: actorOf(principal),
      subject: { kind: 'contribution', id: publicId('contribution', contributionId) },
      data: {
        assetId: publicId('asset', asset.id),
        parentAssetId: publicId('asset', parent.id),
        actionType: request.actionType,
        basis: request.basis,
        capture: request.capture,
        ...loggedReading(signalReading),
      },
      sealed: { statement: { value: request.statement, subjectId: principal.principalId } },
    });
    await tx.manager.insert(ContributionEntity, {
      organizationId: tx.organizationId,
      id: contributionId,
      assetId: asset.id,
      parentAssetId: parent.id,
      contributorId: principal.principalId,
      actionType: request.actionType,
      basis: request.basis,
      capture: request.capture,
      tool: `${request.tool.name} ${request.tool.version}`.trim(),
      sealedStatement: await this.vault.encrypt(tx, principal.principalId, request.statement),
      beforeSha256: parent.sha256,
      afterSha256: asset.originalSha256,
      changedRegion: changedRegion ?? null,
      entryId,
      createdAt: this.clock.now(),
    });
  }
}
