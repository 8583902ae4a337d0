import { type Lineage, type LineageComponent, type LineageInput } from './lineage.js';
import { type HiddenComponent, type LineageRole, type ListingId } from './listing.js';
import { type IndexedListing, type ListingIndex } from './listing-index.js';
import { type ThreeValued } from './three-valued.js';

/** One listing that takes part, however many steps use it. */
export interface Subject {
  readonly entry: IndexedListing;
  readonly roles: Set<LineageRole>;
  readonly stepKeys: Set<string>;
  /** Listings that bring it in as a hidden component. */
  readonly via: Set<ListingId>;
  /** `unknown` for an optional component of which nobody said whether it is used: it can send to review, not deny. */
  used: 'yes' | 'unknown';
}

/** A listing or hidden component for which the registry has no terms. */
export interface MissingListing {
  readonly id: ListingId;
  readonly stepKeys: Set<string>;
  readonly via: Set<ListingId>;
}

export interface ExpandedLineage {
  readonly subjects: ReadonlyMap<ListingId, Subject>;
  readonly missing: ReadonlyMap<ListingId, MissingListing>;
  readonly inputs: readonly LineageInput[];
}

interface Expansion {
  readonly index: ListingIndex;
  readonly subjects: Map<ListingId, Subject>;
  readonly missing: Map<ListingId, MissingListing>;
}

/** One occurrence of a listing on the way down from a component of the lineage. */
interface Occurrence {
  readonly id: ListingId;
  readonly role: LineageRole;
  readonly component: LineageComponent;
  readonly parent: ListingId | null;
  readonly used: 'yes' | 'unknown';
}

/** All listings of a lineage with their hidden components, each once. */
export function expandLineage(lineage: Lineage, index: ListingIndex): ExpandedLineage {
  const expansion: Expansion = { index, subjects: new Map(), missing: new Map() };
  for (const component of lineage.components) {
    const { listingId, role } = component;
    visit(expansion, { id: listingId, role, component, parent: null, used: 'yes' }, new Set());
  }
  return { subjects: expansion.subjects, missing: expansion.missing, inputs: lineage.inputs };
}

function visit(expansion: Expansion, occurrence: Occurrence, walked: Set<string>): void {
  const { id, role, component, parent, used } = occurrence;
  const entry = expansion.index.get(id);
  if (!entry) {
    noteMissing(expansion, occurrence);
    return;
  }
  const subject = expansion.subjects.get(id) ?? newSubject(entry, used);
  expansion.subjects.set(id, subject);
  subject.roles.add(role);
  subject.stepKeys.add(component.stepKey);
  if (parent !== null) subject.via.add(parent);
  if (used === 'yes') subject.used = 'yes';

  const { base, components } = entry.listing;
  if (base === null && components.length === 0) return;
  // Listings can name each other in a circle; each is walked at most once per certainty.
  const key = `${used} ${id}`;
  if (walked.has(key)) return;
  walked.add(key);
  if (base) visit(expansion, { id: base.listingId, role: 'generator', component, parent: id, used }, walked);
  for (const hidden of components) visitHidden(expansion, occurrence, hidden, walked);
}

function newSubject(entry: IndexedListing, used: 'yes' | 'unknown'): Subject {
  return { entry, roles: new Set(), stepKeys: new Set(), via: new Set(), used };
}

function visitHidden(
  expansion: Expansion,
  { id: parent, component, used: parentUsed }: Occurrence,
  { listingId, name, role, use }: HiddenComponent,
  walked: Set<string>,
): void {
  const stated = listingId === null ? undefined : component.optionalComponents?.[listingId];
  const asked: ThreeValued = use === 'always' ? 'yes' : (stated ?? 'unknown');
  if (asked === 'no') return;
  const used = asked === 'yes' && parentUsed === 'yes' ? 'yes' : 'unknown';
  const occurrence: Occurrence = { id: listingId ?? name, role, component, parent, used };
  if (listingId === null) noteMissing(expansion, occurrence);
  else visit(expansion, occurrence, walked);
}

function noteMissing({ missing }: Expansion, { id, component, parent }: Occurrence): void {
  const entry = missing.get(id) ?? { id, stepKeys: new Set<string>(), via: new Set<ListingId>() };
  entry.stepKeys.add(component.stepKey);
  if (parent !== null) entry.via.add(parent);
  missing.set(id, entry);
}
