import { type Tx } from '../../database/organization-tx.js';
import { type ObligationList } from '../../licenses/application/read-obligations.js';
import { type RecordObligations } from '../../licenses/application/record-obligations.js';
import { type ObligationsToday } from '../../licenses/domain/obligations-today.js';
import { type Clock } from '../../shared/clock.js';
import { type AssetRepository, type AssetWithParents } from '../adapters/asset.repository.js';

/** What is owed for an asset at this moment, beside the list that was made when it was signed. */
export class ShowObligationsToday {
  constructor(
    private readonly assets: Pick<AssetRepository, 'get' | 'ancestry'>,
    private readonly obligations: Pick<RecordObligations, 'today'>,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found` */
  async ofId(tx: Tx, assetId: string, list: ObligationList): Promise<ObligationsToday> {
    return this.of(tx, await this.assets.get(tx, assetId), list);
  }

  async of(tx: Tx, asset: AssetWithParents, list: ObligationList): Promise<ObligationsToday> {
    const { origin, runId, digitalSourceType = null, rights } = asset;
    const parentIds = asset.parents.map(({ assetId }) => assetId);
    const work = {
      own: { origin, runId, digitalSourceType, showsPeople: rights?.showsPeople },
      ancestors: await this.assets.ancestry(tx, parentIds),
      parentIds,
      madeAt: asset.createdAt,
    };
    return this.obligations.today(tx, work, list, this.clock.now());
  }
}
