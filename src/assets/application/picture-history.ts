import { type Tx } from '../../database/organization-tx.js';
import { DIGITAL_SOURCE_TYPES, type DigitalSourceType } from '../../provenance/domain/manifest-plan.js';
import { type AncestorSourceType } from '../../provenance/domain/picture-source-type.js';
import { isColophonError } from '../../shared/errors.js';
import { type AssetOriginRecord, type AssetRepository } from '../adapters/asset.repository.js';
import { readingOf } from '../domain/asset.js';
import { speaks } from '../domain/signal-reading.js';

/** What of an asset and everything behind it decides how a picture made from it is marked. */
export class PictureHistory {
  constructor(private readonly assets: AssetRepository) {}

  async of(
    tx: Tx,
    assetId: string,
  ): Promise<{ sourceTypes: readonly AncestorSourceType[]; reserves: boolean }> {
    const ancestry = await this.assets.ancestry(tx, [assetId]);
    return { sourceTypes: ancestry.map(sourceTypeOf), reserves: await this.reserves(tx, assetId) };
  }

  /** What is not known reserves. */
  private async reserves(tx: Tx, assetId: string): Promise<boolean> {
    try {
      const readings = (await this.assets.lineage(tx, assetId)).map((asset) => readingOf(asset));
      return readings.some((reading) => reading !== undefined && speaks(reading));
    } catch (error) {
      if (isColophonError(error) && error.code === 'not_found') return true;
      throw error;
    }
  }
}

function sourceTypeOf({ origin, digitalSourceType }: AssetOriginRecord): AncestorSourceType {
  if (digitalSourceType !== null && Object.hasOwn(DIGITAL_SOURCE_TYPES, digitalSourceType))
    return digitalSourceType as DigitalSourceType;
  // A step without a source type changes nothing that is seen; of a file that somebody sent nobody knows.
  return origin === 'step' ? 'unchanged' : 'unknown';
}
