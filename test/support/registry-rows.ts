import { canonicalJson } from '../../src/shared/canonical-json.js';
import { sha256Hex } from '../../src/shared/bytes.js';
import { type Listing } from '../../src/licenses/domain/listing.js';

const LICENSE_TEXT = 'training contract, 2026';

/** The text behind the facts of {@link ownListing}, as somebody records it: without it none of them counts. */
export function ownLicenseText(listing: Listing = ownListing()): Record<string, unknown> {
  return { licenseKey: listing.license.spdxOrRef, text: LICENSE_TEXT, readOn: '2026-11-20' };
}

/** A LoRA of the customer's own, with everything that a listing must say. */
export function ownListing(changes: Partial<Listing> = {}): Listing {
  const id = changes.id ?? 'brand-look.v1@self-hosted';
  return {
    id,
    name: 'Brand look',
    vendor: 'The brand',
    modalities: ['image'],
    roles: ['generator'],
    channel: id.split('@')[1] ?? 'self-hosted',
    access: 'open-weights',
    endpoints: [],
    license: {
      spdxOrRef: 'LicenseRef-Brand-Training-Contract',
      name: 'Training contract',
      url: null,
      textSha256: sha256Hex(LICENSE_TEXT),
      version: null,
      dateRead: '2026-11-20',
      status: 'current',
      statusReason: '',
      conflictingTexts: [],
    },
    history: [],
    terms: (['commercial-use-of-weights', 'commercial-use-of-outputs'] as const).map((kind) => ({
      id: kind,
      kind,
      value: 'yes' as const,
      source: 'contract',
      clause: '2',
      paraphrase: 'The customer owns the model and what it makes.',
      verified: 'primary' as const,
    })),
    components: [],
    base: null,
    datasetManifestSha256: null,
    trainingData: {
      disclosure: 'full',
      summary: 'Our own photographs.',
      source: 'contract',
      verified: 'primary',
      rightsBasis: { value: 'owned', source: 'contract', clause: null, verified: 'primary' },
    },
    indemnity: { offered: 'no', conditions: [], voidedBy: [], source: null, verified: 'primary' },
    sources: [
      {
        id: 'contract',
        title: 'Training contract',
        url: null,
        commit: null,
        section: null,
        dateRead: '2026-11-20',
        verified: 'primary',
      },
    ],
    ...changes,
  };
}

export const hashOf = (listing: Listing): string => sha256Hex(canonicalJson(listing));

/** A license as a curation writes it: the day on which it was read comes from the evidence. */
export function licenseFact(license: Listing['license'], changes: Partial<Listing['license']>): unknown {
  const left = ['dateRead', 'supersededOn'];
  return Object.fromEntries(
    Object.entries({ ...license, ...changes }).filter(([name]) => !left.includes(name)),
  );
}
