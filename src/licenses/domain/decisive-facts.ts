import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type IndexedListing } from './listing-index.js';
import { type Listing } from './listing.js';

const HASHES = new WeakMap<Listing, string>();

/**
 * SHA-256 of what can decide in a listing: its license, its terms, what it brings along, training data and indemnity,
 * without names, paraphrases and places in texts. A decision holds as long as this is the same for each of its
 * listings; better wording or a better citation opens nothing again. Stored with decisions, so the form never changes
 * for a listing that has none of the fields that came later.
 */
export function decisiveSha256({ listing }: IndexedListing): string {
  const known = HASHES.get(listing);
  if (known !== undefined) return known;
  const hash = sha256Hex(canonicalJson(decisiveFacts(listing)));
  HASHES.set(listing, hash);
  return hash;
}

function decisiveFacts(listing: Listing): JsonValue {
  const { license, terms, components, trainingData, indemnity, base, datasetManifestSha256 } = listing;
  const { spdxOrRef, textSha256, status, supersededOn, endsOn, outputsSurviveEnd, conflictingTexts } =
    license;
  const { disclosure, verified, rightsBasis, optOuts, litigation } = trainingData;
  const facts = {
    access: listing.access,
    base,
    channel: listing.channel,
    components: components.map(({ role, name, listingId, use, verified: known }) => ({
      role,
      name,
      listingId,
      use,
      verified: known,
    })),
    datasetManifest: listing.datasetManifest ?? null,
    datasetManifestSha256,
    indemnity: {
      offered: indemnity.offered,
      voidedBy: [...indemnity.voidedBy].sort(),
      verified: indemnity.verified,
    },
    license: {
      spdxOrRef,
      textSha256,
      status,
      supersededOn: supersededOn ?? null,
      endsOn: endsOn ?? null,
      outputsSurviveEnd: outputsSurviveEnd ?? null,
      conflictingTexts: conflictingTexts.map((text) => text.spdxOrRef),
    },
    modalities: [...listing.modalities].sort(),
    roles: [...listing.roles].sort(),
    terms: terms.map(({ paraphrase: _words, clause: _place, source: _source, ...term }) => term),
    trainingData: {
      disclosure,
      verified,
      rightsBasis: rightsBasis === undefined ? null : [rightsBasis.value, rightsBasis.verified],
      optOuts: optOuts === undefined ? null : [optOuts.value, optOuts.verified],
      litigation: (litigation ?? []).map(({ matter }) => matter),
    },
  };
  return facts;
}
