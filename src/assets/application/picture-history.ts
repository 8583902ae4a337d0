import { type Tx } from '../../database/organization-tx.js';
import { DIGITAL_SOURCE_TYPES, type DigitalSourceType } from '../../provenance/domain/manifest-plan.js';
import { type AncestorSourceType } from '../../provenance/domain/picture-source-type.js';
import { type AssetOriginRecord, type AssetRepository } from '../adapters/asset.repository.js';
import { AssetSignals } from './asset-signals.js';

/** What of an asset and everything behind it decides how a picture made from it is marked. */
export class PictureHistory {
  private readonly signals: AssetSignals;

  constructor(private readonly assets: AssetRepository) {
    this.signals = new AssetSignals(assets);
  }

  async of(
    tx: Tx,
    assetId: string,
  ): Promise<{ sourceTypes: readonly AncestorSourceType[]; reserves: boolean }> {
    const ancestry = await this.assets.ancestry(tx, [assetId]);
    const signals = await this.signals.of(tx, assetId);
    const reserves =
      signals === undefined ||
      signals.unreadPlaces.length > 0 ||
      signals.fileSignals.some(({ use }) => use !== 'allowed');
    return { sourceTypes: ancestry.map(sourceTypeOf), reserves };
  }
}

function sourceTypeOf({ origin, digitalSourceType }: AssetOriginRecord): AncestorSourceType {
  if (digitalSourceType !== null && Object.hasOwn(DIGITAL_SOURCE_TYPES, digitalSourceType))
    return digitalSourceType as DigitalSourceType;
  // A step without a source type changes nothing that is seen; of a file that somebody sent nobody knows.
  return origin === 'step' ? 'unchanged' : 'unknown';
}
