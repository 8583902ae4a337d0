import { type OrganizationTx } from '../../database/organization-tx.js';
import { isColophonError } from '../../shared/errors.js';
import { contentRemoved, type RemovedContent } from '../application/removed-content.js';
import { type AssetStore, type VerifiedContent } from '../domain/asset-store.port.js';

/** A store that tells a file that was removed on purpose from one that is missing. */
export class RemovalAwareStore implements AssetStore {
  constructor(
    private readonly store: AssetStore,
    private readonly organizationTx: OrganizationTx,
    private readonly removed: RemovedContent,
  ) {}

  stage(): Promise<string> {
    return this.store.stage();
  }

  stageAs(name: string): Promise<string> {
    return this.store.stageAs(name);
  }

  discard(stagedPath: string): Promise<void> {
    return this.store.discard(stagedPath);
  }

  put(organizationId: string, sha256: string, stagedPath: string): Promise<void> {
    return this.store.put(organizationId, sha256, stagedPath);
  }

  /** @throws ColophonError `content_removed`, `storage_unavailable` */
  localPath(organizationId: string, sha256: string): Promise<string> {
    return this.explained(organizationId, sha256, () => this.store.localPath(organizationId, sha256));
  }

  /** @throws ColophonError `content_removed`, `storage_unavailable` */
  openVerified(organizationId: string, sha256: string): Promise<VerifiedContent> {
    return this.explained(organizationId, sha256, () => this.store.openVerified(organizationId, sha256));
  }

  remove(organizationId: string, sha256: string): Promise<void> {
    return this.store.remove(organizationId, sha256);
  }

  removeUnlessFresh(organizationId: string, sha256: string): Promise<boolean> {
    return this.store.removeUnlessFresh(organizationId, sha256);
  }

  private async explained<T>(organizationId: string, sha256: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isColophonError(error, 'storage_unavailable')) throw error;
      const removal = await this.organizationTx.run(organizationId, (tx) => this.removed.ofFile(tx, sha256));
      throw removal ? contentRemoved(removal) : error;
    }
  }
}
