import { expandLineage, type ExpandedLineage, type Subject } from './expand-lineage.js';
import { type LineageRole, type Listing, type ListingId } from './listing.js';
import { type IndexedListing, type ListingIndex } from './listing-index.js';
import { isAllowed } from './rules/all-rules.js';
import { type PreparedFacts } from './rules/rule.js';

const MAX_ALTERNATIVES = 3;
/** Hidden components are nested two or three deep; the limit only guards against circles. */
const MAX_DEPTH = 8;

/**
 * Listings that could take the place of a subject and would be allowed on their own under the same facts: same role,
 * all its modalities, same channel first. For a hidden component the listing that brought it in is replaced.
 * Each candidate is judged at most once per decision.
 */
export function alternativesFinder(
  lineage: ExpandedLineage,
  facts: PreparedFacts,
  listings: ListingIndex,
): (subject: Subject) => readonly ListingId[] {
  const ofSubject = new Map<Subject, readonly ListingId[]>();
  const verdicts = new Map<Candidate, boolean>();
  const allowed = (candidate: Candidate): boolean => {
    const verdict = verdicts.get(candidate) ?? isAllowed(candidate.alone, facts);
    verdicts.set(candidate, verdict);
    return verdict;
  };
  return (subject) => {
    const known = ofSubject.get(subject);
    if (known) return known;
    const { roles, entry } = whoBroughtIn(subject, lineage);
    const found: ListingId[] = [];
    for (const candidate of candidatesFor(entry, firstOf(roles), listings)) {
      if (found.length === MAX_ALTERNATIVES) break;
      if (candidate.id !== entry.listing.id && allowed(candidate)) found.push(candidate.id);
    }
    ofSubject.set(subject, found);
    return found;
  };
}

function firstOf(roles: readonly LineageRole[]): LineageRole {
  return [...roles].sort()[0] ?? 'generator';
}

function whoBroughtIn(subject: Subject, { subjects }: ExpandedLineage): Subject {
  let current = subject;
  for (let depth = 0; depth < MAX_DEPTH && current.via.length > 0; depth += 1) {
    const parent = subjects.get([...current.via].sort()[0] ?? '');
    if (!parent) break;
    current = parent;
  }
  return current;
}

/** A listing with everything it brings along, as if it were used alone. */
interface Candidate {
  readonly id: ListingId;
  readonly alone: ExpandedLineage;
}

/** What depends on the registry alone is found once per registry. */
interface Catalog {
  readonly alone: Map<ListingId, Candidate>;
  /** By role and id of the listing to be replaced. */
  readonly inPlaceOf: Map<string, readonly Candidate[]>;
}
const CATALOGS = new WeakMap<ListingIndex, Catalog>();

function catalogOf(listings: ListingIndex): Catalog {
  const known = CATALOGS.get(listings);
  if (known) return known;
  const catalog: Catalog = { alone: new Map(), inPlaceOf: new Map() };
  CATALOGS.set(listings, catalog);
  return catalog;
}

function candidatesFor(
  { listing: replaced }: IndexedListing,
  role: LineageRole,
  listings: ListingIndex,
): readonly Candidate[] {
  const catalog = catalogOf(listings);
  const key = `${role} ${replaced.id}`;
  const known = catalog.inPlaceOf.get(key);
  if (known) return known;
  const fitting = listings.all.filter((entry) => couldReplace(entry, replaced, role));
  // `all` is sorted by id, and the sort is stable.
  const distance = ({ listing }: IndexedListing) => (listing.channel === replaced.channel ? 0 : 1);
  fitting.sort((a, b) => distance(a) - distance(b));
  const found = fitting.map(({ listing: { id } }) => {
    const component = { listingId: id, role, stepKey: 'alternative' };
    const candidate = catalog.alone.get(id) ?? {
      id,
      alone: expandLineage({ components: [component], inputs: [] }, listings),
    };
    catalog.alone.set(id, candidate);
    return candidate;
  });
  catalog.inPlaceOf.set(key, found);
  return found;
}

/** Never proposed: what is only a test, and what has no text in force behind it. */
function couldReplace(
  { listing, termsByKind }: IndexedListing,
  replaced: Listing,
  role: LineageRole,
): boolean {
  const { roles, modalities, license } = listing;
  if (termsByKind.has('test-output') || license.status !== 'current') return false;
  return roles.includes(role) && replaced.modalities.every((modality) => modalities.includes(modality));
}
