import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { type ActorKind } from '../../audit/core/entry-types.js';
import { DIGITAL_SOURCE_TYPES } from '../../provenance/domain/manifest-plan.js';
import { publicId } from '../../shared/ids.js';
import { type AssetRepository } from '../adapters/asset.repository.js';
import { type Asset, type AssetParent } from '../domain/asset.js';

/**
 * The one place where an asset comes into being: its row and its `asset.signed` entry in one transaction. What
 * serves bytes starts from the row, so nothing leaves that is not in the log (promise P1).
 */
export class RecordAsset {
  constructor(
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
  ) {}

  async record(
    tx: Tx,
    asset: Omit<Asset, 'entryId'>,
    parents: readonly AssetParent[],
    actor: { readonly kind: ActorKind; readonly id: string },
  ): Promise<Asset> {
    const entryId = await this.appendEntry.append(tx, {
      type: 'asset.signed',
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
        parents: parents.map(({ assetId, relationship }) => ({
          assetId: publicId('asset', assetId),
          relationship,
        })),
        ...(asset.digitalSourceType === undefined
          ? {}
          : { digitalSourceType: DIGITAL_SOURCE_TYPES[asset.digitalSourceType] }),
      },
    });
    const recorded: Asset = { ...asset, entryId };
    await this.assets.insert(tx, recorded, parents);
    return recorded;
  }
}
