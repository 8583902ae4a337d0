import { seedListings } from '../../registry/seed.js';
import { type Listing, listingSchema } from '../../domain/listing.js';
import { type Case, DE, variant } from '../case.js';

/** Tries to get an `allow` where a text, or something that nobody knows, stands against it; each beside its innocent twin. */
const MODEL = 'flux-1-schnell';
const MANIFEST = {
  datasetManifestSha256: 'a'.repeat(64),
  datasetManifest: {
    images: 10,
    rights: [{ basis: 'owned', images: 10, trainingAllowed: 'yes', expiresAt: null }],
    releases: [],
  },
} satisfies Partial<Listing>;
const adapter = (of: string, name: string, base: string, changes: Partial<Listing> = {}) =>
  variant(of, name, {
    roles: ['lora'],
    base: { listingId: `${base}@self-hosted`, relation: 'adapter' },
    ...MANIFEST,
    ...changes,
  });
const INNER = adapter(MODEL, 'inner-lora', MODEL);
const OUTER = adapter(MODEL, 'outer-lora', 'inner-lora');
const ON_DENIED = [
  adapter(MODEL, 'inner-lora', 'hunyuan-image-3.0'),
  adapter(MODEL, 'outer-lora', 'inner-lora'),
];
const MERGE = variant(MODEL, 'a-merge', { base: { listingId: `${MODEL}@self-hosted`, relation: 'merge' } });
const NAMED_MERGE = variant(MODEL, 'a-merge', {
  base: { listingId: `${MODEL}@self-hosted`, relation: 'merge' },
  components: [
    {
      role: 'generator',
      name: 'The other one',
      listingId: 'qwen-image@self-hosted',
      licenseRef: null,
      use: 'always',
      usedWhen: null,
      source: firstSource(),
      clause: null,
      verified: 'primary',
    },
  ],
});

function firstSource(): string {
  return seedListings().get(`${MODEL}@self-hosted`)?.listing.sources[0]?.id ?? '';
}

/** Two listings, each of which brings the other. */
function circle(): Listing[] {
  const part = (name: string, other: string) =>
    variant(MODEL, name, {
      components: [
        {
          role: 'generator',
          name: other,
          listingId: `${other}@self-hosted`,
          licenseRef: null,
          use: 'always',
          usedWhen: null,
          source: firstSource(),
          clause: null,
          verified: 'primary',
        },
        {
          role: 'encoder',
          name: 'hunyuan',
          listingId: 'hunyuan-image-3.0@self-hosted',
          licenseRef: null,
          use: 'always',
          usedWhen: null,
          source: firstSource(),
          clause: null,
          verified: 'primary',
        },
      ],
    });
  return [part('left', 'right'), part('right', 'left')];
}

/** A license that names a place in a way that no country code does. */
const excluding = (code: string) =>
  listingSchema.parse({
    ...variant(MODEL, 'placed', {}),
    terms: [
      ...variant(MODEL, 'placed', {}).terms,
      {
        id: 'place',
        kind: 'territory-exclusion',
        source: firstSource(),
        clause: null,
        paraphrase: 'Not there.',
        verified: 'primary',
        countries: [code],
        appliesTo: 'outputs',
      },
    ],
  });
const superseded = variant(MODEL, 'superseded', {
  license: {
    ...variant(MODEL, 'superseded', {}).license,
    status: 'superseded',
    statusReason: 'A later text exists.',
    supersededOn: '2026-11-25',
  },
});

