import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { decisiveSha256 } from './decisive-facts.js';
import { type IndexedListing, indexListing } from './listing-index.js';
import { type Listing, type ListingId } from './listing.js';
import {
  effective,
  type OwnListing,
  type RecordedCuration,
  type RecordedReading,
  type RegistryChanges,
  type RegistryState,
  restsOn,
} from './registry-state.js';

/** What one version of the registry did to one listing, as decisions use it. */
export interface ListingChange {
  readonly version: number;
  readonly listingId: ListingId;
  /** Undefined where there was no such listing. */
  readonly before: IndexedListing | undefined;
  readonly after: IndexedListing | undefined;
  /** Another text of its license was read than the one its terms were read from. */
  readonly textChanged: boolean;
}

/** One fact, as it was and as it is. Null where it did not exist. */
export interface FactChange {
  readonly fact: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
}

/** Goes through the history of a registry, oldest first, and tells what each version changed. */
export function* listingChanges(start: RegistryState, changes: RegistryChanges): Generator<ListingChange> {
  const walk = new Walk(start);
  for (const recorded of byVersion(changes)) {
    for (const listingId of walk.take(recorded)) {
      const change = walk.step(listingId, recorded);
      if (change.textChanged || change.before?.sha256 !== change.after?.sha256) yield change;
    }
  }
}

/** The registry at one version after the other; like `advance`, without an index of each state. */
class Walk {
  private readonly base: Map<ListingId, IndexedListing>;
  private readonly inForce: Map<ListingId, IndexedListing>;
  private readonly curations = new Map<ListingId, RecordedCuration[]>();
  private readonly readings = new Map<string, RecordedReading[]>();
  private readonly own = new Map<ListingId, OwnListing['listing']>();

  constructor(start: RegistryState) {
    this.base = new Map(start.base);
    this.inForce = new Map(start.base);
  }

  /** Takes what one version recorded; which listings it concerns. */
  take({ own, curation, reading }: VersionOf): ReadonlySet<ListingId> {
    const touched = new Set<ListingId>();
    for (const { listing } of own) {
      this.base.set(listing.id, indexListing(listing));
      this.own.set(listing.id, listing);
      touched.add(listing.id);
    }
    if (curation !== undefined) {
      addTo(this.curations, curation.listingId, curation);
      touched.add(curation.listingId);
    }
    if (reading !== undefined) {
      addTo(this.readings, reading.licenseKey, reading);
      for (const { listing } of this.inForce.values())
        if (listing.license.spdxOrRef === reading.licenseKey) touched.add(listing.id);
      const [keys, texts] = [new Set([reading.licenseKey]), new Set([reading.sha256])];
      for (const listing of this.own.values()) if (restsOn(listing, keys, texts)) touched.add(listing.id);
    }
    return touched;
  }

  step(listingId: ListingId, { version, reading }: VersionOf): ListingChange {
    const before = this.inForce.get(listingId);
    const curations = this.curations.get(listingId) ?? [];
    const base = this.base.get(listingId);
    const after = effective(base, curations, this.readings, this.own.has(listingId));
    if (after === undefined) this.inForce.delete(listingId);
    else this.inForce.set(listingId, after);
    const textChanged = reading?.change === 'changed' && reading.affectedListingIds.includes(listingId);
    return { version, listingId, before, after, textChanged };
  }
}

function addTo<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const known = lists.get(key);
  if (known === undefined) lists.set(key, [item]);
  else known.push(item);
}

interface VersionOf {
  readonly version: number;
  readonly own: RegistryChanges['own'];
  readonly curation: RecordedCuration | undefined;
  readonly reading: RecordedReading | undefined;
}

/** Each version is one act: an import of listings, one curation, or one text. */
function byVersion({ own, curations, readings }: RegistryChanges): VersionOf[] {
  const listings = new Map<number, OwnListing[]>();
  for (const listing of own) {
    const ofVersion = listings.get(listing.version);
    if (ofVersion === undefined) listings.set(listing.version, [listing]);
    else ofVersion.push(listing);
  }
  const versions = new Set([...own, ...curations, ...readings].map(({ version }) => version));
  const curationOf = new Map(curations.map((curation) => [curation.version, curation]));
  const readingOf = new Map(readings.map((reading) => [reading.version, reading]));
  return [...versions]
    .sort((a, b) => a - b)
    .map((version) => ({
      version,
      own: listings.get(version) ?? [],
      curation: curationOf.get(version),
      reading: readingOf.get(version),
    }));
}

/** Whether decisions that rested on the listing as it was are open again. */
export function opens({ before, after, textChanged }: ListingChange): boolean {
  if (before === undefined) return false;
  return textChanged || after === undefined || decisiveSha256(before) !== decisiveSha256(after);
}

/** Old and new value of every fact that is not the same, by name. A new listing has no old values to tell of. */
export function factChanges({ before, after }: ListingChange): FactChange[] {
  if (before === undefined) return [];
  const old = factsOf(before.listing);
  const now = after === undefined ? new Map<string, JsonValue>() : factsOf(after.listing);
  const names = [...new Set([...old.keys(), ...now.keys()])].sort();
  return names.flatMap((fact): FactChange[] => {
    const change = { fact, before: old.get(fact) ?? null, after: now.get(fact) ?? null };
    return canonicalJson(change.before).equals(canonicalJson(change.after)) ? [] : [change];
  });
}

const NO_FACTS: readonly string[] = ['id', 'sources', 'history', 'terms', 'components', 'trainingData'];

/** Under the names by which curations name them, where they can. Places of reading are no facts. */
function factsOf(listing: Listing): Map<string, JsonValue> {
  const facts: [string, unknown][] = [
    ...listing.terms.map((term): [string, unknown] => [`term:${term.id}`, term]),
    ...listing.components.map((component): [string, unknown] => [`component:${component.name}`, component]),
    ['training-data', listing.trainingData],
    ...Object.entries(listing).filter(([name]) => !NO_FACTS.includes(name)),
  ];
  return new Map(facts as [string, JsonValue][]);
}
