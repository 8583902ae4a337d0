import { publicId } from '../../shared/ids.js';
import { curationsInForce, factOf } from '../domain/curation.js';
import { type IndexedListing } from '../domain/listing-index.js';
import { type Listing } from '../domain/listing.js';
import { type RecordedCuration, type RecordedReading, type RegistryState } from '../domain/registry-state.js';
import { concerns } from '../domain/text-reading.js';

import {
  AB_2013_ITEMS,
  type DisclosureAnswer,
  EU_SUMMARY_ITEMS,
  trainingDisclosure,
} from '../formats/training-disclosure.js';

/** Where a listing comes from: with the product, or from the organization itself. */
export type Origin = 'product' | 'own';

export function originOf({ own }: RegistryState, id: string): Origin {
  return own.has(id) ? 'own' : 'product';
}

/** A listing in a list. */
export function listingSummary({ listing, sha256 }: IndexedListing, registry: RegistryState) {
  const { id, name, vendor, modalities, roles, channel, access, license, trainingData } = listing;
  const origin = originOf(registry, id);
  return { id, name, vendor, modalities, roles, channel, access, origin, license, trainingData, sha256 };
}

/** Everything that is known: the listing as decisions use it, each fact with its source, and how it came to be. */
export function listingTerms(entry: IndexedListing, registry: RegistryState) {
  const { listing, sha256 } = entry;
  const recorded = registry.base.get(listing.id);
  const curations = registry.curations.get(listing.id) ?? [];
  const readings = registry.readings.get(listing.license.spdxOrRef) ?? [];
  return {
    ...listing,
    sha256,
    origin: originOf(registry, listing.id),
    /** Hash of the listing as recorded, before curations and texts. */
    recordedSha256: recorded?.sha256 ?? sha256,
    facts: factsOf(listing, curationsInForce(curations)),
    trainingDisclosure: disclosureView(listing),
    curations: curations.map((curation) => curationView(curation, curations)),
    licenseTexts: readings.filter((reading) => concerns(reading, listing)).map(readingView),
  };
}

/** Item by item what two laws ask of training data; what nobody disclosed is said to be so. */
function disclosureView(listing: Listing) {
  const { ab2013, euSummary } = trainingDisclosure(listing);
  return {
    ab2013: AB_2013_ITEMS.map(([item, title]) => ({ item, title, ...answerView(ab2013[item]) })),
    euSummary: EU_SUMMARY_ITEMS.map(([item, title]) => ({ item, title, ...answerView(euSummary[item]) })),
  };
}

function answerView({ standing, answer, source }: DisclosureAnswer) {
  return { standing: standing === 'unknown' ? ('not disclosed' as const) : standing, answer, source };
}

/** Every fact with the place where it was read, on which day, and which curation made it what it is. */
function factsOf(listing: Listing, inForce: readonly RecordedCuration[]) {
  const sources = new Map(listing.sources.map((source) => [source.id, source]));
  const fact = (name: string, source: string | null, verified: string, clause: string | null) => {
    const found = source === null ? undefined : sources.get(source);
    const curation = inForce.find(({ correction }) => factOf(correction) === name);
    return {
      fact: name,
      verified,
      source: found?.title ?? null,
      url: found?.url ?? null,
      section: clause ?? found?.section ?? null,
      dateRead: found?.dateRead ?? null,
      curationId: curation === undefined ? null : publicId('curation', curation.id),
    };
  };
  const { license, trainingData, indemnity } = listing;
  return [
    {
      ...fact('license', null, license.status, null),
      source: license.name,
      url: license.url,
      dateRead: license.dateRead,
    },
    ...listing.terms.map(({ id, source, verified, clause }) => fact(`term:${id}`, source, verified, clause)),
    ...listing.components.map(({ name, source, verified, clause }) =>
      fact(`component:${name}`, source, verified, clause),
    ),
    fact('training-data', trainingData.source, trainingData.verified, null),
    fact('indemnity', indemnity.source, indemnity.verified, null),
  ];
}

/** Why it was made is sealed in the entry. */
export function curationView(curation: RecordedCuration, ofListing: readonly RecordedCuration[]) {
  const { id, listingId, correction, evidence, sha256, createdBy, createdAt } = curation;
  return {
    id: publicId('curation', id),
    listingId,
    fact: factOf(correction),
    correction,
    evidence,
    sha256,
    inForce: curationsInForce(ofListing).includes(curation),
    createdBy: publicId('principal', createdBy),
    createdAt: createdAt.toISOString(),
  };
}

export function readingView(reading: RecordedReading) {
  const { id, licenseKey, sha256, listingIds, sourceUrl, readOn, inForceSince, change } = reading;
  return {
    id: publicId('licenseText', id),
    licenseKey,
    sha256,
    listingIds,
    sourceUrl,
    readOn,
    inForceSince,
    change,
    termsReadFromThis: reading.termsReadFromThis,
    affectedListingIds: reading.affectedListingIds,
    createdBy: publicId('principal', reading.createdBy),
    createdAt: reading.createdAt.toISOString(),
  };
}
