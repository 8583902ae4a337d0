import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type Tx } from '../../database/organization-tx.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { parsePublicId } from '../../shared/ids.js';
import { earliestDay } from '../domain/calendar-days.js';

const MAX_ASSETS = 1_000;

type Found =
  | { readonly problem: string }
  /** No outcome is of an earlier day; `undefined`: nothing here says when it came to be. */
  | { readonly notBefore: string | undefined };

/** The assets that one import names: each is looked up once. */
export class OutcomeAssets {
  private readonly found = new Map<string, Found>();

  constructor(
    private readonly tx: Tx,
    private readonly assets: AssetRepository,
  ) {}

  /** Why an outcome of this day cannot be of this asset. @throws ColophonError `payload_too_large` */
  async problemOf(assetId: string, day: string): Promise<string | undefined> {
    const found = this.found.get(assetId) ?? (await this.lookUp(assetId));
    if ('problem' in found) return found.problem;
    if (found.notBefore === undefined || day >= found.notBefore) return undefined;
    return `day: the asset was made on ${found.notBefore} or later`;
  }

  private async lookUp(assetId: string): Promise<Found> {
    if (this.found.size >= MAX_ASSETS)
      throw new ColophonError('payload_too_large', `An import names at most ${MAX_ASSETS} assets.`);
    const found = await this.read(parsePublicId('asset', assetId) ?? '');
    this.found.set(assetId, found);
    return found;
  }

  private async read(id: string): Promise<Found> {
    try {
      const asset = await this.assets.get(this.tx, id);
      if (asset.mode === 'test')
        return { problem: 'asset: it was made with a test key, and outcomes are of live assets' };
      const made = await this.madeAt(asset);
      return { notBefore: made === undefined ? undefined : earliestDay(made) };
    } catch (error) {
      if (isColophonError(error, 'not_found')) return { problem: 'asset: there is no asset with this id' };
      throw error;
    }
  }

  /**
   * What a step made is as old as its record. A file from elsewhere may be older, so a person's new version of one is
   * known to be no older than what steps made of its ancestors.
   */
  private async madeAt({ id, origin, createdAt }: Asset): Promise<Date | undefined> {
    if (origin === 'step') return createdAt;
    if (origin === 'upload') return undefined;
    const steps = (await this.assets.lineage(this.tx, id)).filter((one) => one.origin === 'step');
    return steps.map((one) => one.createdAt).sort((one, other) => other.getTime() - one.getTime())[0];
  }
}
