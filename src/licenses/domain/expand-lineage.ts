import { sha256Hex } from '../../shared/bytes.js';
import { type Lineage, type LineageComponent, type LineageInput } from './lineage.js';
import { type HiddenComponent, type LineageRole, type ListingId, listingIdSchema } from './listing.js';
import { type IndexedListing, type ListingIndex } from './listing-index.js';
import { type ThreeValued } from './three-valued.js';

/** With `unlisted.` before it and a mark behind it, what the model part of an id has room for. */
const MAX_SLUG_CHARACTERS = 40;

/** One listing that takes part, however many steps use it. */
export interface Subject {
  readonly entry: IndexedListing;
  readonly roles: LineageRole[];
  /** What it does, where a base does what was made from it does. In `roles` every base is a generator. */
  readonly parts: LineageRole[];
  readonly stepKeys: string[];
  /** Listings that bring it in as a hidden component. */
  readonly via: ListingId[];
  /** `unknown` for an optional component of which nobody said whether it is used: it can send to review, not deny. */
  used: 'yes' | 'unknown';
}

/** A listing or hidden component for which the registry has no terms. */
export interface MissingListing {
  readonly id: ListingId;
  readonly stepKeys: string[];
  readonly via: ListingId[];
}

export interface ExpandedLineage {
  /** In the order of their ids, whatever order the lineage has. */
  readonly subjects: readonly Subject[];
  readonly subjectById: ReadonlyMap<ListingId, Subject>;
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
  readonly part: LineageRole;
  readonly component: LineageComponent;
  readonly parent: ListingId | null;
  readonly used: 'yes' | 'unknown';
}

/** All listings of a lineage with their hidden components, each once. */
export function expandLineage(lineage: Lineage, index: ListingIndex): ExpandedLineage {
  const expansion: Expansion = { index, subjects: new Map(), missing: new Map() };
  for (const component of lineage.components) {
    const { listingId, role } = component;
    visit(expansion, { id: listingId, role, part: role, component, parent: null, used: 'yes' }, []);
  }
  const { subjects, missing } = expansion;
  return {
    subjects: valuesById(subjects),
    subjectById: subjects,
    missing: missing.size < 2 ? missing : new Map(valuesById(missing).map((entry) => [entry.id, entry])),
    inputs: lineage.inputs,
  };
}

function valuesById<Value>(found: ReadonlyMap<ListingId, Value>): readonly Value[] {
  if (found.size < 2) return [...found.values()];
  const sorted: Value[] = [];
  for (const id of [...found.keys()].sort()) {
    const value = found.get(id);
    if (value !== undefined) sorted.push(value);
  }
  return sorted;
}

function visit(expansion: Expansion, occurrence: Occurrence, walked: string[]): void {
  const { id, part, used } = occurrence;
  const entry = expansion.index.get(id);
  if (!entry) {
    noteMissing(expansion, occurrence);
    return;
  }
  note(expansion, entry, occurrence);
  const { base, components } = entry.listing;
  if (base === null && components.length === 0) return;
  // Listings can name each other in a circle; each is walked at most once for what it does, per certainty.
  const key = `${used} ${part} ${id}`;
  if (walked.includes(key)) return;
  walked.push(key);
  if (base) {
    // A LoRA is laid over a model.
    const does = part === 'lora' ? 'generator' : part;
    const of: Occurrence = { ...occurrence, id: base.listingId, role: 'generator', part: does, parent: id };
    visit(expansion, of, walked);
  }
  for (const hidden of components) visitHidden(expansion, occurrence, hidden, walked);
}

function note({ subjects }: Expansion, entry: IndexedListing, occurrence: Occurrence): void {
  const { id, role, part, component, parent, used } = occurrence;
  const subject = subjects.get(id);
  if (subject === undefined) {
    const via = parent === null ? [] : [parent];
    subjects.set(id, { entry, roles: [role], parts: [part], stepKeys: [component.stepKey], via, used });
    return;
  }
  addTo(subject.roles, role);
  addTo(subject.parts, part);
  addTo(subject.stepKeys, component.stepKey);
  if (parent !== null) addTo(subject.via, parent);
  if (used === 'yes') subject.used = 'yes';
}

/** These lists hold one or two items; a Set for each would cost more than it saves. */
function addTo<Item>(items: Item[], item: Item): void {
  if (!items.includes(item)) items.push(item);
}

function visitHidden(
  expansion: Expansion,
  { id: parent, component, used: parentUsed }: Occurrence,
  { listingId, name, role, use }: HiddenComponent,
  walked: string[],
): void {
  const stated = listingId === null ? undefined : component.optionalComponents?.[listingId];
  const asked: ThreeValued = use === 'always' ? 'yes' : (stated ?? 'unknown');
  if (asked === 'no') return;
  const used = asked === 'yes' && parentUsed === 'yes' ? 'yes' : 'unknown';
  const occurrence: Occurrence = {
    id: listingId ?? unlistedId(name),
    role,
    part: role,
    component,
    parent,
    used,
  };
  if (listingId === null) noteMissing(expansion, occurrence);
  else visit(expansion, occurrence, walked);
}

/**
 * Findings, waivers and entries of the log name a component by an id, so one without a listing gets an id that no listing
 * has, from its name.
 */
function unlistedId(name: string): ListingId {
  if (listingIdSchema.safeParse(name).success) return name;
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG_CHARACTERS);
  // Two names can give one slug, and are two components all the same.
  return `unlisted.${slug}.${sha256Hex(name).slice(0, 8)}@unlisted`;
}

function noteMissing({ missing }: Expansion, { id, component, parent }: Occurrence): void {
  const entry: MissingListing = missing.get(id) ?? { id, stepKeys: [], via: [] };
  addTo(entry.stepKeys, component.stepKey);
  if (parent !== null) addTo(entry.via, parent);
  missing.set(id, entry);
}
