import { expandLineage, type ExpandedLineage, type Subject } from './expand-lineage.js';
import { type LineageRole, type ListingId } from './listing.js';
import { type IndexedListing, type ListingIndex } from './listing-index.js';
import { isAllowed } from './rules/all-rules.js';
import { type PreparedFacts } from './rules/rule.js';

const MAX_ALTERNATIVES = 3;
/** Hidden components are nested two or three deep; the limit only guards against circles. */
const MAX_DEPTH = 8;

/**
 * Listings that could take the place of a subject and would be allowed on their own under the same facts: same role,
 * all its modalities, same channel first. For a hidden component the listing that brought it in is replaced.
 * Computed once per (role, modalities, channel) of a decision.
 */
export function alternativesFinder(
  lineage: ExpandedLineage,
  facts: PreparedFacts,
  listings: ListingIndex,
): (subject: Subject) => readonly ListingId[] {
  const known = new Map<string, readonly ListingId[]>();
  return (subject) => {
    const replaced = whoBroughtIn(subject, lineage);
    const role = [...replaced.roles].sort()[0] ?? 'generator';
    const { id, modalities, channel } = replaced.entry.listing;
    const key = `${role} ${channel} ${modalities.join()}`;
    const found = known.get(key) ?? search(replaced.entry, role, facts, listings);
    known.set(key, found);
    return found.filter((alternative) => alternative !== id).slice(0, MAX_ALTERNATIVES);
  };
}

function whoBroughtIn(subject: Subject, { subjects }: ExpandedLineage): Subject {
  let current = subject;
  for (let depth = 0; depth < MAX_DEPTH && current.via.size > 0; depth += 1) {
    const parent = subjects.get([...current.via].sort()[0] ?? '');
    if (!parent) break;
    current = parent;
  }
  return current;
}

function search(
  { listing: replaced }: IndexedListing,
  role: LineageRole,
  facts: PreparedFacts,
  listings: ListingIndex,
): readonly ListingId[] {
  const found: IndexedListing[] = [];
  for (const candidate of listings.all) {
    const { id, roles, modalities } = candidate.listing;
    if (!roles.includes(role)) continue;
    if (!replaced.modalities.every((modality) => modalities.includes(modality))) continue;
    if (candidate.termsByKind.has('test-output')) continue;
    if (allowedAlone(id, role, facts, listings)) found.push(candidate);
  }
  // `all` is sorted by id, and the sort is stable.
  const distance = ({ listing }: IndexedListing) => (listing.channel === replaced.channel ? 0 : 1);
  return found.sort((a, b) => distance(a) - distance(b)).map(({ listing }) => listing.id);
}

function allowedAlone(
  listingId: ListingId,
  role: LineageRole,
  facts: PreparedFacts,
  index: ListingIndex,
): boolean {
  const component = { listingId, role, stepKey: 'alternative' };
  return isAllowed(expandLineage({ components: [component], inputs: [] }, index), facts);
}
