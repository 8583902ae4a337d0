import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { frozen } from '../../shared/frozen.js';
import { citeIndemnity, citeLicense, citeTerm, citeTrainingData } from './cite-term.js';
import { territoryOf, type Territory } from './countries.js';
import { type CitedTerm, type Obligation } from './finding.js';
import { type Listing, type ListingId } from './listing.js';
import { standingObligations } from './standing-obligations.js';
import { type Term, type TermKind, type TermOf } from './terms.js';

/**
 * A listing with everything that every decision would otherwise compute again. Nothing in it can be changed any more, so
 * whatever follows from it alone holds as long as it does.
 */
export interface IndexedListing {
  readonly listing: Listing;
  /** The listing in messages. */
  readonly label: string;
  /** `[id, sha256]`, as it stands in the canonical input of every decision that uses the listing. */
  readonly pair: readonly [ListingId, string];
  readonly pairJson: string;
  /** SHA-256 of the listing's canonical JSON: names exactly these terms for ever. */
  readonly sha256: string;
  readonly termsByKind: ReadonlyMap<TermKind, readonly Term[]>;
  readonly territories: ReadonlyMap<Term, Territory>;
  /** What its use always brings with it. */
  readonly obligations: readonly Obligation[];
  readonly citedTerms: ReadonlyMap<Term, CitedTerm>;
  readonly citedLicense: CitedTerm;
  readonly citedIndemnity: CitedTerm;
  readonly citedTrainingData: CitedTerm;
}

export interface ListingIndex {
  get(id: ListingId): IndexedListing | undefined;
  /** Sorted by id. */
  readonly all: readonly IndexedListing[];
  /** SHA-256 over all (id, hash) pairs: names this state of the registry. */
  readonly sha256: string;
}

/** The terms of one kind, in the listing's order. */
export function termsOf<Kind extends TermKind>(entry: IndexedListing, kind: Kind): readonly TermOf<Kind>[] {
  return (entry.termsByKind.get(kind) ?? NO_TERMS) as readonly TermOf<Kind>[];
}
const NO_TERMS: readonly Term[] = [];

/** Freezes the listing, too. */
export function indexListing(given: Listing): IndexedListing {
  const listing = frozen(given);
  const termsByKind = new Map<TermKind, Term[]>();
  const territories = new Map<Term, Territory>();
  for (const term of listing.terms) {
    const sameKind = termsByKind.get(term.kind);
    if (sameKind) sameKind.push(term);
    else termsByKind.set(term.kind, [term]);
    if (term.kind === 'territory-exclusion') territories.set(term, territoryOf(term.countries));
    if (term.kind === 'plan-tier-required' && term.onlyInCountries !== null) {
      territories.set(term, territoryOf(term.onlyInCountries));
    }
  }
  const sha256 = sha256Hex(canonicalJson(listing));
  return Object.freeze({
    listing,
    label: `${listing.name} (${listing.id})`,
    pair: frozen([listing.id, sha256] as const),
    pairJson: JSON.stringify([listing.id, sha256]),
    sha256,
    termsByKind,
    territories,
    obligations: frozen(standingObligations(listing)),
    citedTerms: new Map(listing.terms.map((term) => [term, frozen(citeTerm(listing, term))])),
    citedLicense: frozen(citeLicense(listing)),
    citedIndemnity: frozen(citeIndemnity(listing)),
    citedTrainingData: frozen(citeTrainingData(listing)),
  });
}

/**
 * Hashes and groups the listings once; a decision then only reads.
 * @throws RangeError when two listings have one id.
 */
export function indexListings(listings: readonly Listing[]): ListingIndex {
  return indexOf(listings.map(indexListing));
}

/**
 * The same for listings that were indexed before.
 * @throws RangeError when two listings have one id.
 */
export function indexOf(entries: Iterable<IndexedListing>): ListingIndex {
  const byId = new Map<ListingId, IndexedListing>();
  for (const entry of entries) {
    const { id } = entry.listing;
    if (byId.has(id)) throw new RangeError(`two listings have the id ${id}`);
    byId.set(id, entry);
  }
  const all = [...byId.values()].sort((a, b) => (a.listing.id < b.listing.id ? -1 : 1));
  const pairs = all.map(({ listing, sha256 }) => [listing.id, sha256]);
  return { get: (id) => byId.get(id), all, sha256: sha256Hex(canonicalJson(pairs)) };
}
