import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { type DecisionResult } from '../domain/engine.js';
import { ENGINE_VERSIONS, isEngineVersion } from '../domain/engine-version.js';
import { replay } from '../domain/replay.js';
import { archivedListings } from './archived-listings.js';
import { indexListings } from '../domain/listing-index.js';
import { type AskPolicies } from './ask-policies.js';
import { readClearance, type StoredClearance } from './read-clearance.js';

export interface Replayed {
  readonly recorded: StoredClearance;
  readonly again: DecisionResult;
}

/**
 * Makes a recorded decision once more from its stored input, with the listings and policies as they were. Needs nothing
 * of the registry of today, nor of the listings that come with the product today.
 *
 * @throws ColophonError `not_found`; `conflict` for a decision by other rules, which the release with these rules repeats
 */
export async function replayClearance(tx: Tx, policies: AskPolicies, id: string): Promise<Replayed> {
  const recorded = await readClearance(tx, id);
  // The type allows no other, but it may have been stored by another release.
  const decidedBy: string = recorded.engineVersion;
  if (!isEngineVersion(decidedBy)) {
    throw new ColophonError(
      'conflict',
      `Decided by engine ${decidedBy}; this release has ${ENGINE_VERSIONS.join(' and ')}. Replay it with the release that decided.`,
    );
  }
  const byHash = await archivedListings(
    tx,
    recorded.input.listings.flatMap(([, sha256]) => sha256 ?? []),
  );
  const again = replay(recorded.input, { find: (_id, sha256) => byHash.get(sha256) });
  if (recorded.policies === undefined) return { recorded, again };
  const listings = indexListings([...byHash.values()]);
  const { lineage, facts } = recorded.input;
  const outcome = await policies.again(
    tx,
    { lineage, facts, listings, engineVersion: decidedBy },
    again,
    recorded.policies,
  );
  return { recorded, again: { ...again, ...outcome } };
}