export const AGAINST_ALLOW_CASES: readonly Case[] = [
  {
    what: 'a LoRA on a LoRA on a permissive base',
    source: 'the terms of each base are inherited',
    use: ['outer-lora'],
    listings: [INNER, OUTER],
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a LoRA on a LoRA on a base that is closed in the audience',
    source: 'Tencent Hunyuan 5(c), two bases down',
    use: ['outer-lora'],
    listings: ON_DENIED,
    facts: DE,
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'a LoRA on a LoRA whose own base nobody listed',
    source: 'a base without terms',
    use: ['outer-lora'],
    listings: [OUTER],
    decision: 'review',
    rules: ['component-unknown'],
  },
  {
    what: 'a merge that names one of its parents only',
    source: 'a merge is made of several models',
    use: ['a-merge'],
    listings: [MERGE],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a merge that names the other parent as a component',
    source: 'a merge is made of several models',
    use: ['a-merge'],
    listings: [NAMED_MERGE],
    decision: 'allow',
    rules: [],
  },
  {
    what: 'listings that bring each other hide nothing behind the circle',
    source: 'Tencent Hunyuan 5(c), inside a circle',
    use: ['left'],
    listings: circle(),
    facts: DE,
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'the same model through two channels: both have to be allowed',
    source: 'no text of fal on commercial use was read',
    use: ['flux-1-schnell', 'flux-1-schnell@fal'],
    decision: 'review',
    rules: ['commercial-channel'],
  },
  {
    what: 'a territory named UK is the United Kingdom',
    source: 'UK is no ISO 3166-1 code, and is meant as GB',
    use: ['placed'],
    listings: [excluding('UK')],
    facts: { audienceCountries: ['GB'] },
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'a territory named UK does not reach France',
    source: 'UK is no ISO 3166-1 code, and is meant as GB',
    use: ['placed'],
    listings: [excluding('UK')],
    facts: { audienceCountries: ['FR'] },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a territory of which nobody knows what it means may be anywhere',
    source: 'ZZ is no country',
    use: ['placed'],
    listings: [excluding('ZZ')],
    facts: { audienceCountries: ['FR'] },
    decision: 'review',
    rules: ['territory-outputs'],
  },
  {
    what: 'a part of a country is in the country that the text excludes',
    source: 'Tencent Hunyuan 5(c): the European Union',
    use: ['hunyuan-image-3.0'],
    facts: { audienceCountries: ['DE-BY'] },
    decision: 'deny',
    rules: ['territory-outputs'],
  },
  {
    what: 'a part of a country is covered by a right in the country',
    source: 'declared right: territory',
    use: [MODEL],
    input: { territory: ['US'] },
    facts: { audienceCountries: ['US-TX'] },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a right that had ended when the models ran, with a campaign said to have ended before it',
    source: 'nothing is shown before it is made',
    use: [MODEL],
    input: { expiresAt: '2026-11-01' },
    facts: { generatedOn: '2026-11-25', campaignStart: null, campaignEnd: '2026-10-31' },
    decision: 'deny',
    rules: ['input-expiry'],
  },
  {
    what: 'a right that ends on the day on which the models run',
    source: 'the last day is covered',
    use: [MODEL],
    input: { expiresAt: '2026-11-25' },
    facts: { generatedOn: '2026-11-25', campaignStart: null, campaignEnd: '2026-11-25' },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'made on the very day on which a later text came into force',
    source: 'the first day of the later text is under it',
    use: ['superseded'],
    listings: [superseded],
    facts: { generatedOn: '2026-11-25' },
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'made on the last day of the text that was read',
    source: 'the first day of the later text is under it',
    use: ['superseded'],
    listings: [superseded],
    facts: { generatedOn: '2026-11-24' },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a product that earns more than its company is said to earn',
    source: 'Stability AI Community License: revenue of a million; a part is no larger than the whole',
    use: ['sd-3-5'],
    facts: {
      organizationRevenueUsd: 500_000,
      organizationRevenueWithAffiliatesUsd: 500_000,
      productRevenueUsd: 20_000_000,
    },
    decision: 'deny',
    rules: ['revenue-cap'],
  },
  {
    what: 'a picture that is said to go nowhere, in a lineage with a model',
    source: 'declared right: AI input',
    use: [MODEL],
    input: { aiInput: 'no', goesInto: [] },
    decision: 'deny',
    rules: ['input-ai-use'],
  },
  {
    what: 'a picture of people without a release',
    source: 'personality rights of whoever is shown',
    use: [MODEL],
    input: { showsPeople: 'yes' },
    decision: 'review',
    rules: ['input-release'],
  },
  {
    what: 'a picture of which nobody knows whether it shows people',
    source: 'unknown is not no',
    use: [MODEL],
    input: { showsPeople: 'unknown' },
    decision: 'review',
    rules: ['input-release'],
  },
  {
    what: 'a picture of people with a release that covers alteration by AI',
    source: 'personality rights of whoever is shown',
    use: [MODEL],
    input: {
      showsPeople: 'yes',
      releases: [{ reference: 'M-1', coversAiAlteration: 'yes', expiresAt: null }],
    },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a picture of people that is only cropped',
    source: 'no model changes anybody',
    use: ['studio-crop@studio'],
    input: { showsPeople: 'yes' },
    decision: 'allow',
    rules: [],
  },
];
