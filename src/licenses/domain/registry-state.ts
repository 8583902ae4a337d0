import { type AppliedCuration, applyCurations } from './curation.js';
import { type IndexedListing, indexListing, indexOf, type ListingIndex } from './listing-index.js';
import { type Listing, type ListingId } from './listing.js';
import { concerns, type TextReading, withReadings } from './text-reading.js';
import { type KeptTexts, withoutUnprovenFacts } from './unproven-facts.js';

/** A listing that the organization recorded itself, with when and by whom. */
export interface OwnListing {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  readonly source: 'typed' | 'import';
  readonly listing: Listing;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export interface RecordedCuration extends AppliedCuration {
  readonly version: number;
  readonly listingId: ListingId;
  readonly sha256: string;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export interface RecordedReading extends TextReading {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  readonly sourceUrl: string | null;
  readonly change: 'first' | 'unchanged' | 'changed';
  /** Listings whose terms had been read from another text. */
  readonly affectedListingIds: readonly ListingId[];
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** What was recorded since a state, each list oldest first. */
export interface RegistryChanges {
  readonly version: number;
  readonly own: readonly OwnListing[];
  readonly curations: readonly RecordedCuration[];
  readonly readings: readonly RecordedReading[];
}

/** The registry of one organization at one version: what comes with the product, and what it recorded itself. */
export interface RegistryState {
  readonly version: number;
  readonly own: ReadonlyMap<ListingId, OwnListing>;
  readonly curations: ReadonlyMap<ListingId, readonly RecordedCuration[]>;
  readonly readings: ReadonlyMap<string, readonly RecordedReading[]>;
  /** As recorded or as it comes with the product, before curations and texts. */
  readonly base: ReadonlyMap<ListingId, IndexedListing>;
  /** What decisions are made with. */
  readonly index: ListingIndex;
}

export function seedState(seed: ListingIndex): RegistryState {
  const base = new Map(seed.all.map((entry) => [entry.listing.id, entry]));
  return { version: 0, own: new Map(), curations: new Map(), readings: new Map(), base, index: seed };
}

/**
 * The next state. Only listings that a change concerns are built again. A listing that the organization recorded
 * stands before one of the product with the same id, which can only have come later.
 */
export function advance(state: RegistryState, changes: RegistryChanges): RegistryState {
  const own = new Map(state.own);
  const base = new Map(state.base);
  const touched = new Set<ListingId>();
  for (const recorded of changes.own) {
    const { id } = recorded.listing;
    own.set(id, recorded);
    base.set(id, indexListing(recorded.listing));
    touched.add(id);
  }
  const curations = appended(state.curations, changes.curations, ({ listingId }) => listingId);
  for (const { listingId } of changes.curations) touched.add(listingId);
  const readings = appended(state.readings, changes.readings, ({ licenseKey }) => licenseKey);
  const keys = new Set(changes.readings.map(({ licenseKey }) => licenseKey));
  const texts = new Set(changes.readings.map(({ sha256 }) => sha256));
  for (const { listing } of texts.size === 0 ? [] : own.values())
    if (restsOn(listing, keys, texts)) touched.add(listing.id);
  const inForce = new Map(state.index.all.map((entry) => [entry.listing.id, entry]));
  for (const { listing } of keys.size === 0 ? [] : state.index.all)
    if (keys.has(listing.license.spdxOrRef)) touched.add(listing.id);
  for (const id of touched) {
    const entry = effective(base.get(id), curations.get(id) ?? [], readings, own.has(id));
    if (entry === undefined) inForce.delete(id);
    else inForce.set(id, entry);
  }
  return { version: changes.version, own, curations, readings, base, index: indexOf(inForce.values()) };
}

/** Whether a text may be what stands behind facts of the listing. */
export function restsOn(
  { license, sources }: Listing,
  licenseKeys: ReadonlySet<string>,
  texts: ReadonlySet<string>,
): boolean {
  return (
    licenseKeys.has(license.spdxOrRef) ||
    sources.some(({ textSha256 }) => textSha256 !== undefined && texts.has(textSha256))
  );
}

/**
 * What an organization recorded itself is believed as far as it keeps the texts behind it, from the moment on which it
 * keeps them. Undefined for a listing that does not exist, and for one whose corrections do not fit it any more (a later release
 * may check more): then it is an unknown listing, which leads to review.
 */
export function effective(
  entry: IndexedListing | undefined,
  curations: readonly RecordedCuration[],
  readings: ReadonlyMap<string, readonly RecordedReading[]>,
  isOwn: boolean,
): IndexedListing | undefined {
  if (entry === undefined) return undefined;
  let curated: Listing;
  try {
    const proven = isOwn ? withoutUnprovenFacts(entry.listing, textsOf(readings)).listing : entry.listing;
    curated = applyCurations(proven, curations);
  } catch {
    return undefined;
  }
  const ofKey = readings.get(curated.license.spdxOrRef) ?? [];
  const read = withReadings(
    curated,
    ofKey.filter((reading) => concerns(reading, curated)),
  );
  return read === entry.listing ? entry : indexListing(read);
}

/** Which texts the readings of a registry keep. */
export function textsOf(readings: ReadonlyMap<string, readonly RecordedReading[]>): KeptTexts {
  return {
    isLicenseKept: (listing) => {
      const { spdxOrRef, textSha256 } = listing.license;
      // Without a hash it is a person who says which text the terms were read from.
      return (readings.get(spdxOrRef) ?? []).some((reading) =>
        textSha256 === null
          ? reading.termsReadFromThis && concerns(reading, listing)
          : reading.sha256 === textSha256,
      );
    },
    isKept: (textSha256) =>
      [...readings.values()].some((ofKey) => ofKey.some(({ sha256 }) => sha256 === textSha256)),
  };
}

function appended<Item>(
  known: ReadonlyMap<string, readonly Item[]>,
  added: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> {
  if (added.length === 0) return known;
  const all = new Map(known);
  for (const item of added) all.set(keyOf(item), [...(all.get(keyOf(item)) ?? []), item]);
  return all;
}
