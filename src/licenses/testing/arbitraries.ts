import fc from 'fast-check';
import { decide } from '../domain/engine.js';
import { ENGINE_VERSION } from '../domain/engine-version.js';
import { type FileSignal, SIGNAL_ACTS, SIGNAL_ORIGINS, SIGNAL_PLACES } from '../domain/file-signals.js';
import { type Decision } from '../domain/finding.js';
import { type Lineage, type LineageComponent, type LineageInput } from '../domain/lineage.js';
import { type Listing } from '../domain/listing.js';
import { indexListings, type ListingIndex } from '../domain/listing-index.js';
import { RIGHTS_BASES } from '../domain/rights.js';
import { FURTHER_ACTS, type RunFacts, runFactsSchema } from '../domain/run-facts.js';
import { FIELDS_OF_USE, PURPOSES } from '../domain/terms.js';
import { THREE_VALUES } from '../domain/three-valued.js';
import { seedListings } from '../registry/seed.js';

// For property tests of the engine: generators of any lineage, and of any facts of a run.

export const listings = withMore(seedListings());
export const ids = listings.all.map(({ listing }) => listing.id);
export const allowed = [
  'flux-1-schnell@self-hosted',
  'qwen-image@self-hosted',
  'birefnet@self-hosted',
  'studio-crop@studio',
];
export const STRICTNESS: Readonly<Record<Decision, number>> = { allow: 0, review: 1, deny: 2 };

const threeValued = fc.constantFrom(...THREE_VALUES);
const country = fc.constantFrom('US', 'DE', 'GB', 'KR', 'JP', 'CH', 'JE', 'PR', 'RE', 'CA', 'CN');
export const countries = fc.uniqueArray(country, { minLength: 1, maxLength: 5 });
const figure = fc.oneof(
  fc.constant('unknown' as const),
  fc.constantFrom(
    0,
    999_999,
    1_000_000,
    1_000_001,
    9_999_999,
    10_000_000,
    20_000_001,
    100_000_001,
    700_000_001,
  ),
);
export const date = fc.constantFrom('2026-12-01', '2026-12-15', '2026-12-31');

// Mostly listings that are allowed, so that the properties are not satisfied by denials alone.
export const component: fc.Arbitrary<LineageComponent> = fc
  .tuple(
    fc.oneof(fc.constantFrom(...ids), fc.constantFrom(...allowed), fc.constant('nobody@self-hosted')),
    fc.constantFrom('a', 'b', 'c'),
  )
  .map(([listingId, stepKey]) => ({
    listingId,
    stepKey,
    role: listings.get(listingId)?.listing.roles[0] ?? 'generator',
  }));
export const fileSignal: fc.Arbitrary<FileSignal> = fc.record(
  {
    origin: fc.constantFrom(...SIGNAL_ORIGINS),
    act: fc.constantFrom(...SIGNAL_ACTS),
    use: fc.constantFrom('allowed' as const, 'notAllowed' as const, 'constrained' as const),
    constraint: fc.constantFrom(null, 'ask first'),
    manifestBroken: fc.constant(true as const),
  },
  { requiredKeys: ['origin', 'act', 'use', 'constraint'] },
);
export const input: fc.Arbitrary<LineageInput> = fc.record({
  rightsBasis: fc.constantFrom(...RIGHTS_BASES),
  allowedUses: fc.oneof(fc.constant('unknown' as const), fc.uniqueArray(fc.constantFrom(...PURPOSES))),
  aiInput: threeValued,
  showsPeople: threeValued,
  territory: fc.oneof(fc.constantFrom('worldwide' as const, 'unknown' as const), countries),
  expiresAt: fc.oneof(fc.constant(null), fc.constant('unknown' as const), date),
  releases: fc.array(
    fc.record({
      reference: fc.constantFrom('M-1', 'M-2'),
      coversAiAlteration: threeValued,
      expiresAt: fc.oneof(fc.constant(null), date),
    }),
    { maxLength: 2 },
  ),
  fileSignals: fc.array(fileSignal, { maxLength: 2 }),
  unreadPlaces: fc.subarray([...SIGNAL_PLACES]),
});
export const lineage: fc.Arbitrary<Lineage> = fc
  .record({
    components: fc.array(component, { minLength: 1, maxLength: 5 }),
    inputs: fc.array(input, { maxLength: 2 }),
    seen: fc.option(fc.nat(4)),
  })
  .map(({ components, inputs, seen }) => {
    if (seen === null) return { components, inputs };
    const goesInto = components.slice(0, seen).map(({ listingId }) => listingId);
    return { components, inputs: inputs.map((each) => ({ ...each, goesInto })) };
  });
