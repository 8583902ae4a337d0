import { type Tx } from '../../database/organization-tx.js';

/** What became of an asset after it was made, as far as publication is concerned. */
export interface ReleaseStanding {
  readonly releasedAt: Date;
  /** `undefined` while the release stands. The reason is a machine word; the words beside it are sealed. */
  readonly recalled: { readonly at: Date; readonly reason: string } | undefined;
}

/** Asked by those who show assets; people and their decisions are another module's. */
export abstract class ReleaseStandings {
  /** By asset id (UUID); what was never released is missing. */
  abstract of(tx: Tx, assetIds: readonly string[]): Promise<ReadonlyMap<string, ReleaseStanding>>;
}
