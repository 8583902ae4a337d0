import { type Tx } from '../../database/organization-tx.js';
import { type RecordedSignals } from '../../licenses/application/complete-lineage.js';
import { isColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type AssetRepository, type AssetWithParents } from '../adapters/asset.repository.js';
import { readingOf, type Asset } from '../domain/asset.js';

/** What the files of an asset and of all its ancestors reserve, what was declared for them, and to which projects they belong. */
export class AssetSignals implements RecordedSignals {
  constructor(private readonly assets: Pick<AssetRepository, 'lineage'>) {}

  async of(tx: Tx, assetId: string) {
    const lineage = await this.lineageOf(tx, assetId);
    if (lineage === undefined) return undefined;
    const readings = lineage
      .map((asset: Asset) => readingOf(asset))
      .filter((reading) => reading !== undefined);
    return {
      fileSignals: readings.flatMap(({ signals }) => signals),
      unreadPlaces: readings.flatMap(({ unreadPlaces }) => unreadPlaces),
      projectIds: [...new Set(lineage.map(({ projectId }) => projectId))],
      received: lineage.flatMap((asset) => {
        if (!asset.rights) return [];
        const reading = readingOf(asset);
        const found =
          reading === undefined ? {} : { fileSignals: reading.signals, unreadPlaces: reading.unreadPlaces };
        return [{ ...asset.rights, ...found, assetId: publicId('asset', asset.id) }];
      }),
    };
  }

  private async lineageOf(tx: Tx, assetId: string): Promise<AssetWithParents[] | undefined> {
    try {
      return await this.assets.lineage(tx, assetId);
    } catch (error) {
      if (isColophonError(error) && error.code === 'not_found') return undefined;
      throw error;
    }
  }
}
