import { type Tx } from '../../database/organization-tx.js';

/** UUIDs of what was made, or is being made, under clearances. */
export interface Work {
  readonly runIds: readonly string[];
  /** What these runs made, and everything that descends from it. */
  readonly assetIds: readonly string[];
}

/**
 * What rests on first decisions (UUIDs). The composition root fills it: licenses know nothing of runs and assets.
 */
export class WorkBehindClearances {
  constructor(
    readonly find: (tx: Tx, rootIds: readonly string[]) => Promise<ReadonlyMap<string, Work>>,
    /** Whether models may still run under it. */
    readonly isUnfinished: (tx: Tx, rootId: string) => Promise<boolean>,
    /** Whether a run of a live key rests on it. */
    readonly isLive: (tx: Tx, rootId: string) => Promise<boolean>,
    /** Whether any run rests on it. A run is decided as it is accepted, so what has none will not get one. */
    readonly isThere: (tx: Tx, rootId: string) => Promise<boolean>,
  ) {}
}