export const facts: fc.Arbitrary<RunFacts> = fc
  .record({
    purpose: fc.constantFrom(...PURPOSES),
    audienceCountries: fc.oneof(fc.constant('worldwide' as const), countries),
    organizationRevenueUsd: figure,
    productRevenueUsd: figure,
    monthlyActiveUsers: figure,
    monthlyVisits: figure,
    humanReviewPlanned: threeValued,
    labelPlanned: threeValued,
    editsPlanned: threeValued,
    hosting: fc.constantFrom('own-use' as const, 'served-to-others' as const, 'unknown' as const),
    fieldsOfUse: fc.oneof(
      fc.constant('unknown' as const),
      fc.uniqueArray(fc.constantFrom(...FIELDS_OF_USE), { minLength: 1 }),
    ),
    campaignStart: fc.constantFrom(null, '2026-11-30'),
    campaignEnd: fc.oneof(fc.constantFrom(null, 'open-ended' as const), date),
    generatedOn: fc.constantFrom(null, '2025-11-20', '2026-11-25'),
    processingCountries: fc.oneof(fc.constant('unknown' as const), countries),
    contentFilterPlanned: threeValued,
    attributionPlanned: threeValued,
    safetyFeaturesOn: threeValued,
    showsPeople: threeValued,
    trademarkUse: threeValued,
    infringementNotice: threeValued,
    furtherActs: fc.uniqueArray(fc.constantFrom(...FURTHER_ACTS), { maxLength: 2 }),
    affiliatesKnown: fc.boolean(),
  })
  .map(({ affiliatesKnown, ...stated }) =>
    runFactsSchema.parse({
      ...stated,
      organizationRevenueWithAffiliatesUsd: affiliatesKnown ? stated.organizationRevenueUsd : 'unknown',
      monthlyActiveUsersWithAffiliates: affiliatesKnown ? stated.monthlyActiveUsers : 'unknown',
    }),
  );

/** The seed with what it does not hold: LoRAs, a license with an end, a superseded one. */
function withMore(seed: ListingIndex): ListingIndex {
  const original = seed.get('flux-1-schnell@self-hosted')?.listing;
  if (!original) throw new Error('seed');
  const lora: Listing = {
    ...original,
    id: 'a-lora@self-hosted',
    roles: ['lora'],
    base: { listingId: original.id, relation: 'adapter' },
    datasetManifestSha256: 'a'.repeat(64),
    datasetManifest: {
      images: 2,
      rights: [{ basis: 'licensed', images: 2, trainingAllowed: 'yes', expiresAt: '2026-12-15' }],
      releases: [{ reference: 'M-1', coversDigitalReplica: 'yes', expiresAt: '2026-12-15' }],
    },
  };
  const ending: Listing = {
    ...original,
    id: 'ending@self-hosted',
    license: { ...original.license, endsOn: '2026-12-15', outputsSurviveEnd: 'no' },
  };
  const superseded: Listing = {
    ...original,
    id: 'superseded@self-hosted',
    license: { ...original.license, supersededOn: '2026-01-01' },
  };
  return indexListings([...seed.all.map(({ listing }) => listing), lora, ending, superseded]);
}

export function decideOn(on: Lineage, under: RunFacts, index = listings) {
  return decide({ lineage: on, facts: under, listings: index, engineVersion: ENGINE_VERSION });
}
export const strictness = (on: Lineage, under: RunFacts) => STRICTNESS[decideOn(on, under).decision];
