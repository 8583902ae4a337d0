import { type EngineVersion } from './engine-version.js';
import { expandLineage, type ExpandedLineage, type Subject } from './expand-lineage.js';
import { type LineageRole, type Listing, type ListingId } from './listing.js';
import { type IndexedListing, type ListingIndex } from './listing-index.js';
import { isAllowed, isRefused } from './rules/all-rules.js';
import { type PreparedFacts } from './rules/rule.js';
import { type Purpose } from './terms.js';

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
  let catalog: Catalog | undefined;
  const verdicts = new Map<Candidate, boolean>();
  const allowed = (candidate: Candidate): boolean => {
    const verdict = verdicts.get(candidate) ?? isAllowed(candidate.alone, facts);
    verdicts.set(candidate, verdict);
    return verdict;
  };
  return (subject) => {
    catalog ??= catalogOf(listings, facts.facts.purpose, facts.version);
    const { roles, entry } = whoBroughtIn(subject, lineage);
    const found: ListingId[] = [];
    for (const candidate of candidatesFor(entry, firstOf(roles), catalog)) {
      if (candidate.id !== entry.listing.id && allowed(candidate)) found.push(candidate.id);
      if (found.length === MAX_ALTERNATIVES) break;
    }
    return found;
  };
}

function firstOf(roles: readonly LineageRole[]): LineageRole {
  return (roles.length < 2 ? roles : [...roles].sort())[0] ?? 'generator';
}

function whoBroughtIn(subject: Subject, { subjectById }: ExpandedLineage): Subject {
  let current = subject;
  for (let depth = 0; depth < MAX_DEPTH && current.via.length > 0; depth += 1) {
    const parent = subjectById.get([...current.via].sort()[0] ?? '');
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

/** What depends on the registry, the purpose and the version of the rules alone is found once for the three. */
interface Catalog {
  readonly listings: ListingIndex;
  readonly purpose: Purpose;
  readonly version: EngineVersion;
  /** By role and id. Null for a listing that no other fact makes allowed. */
  readonly candidates: Map<string, Candidate | null>;
  /** By id and role of the listing to be replaced. */
  readonly inPlaceOf: Map<ListingId, Map<LineageRole, readonly Candidate[]>>;
}
const CATALOGS = new WeakMap<ListingIndex, Map<string, Catalog>>();

function catalogOf(listings: ListingIndex, purpose: Purpose, version: EngineVersion): Catalog {
  const ofRegistry = CATALOGS.get(listings) ?? new Map<string, Catalog>();
  const key = `${version} ${purpose}`;
  const known = ofRegistry.get(key);
  if (known) return known;
  const catalog = { listings, purpose, version, candidates: new Map(), inPlaceOf: new Map() };
  CATALOGS.set(listings, ofRegistry.set(key, catalog));
  return catalog;
}

function candidatesFor(
  { listing: replaced }: IndexedListing,
  role: LineageRole,
  catalog: Catalog,
): readonly Candidate[] {
  const byRole = catalog.inPlaceOf.get(replaced.id) ?? new Map<LineageRole, readonly Candidate[]>();
  const known = byRole.get(role);
  if (known) return known;
  const fitting = catalog.listings.all.filter((entry) => couldReplace(entry, replaced, role));
  // `all` is sorted by id, and the sort is stable.
  const distance = ({ listing }: IndexedListing) => (listing.channel === replaced.channel ? 0 : 1);
  fitting.sort((a, b) => distance(a) - distance(b));
  const found = fitting.flatMap(({ listing: { id } }) => candidateOf(id, role, catalog) ?? []);
  catalog.inPlaceOf.set(replaced.id, byRole.set(role, found));
  return found;
}

function candidateOf(
  id: ListingId,
  role: LineageRole,
  { listings, purpose, version, candidates }: Catalog,
): Candidate | null {
  const key = `${role} ${id}`;
  const known = candidates.get(key);
  if (known !== undefined) return known;
  const component = { listingId: id, role, stepKey: 'alternative' };
  const alone = expandLineage({ components: [component], inputs: [] }, listings);
  const candidate = isRefused(alone, purpose, version) ? null : { id, alone };
  candidates.set(key, candidate);
  return candidate;
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
