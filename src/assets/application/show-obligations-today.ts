import { type Tx } from '../../database/organization-tx.js';
import { type ObligedWork } from '../../licenses/application/obligation-basis.js';
import { type ObligationList, readObligationsOf } from '../../licenses/application/read-obligations.js';
import { type RecordObligations } from '../../licenses/application/record-obligations.js';
import { type ObligationsToday } from '../../licenses/domain/obligations-today.js';
import { type Clock } from '../../shared/clock.js';
import {
  type AssetOriginRecord,
  type AssetRepository,
  type AssetWithParents,
} from '../adapters/asset.repository.js';

/** The list of an asset, and what is owed at this moment beside it. */
export interface ObligationsOfAsset {
  readonly list: ObligationList;
  readonly today: ObligationsToday;
}

/** What is owed for assets at this moment, beside the lists that were made when they were signed. */
export class ShowObligationsToday {
  constructor(
    private readonly assets: Pick<AssetRepository, 'get' | 'byIds' | 'ancestries'>,
    private readonly obligations: Pick<RecordObligations, 'today'>,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found` */
  async ofId(tx: Tx, assetId: string, list: ObligationList): Promise<ObligationsToday> {
    return this.of(tx, await this.assets.get(tx, assetId), list);
  }

  async of(tx: Tx, asset: AssetWithParents, list: ObligationList): Promise<ObligationsToday> {
    const [today] = await this.among(tx, [{ asset, list }]);
    if (today === undefined) throw new Error('an asset that was asked about has an answer');
    return today;
  }

  /**
   * Of several assets, in as many statements as of one. Assets of which nobody worked out what is owed, and ids of none,
   * are not in it. Everything is held in memory: ask for some hundred at a time.
   */
  async ofMany(tx: Tx, assetIds: readonly string[]): Promise<Map<string, ObligationsOfAsset>> {
    const lists = await readObligationsOf(tx, assetIds);
    if (lists.size === 0) return new Map();
    const found = (await this.assets.byIds(tx, [...lists.keys()])).flatMap((asset) => {
      const list = lists.get(asset.id);
      return list === undefined ? [] : [{ asset, list }];
    });
    const today = await this.among(tx, found);
    return new Map(
      found.flatMap(({ asset, list }, i): [string, ObligationsOfAsset][] => {
        const one = today[i];
        return one === undefined ? [] : [[asset.id, { list, today: one }]];
      }),
    );
  }

  private async among(
    tx: Tx,
    found: readonly { readonly asset: AssetWithParents; readonly list: ObligationList }[],
  ): Promise<ObligationsToday[]> {
    const descended = found.filter(({ asset }) => asset.parents.length > 0).map(({ asset }) => asset.id);
    const ancestors =
      descended.length === 0
        ? new Map<string, AssetOriginRecord[]>()
        : await this.assets.ancestries(tx, descended);
    const works = found.map(({ asset, list }) => ({
      work: workOf(asset, ancestors.get(asset.id) ?? []),
      list,
    }));
    return this.obligations.today(tx, works, this.clock.now());
  }
}

function workOf(asset: AssetWithParents, ancestors: readonly AssetOriginRecord[]): ObligedWork {
  const { origin, runId, digitalSourceType = null, rights } = asset;
  return {
    own: { origin, runId, digitalSourceType, showsPeople: rights?.showsPeople },
    ancestors,
    parentIds: asset.parents.map(({ assetId }) => assetId),
    madeAt: asset.createdAt,
  };
}
