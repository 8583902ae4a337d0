import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type RemovedContent } from '../../assets/application/removed-content.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type LogWriter } from '../../audit/application/log-writer.js';
import { type ReadLog } from '../../audit/application/read-log.js';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { activeManifestOnly } from '../../provenance/domain/jumbf.js';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type FingerprintRepository } from '../adapters/fingerprint.repository.js';
import { type PublicationRepository } from '../adapters/publication.repository.js';

/** The manifest store of a file, as the container carries it. */
export type ReadManifestStore = (path: string) => Promise<{ readonly store: Buffer | undefined }>;

export interface RecoverableManifest {
  readonly organizationId: string;
  readonly asset: Asset;
  /** Whether it belongs to the organization of the asker's key; it is public otherwise. */
  readonly isOwn: boolean;
}

/**
 * Manifests by their label: those of the asker's own organization, and public ones. What is neither does not exist for
 * the asker.
 */
export class RecoverableManifests {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly fingerprints: FingerprintRepository,
    private readonly publications: PublicationRepository,
    private readonly assets: AssetRepository,
    private readonly store: AssetStore,
    private readonly readManifestStore: ReadManifestStore,
    private readonly readLog: ReadLog,
    private readonly log: LogWriter,
    private readonly removed: RemovedContent,
  ) {}

  /** @throws ColophonError `not_found` */
  async find(manifestLabel: string, principal: Principal | undefined): Promise<RecoverableManifest> {
    const found =
      (principal && (await this.findOwn(manifestLabel, principal.organizationId))) ??
      (await this.findPublic(manifestLabel));
    if (found === undefined)
      throw new ColophonError('not_found', 'There is no manifest with this id that you may see.');
    return found;
  }

  /**
   * The manifest store of the signed file, byte for byte, or its active manifest alone. Who reads with a key of the
   * asset's organization is in the log before the first byte leaves.
   * @throws ColophonError `not_found`, `content_removed`, `audit_unavailable`, `storage_unavailable`
   */
  async read(
    manifestLabel: string,
    request: {
      readonly principal: Principal | undefined;
      readonly activeOnly: boolean;
      readonly sendsBody: boolean;
    },
  ): Promise<Buffer> {
    const { principal, activeOnly, sendsBody } = request;
    const { organizationId, asset, isOwn } = await this.find(manifestLabel, principal);
    await this.requireThere(organizationId, asset);
    const path = await this.store.localPath(organizationId, asset.sha256);
    const { store } = await this.readManifestStore(path);
    if (store === undefined || sha256Hex(store) !== asset.manifestSha256)
      throw new ColophonError('storage_unavailable', 'The manifest of this file is not the recorded one.');
    const bytes = activeOnly ? activeManifestOnly(store) : store;
    if (bytes === undefined)
      throw new ColophonError('storage_unavailable', 'The manifest of this file cannot be taken apart.');
    if (isOwn && principal !== undefined && sendsBody) await this.record(principal, asset);
    return bytes;
  }

  private async findOwn(
    manifestLabel: string,
    organizationId: string,
  ): Promise<RecoverableManifest | undefined> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const assetId = await this.publications.assetWith(tx, manifestLabel);
      if (assetId === undefined) return undefined;
      return { organizationId, asset: await this.assets.get(tx, assetId), isOwn: true };
    });
  }

  private async findPublic(manifestLabel: string): Promise<RecoverableManifest | undefined> {
    const place = await this.fingerprints.releasedWith(manifestLabel);
    if (place === undefined) return undefined;
    const { organizationId, assetId } = place;
    return this.organizationTx.run(organizationId, async (tx) => {
      const [shown] = await this.publications.publicAmong(tx, [assetId]);
      if (shown?.manifestLabel !== manifestLabel) return undefined;
      return { organizationId, asset: await this.assets.get(tx, assetId), isOwn: false };
    });
  }

  /**
   * Promise P1: nothing of an asset leaves whose entry is not committed. And nothing of one that was removed: its file may
   * lie there for a while, or belong to something else as well.
   */
  private async requireThere(organizationId: string, asset: Asset): Promise<void> {
    const entries = await this.organizationTx.run(organizationId, async (tx) => {
      await this.removed.requirePresent(tx, 'asset', asset.id);
      return this.readLog.byIds(tx, [asset.entryId]);
    });
    if (entries.length === 0)
      throw new ColophonError(
        'audit_unavailable',
        'The log entry of this asset is missing, so it is not released.',
      );
  }

  private async record(principal: Principal, asset: Asset): Promise<void> {
    const assetId = publicId('asset', asset.id);
    await this.log.append(principal.organizationId, {
      type: 'asset.read',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'asset', id: assetId },
      data: { assetId, sha256: asset.sha256, what: 'manifest', mode: asset.mode },
    });
  }
}
