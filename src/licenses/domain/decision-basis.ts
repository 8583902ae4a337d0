import { sha256Hex } from '../../shared/bytes.js';
import { decisiveSha256 } from './decisive-facts.js';
import { type DecisionResult } from './engine.js';
import { type ListingId } from './listing.js';
import { type IndexedListing, type ListingIndex } from './listing-index.js';
import { type Outlook, outlookOf } from './listing-outlook.js';
import { purposeOf } from './run-facts.js';

/** What a decision rests on: the listings that the registry knows, sorted by id, and what each of them says. */
export interface DecisionBasis {
  readonly used: readonly IndexedListing[];
  /** Of each of `used`. */
  readonly outlooks: readonly Outlook[];
  /** Names all of it: decisions that rest on just the same refer to the first one that did. */
  readonly sha256: string;
}

/** What follows from the hash of a listing, its license and the text of it, need not be hashed once more. */
export interface BasisPart {
  readonly listingId: ListingId;
  readonly sha256: string;
  readonly decisiveSha256: string;
  readonly outlookSha256: string;
}

export function decisionBasis(
  { input: { listings, facts }, engineVersion }: Pick<DecisionResult, 'input' | 'engineVersion'>,
  index: ListingIndex,
): DecisionBasis {
  const purpose = purposeOf(facts, engineVersion);
  const used = listings.flatMap(([id, sha256]) => (sha256 === null ? [] : (index.get(id) ?? [])));
  const outlooks = used.map((entry) => outlookOf(entry, purpose, engineVersion));
  const parts = used.map((entry, at) => ({
    listingId: entry.listing.id,
    sha256: entry.sha256,
    decisiveSha256: decisiveSha256(entry),
    outlookSha256: outlooks[at]?.sha256 ?? '',
  }));
  return { used, outlooks, sha256: basisSha256(parts) };
}

/** SHA-256 of the canonical JSON of `[listingId, sha256, decisiveSha256, outlookSha256]` of each, sorted by id. */
export function basisSha256(parts: readonly BasisPart[]): string {
  const inOrder = [...parts].sort((a, b) => (a.listingId < b.listingId ? -1 : 1));
  return sha256Hex(
    JSON.stringify(
      inOrder.map(({ listingId, sha256, decisiveSha256: decisive, outlookSha256 }) => [
        listingId,
        sha256,
        decisive,
        outlookSha256,
      ]),
    ),
  );
}
