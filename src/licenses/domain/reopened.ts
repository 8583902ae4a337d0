import { decisiveSha256 } from './decisive-facts.js';
import { type ListingId } from './listing.js';
import { type RegistryState } from './registry-state.js';

/** One listing on which a decision rested, as it was. */
export interface Basis {
  readonly listingId: ListingId;
  readonly decisiveSha256: string;
  readonly licenseKey: string;
  readonly licenseTextSha256: string | null;
}

/** Why a decision does not hold any more: something it rests on, a policy of today that is stricter, or the day. */
export type Reopened = ReopenedByRegistry | ReopenedByPolicy | ReopenedByDay;

export interface ReopenedByPolicy {
  readonly because: 'policy';
  readonly ruleId: string;
}

/** What is sent today is sent later than was decided about, and something has ended in between. */
export interface ReopenedByDay {
  readonly because: 'day';
  readonly ruleId: string;
}

export interface ReopenedByRegistry {
  readonly listingId: ListingId;
  /** As the decision knew it. */
  readonly licenseKey: string;
  /** `license-text`: another text of the license was read since. `facts`: a fact was corrected, or recorded anew. */
  readonly because: 'license-text' | 'facts';
}

/**
 * What has changed under a decision. A changed text stays a reason even when the old text comes back: somebody has to
 * look, because nobody knows under which text the work was made.
 *
 * @param since version of the registry with which was decided
 */
export function reopened(
  basis: readonly Basis[],
  since: number,
  registry: RegistryState,
): ReopenedByRegistry[] {
  return basis.flatMap((rested): ReopenedByRegistry[] => {
    const { listingId, licenseKey } = rested;
    if (textChanged(listingId, since, registry)) return [{ listingId, licenseKey, because: 'license-text' }];
    const entry = registry.index.get(listingId);
    if (entry !== undefined && decisiveSha256(entry) === rested.decisiveSha256) return [];
    const license = entry?.listing.license;
    const sameText = license?.spdxOrRef === licenseKey && license.textSha256 === rested.licenseTextSha256;
    return [{ listingId, licenseKey, because: sameText ? 'facts' : 'license-text' }];
  });
}

function textChanged(listingId: ListingId, since: number, { readings }: RegistryState): boolean {
  for (const ofKey of readings.values()) {
    // The last ones are the newest: mostly the first look ends it.
    for (let i = ofKey.length - 1; i >= 0; i -= 1) {
      const reading = ofKey[i];
      if (reading === undefined || reading.version <= since) break;
      if (reading.change === 'changed' && reading.affectedListingIds.includes(listingId)) return true;
    }
  }
  return false;
}
