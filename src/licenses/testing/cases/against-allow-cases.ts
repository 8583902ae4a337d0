import { seedListings } from '../../registry/seed.js';
import { type Listing, listingSchema } from '../../domain/listing.js';
import { type DatasetManifest } from '../../domain/dataset-manifest.js';
import { type Case, DE, users, variant } from '../case.js';

/** Tries to get an `allow` where a text, or something that nobody knows, stands against it; each beside its innocent twin. */
const MODEL = 'flux-1-schnell';
const MANIFEST = {
  datasetManifestSha256: 'a'.repeat(64),
  datasetManifest: {
    images: 10,
    rights: [{ basis: 'owned', images: 10, trainingAllowed: 'yes', expiresAt: null }],
    releases: [],
    showsPeople: 'no',
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

const trainedOn = (manifest: Partial<DatasetManifest>) =>
  adapter(MODEL, 'of-people', MODEL, {
    datasetManifest: { ...MANIFEST.datasetManifest, showsPeople: 'unknown', ...manifest },
  });
const ACTOR = { reference: 'M-1', coversDigitalReplica: 'yes' as const, expiresAt: null };
const reported = variant(MODEL, 'reported', {
  terms: variant(MODEL, 'reported', {}).terms.map((term) =>
    term.kind === 'commercial-use-of-outputs' ? { ...term, verified: 'secondary' as const } : term,
  ),
});

/** Beside what the license allows, an act of which somebody reports that it is allowed. */
function reportedAct(name: string, kind: 'redistribution' | 'hosting-for-others'): Listing {
  const listing = variant(MODEL, name, {});
  const terms = listing.terms.filter((term) => term.kind !== kind);
  const fact = {
    source: firstSource(),
    clause: null,
    paraphrase: 'Allowed.',
    verified: 'secondary',
    value: 'yes',
  };
  const reportedOnly =
    kind === 'redistribution' ? { ...fact, id: 'act', kind, of: 'weights' } : { ...fact, id: 'act', kind };
  return listingSchema.parse({ ...listing, terms: [...terms, reportedOnly] });
}
const twice = variant(MODEL, 'twice', {
  terms: variant(MODEL, 'twice', {}).terms.flatMap((term): Listing['terms'] =>
    term.kind === 'commercial-use-of-outputs'
      ? [term, { ...term, id: 'of-the-other-text', verified: 'secondary' as const }]
      : [term],
  ),
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
  {
    what: 'an evaluation that advertises',
    source: 'FLUX.1 [dev] NC v1.1.1 1(c), 2(b): an advertisement is no evaluation',
    use: ['flux-1-dev'],
    facts: { purpose: 'internal-evaluation', fieldsOfUse: ['online-advertising'] },
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'an evaluation that is only an evaluation',
    source: 'FLUX.1 [dev] NC v1.1.1 1(c): testing and evaluation',
    use: ['flux-1-dev'],
    facts: { purpose: 'internal-evaluation', fieldsOfUse: 'unknown' },
    // Two texts claim the model; neither forbids an evaluation.
    decision: 'review',
    rules: ['license-status'],
  },
  {
    what: 'an evaluation that is broadcast, without a label',
    source: 'Tencent Hunyuan Image 3.0, acceptable use policy 12: placing in public',
    use: ['hunyuan-image-3.0'],
    facts: {
      purpose: 'internal-evaluation',
      fieldsOfUse: ['broadcast'],
      labelPlanned: 'no',
    },
    decision: 'deny',
    rules: ['output-label'],
  },
  {
    what: 'an evaluation that stays inside, without a label',
    source: 'Tencent Hunyuan Image 3.0, acceptable use policy 12: placing in public',
    use: ['hunyuan-image-3.0'],
    facts: { purpose: 'internal-evaluation', fieldsOfUse: ['other'], labelPlanned: 'no' },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'an evaluation whose outputs are sold',
    source: 'FLUX.1 [dev] NC v1.1.1 1(c), 2(b): goods are no evaluation',
    use: ['flux-1-dev'],
    facts: {
      purpose: 'internal-evaluation',
      fieldsOfUse: 'unknown',
      furtherActs: ['redistribute-outputs'],
    },
    decision: 'deny',
    rules: ['commercial-weights'],
  },
  {
    what: 'a picture for evaluation only, in a film that is called an evaluation',
    source: 'declared right: purposes',
    use: [MODEL],
    input: { allowedUses: ['internal-evaluation'] },
    facts: { purpose: 'internal-evaluation', fieldsOfUse: ['film'] },
    decision: 'deny',
    rules: ['input-purpose'],
  },
  {
    what: 'weights whose handing on is only reported as allowed',
    source: 'hearsay of one clause allows nothing',
    use: ['reported-weights'],
    listings: [reportedAct('reported-weights', 'redistribution')],
    facts: { furtherActs: ['distribute-weights'] },
    decision: 'review',
    rules: ['redistribution'],
  },
  {
    what: 'weights whose handing on is allowed by the text',
    source: 'Apache-2.0 section 4',
    use: [MODEL],
    facts: { furtherActs: ['distribute-weights'] },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'serving others that is only reported as allowed',
    source: 'hearsay of one clause allows nothing',
    use: ['reported-hosting'],
    listings: [reportedAct('reported-hosting', 'hosting-for-others')],
    facts: { hosting: 'served-to-others' },
    decision: 'review',
    rules: ['hosting-for-others'],
  },
  {
    what: 'two permissions, of which the second one is only reported',
    source: 'each text has to allow it, whichever stands first',
    use: ['twice'],
    listings: [twice],
    decision: 'review',
    rules: ['secondary-source'],
  },
  {
    what: 'a picture for evaluation only, in an advertisement that is called an evaluation',
    source: 'declared right: purposes',
    use: [MODEL],
    input: { allowedUses: ['non-commercial', 'internal-evaluation'] },
    facts: { purpose: 'non-commercial', fieldsOfUse: ['offline-advertising'] },
    decision: 'deny',
    rules: ['input-purpose'],
  },
  {
    what: 'a month that is stated to be stronger than the strongest one',
    source: 'Tencent Hunyuan 3D 2.1: a million monthly active users, month of the release not known',
    use: ['hunyuan3d-2.1'],
    facts: users(1_000, { '2025-05': 1_000_001 }),
    decision: 'deny',
    rules: ['usage-cap'],
  },
  {
    what: 'a month beside the one that the text fixes',
    source: 'Tencent Hunyuan Image 3.0: the month before its release, 2025-08',
    use: ['hunyuan-image-3.0'],
    facts: users(1_000, { '2025-05': 200_000_000, '2025-08': 1_000 }),
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a LoRA of which nobody said whether it was trained on people',
    source: 'personality rights of whoever is shown',
    use: ['of-people'],
    listings: [trainedOn({})],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a LoRA that was trained on people without a release',
    source: 'personality rights of whoever is shown',
    use: ['of-people'],
    listings: [trainedOn({ showsPeople: 'yes' })],
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a LoRA of an actor whose release covers the audience',
    source: 'digital replica rider: territory',
    use: ['of-people'],
    listings: [trainedOn({ showsPeople: 'yes', releases: [{ ...ACTOR, territory: ['US', 'CA'] }] })],
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a LoRA of an actor, shown outside the countries of the release',
    source: 'digital replica rider: territory',
    use: ['of-people'],
    listings: [trainedOn({ showsPeople: 'yes', releases: [{ ...ACTOR, territory: ['US'] }] })],
    decision: 'deny',
    rules: ['lora-dataset'],
  },
  {
    what: 'a LoRA of an actor, shown worldwide under a release of which nobody knows the countries',
    source: 'digital replica rider: territory',
    use: ['of-people'],
    listings: [trainedOn({ showsPeople: 'yes', releases: [{ ...ACTOR, territory: 'unknown' }] })],
    facts: { audienceCountries: 'worldwide' },
    decision: 'review',
    rules: ['lora-dataset'],
  },
  {
    what: 'a permission that somebody only reports, in a license that is in force',
    source: 'hearsay of one clause allows nothing',
    use: ['reported'],
    listings: [reported],
    decision: 'review',
    rules: ['secondary-source'],
  },
  {
    what: 'a picture under some Creative Commons license',
    source: 'Creative Commons: six licenses and a dedication',
    use: [MODEL],
    input: { rightsBasis: 'creative-commons' },
    decision: 'review',
    rules: ['input-rights-basis'],
  },
  {
    what: 'a picture under CC BY 4.0',
    source: 'CC BY 4.0 section 2(a)(1)',
    use: [MODEL],
    input: { rightsBasis: 'creative-commons', creativeCommons: 'CC-BY-4.0' },
    decision: 'allow',
    rules: [],
  },
  {
    what: 'a picture under CC BY-NC 4.0 in a campaign, declared for commercial use',
    source: 'CC BY-NC 4.0 section 2(a)(1)',
    use: [MODEL],
    input: { rightsBasis: 'creative-commons', creativeCommons: 'CC-BY-NC-4.0' },
    decision: 'deny',
    rules: ['input-purpose'],
  },
  {
    what: 'a picture under CC BY-ND 4.0 as a reference',
    source: 'CC BY-ND 4.0 section 2(a)(1): adaptations are not shared',
    use: [MODEL],
    input: { rightsBasis: 'creative-commons', creativeCommons: 'CC-BY-ND-4.0' },
    decision: 'review',
    rules: ['input-rights-basis'],
  },
  {
    what: 'a picture under CC BY-SA 4.0 as a reference',
    source: 'CC BY-SA 4.0 section 3(b)',
    use: [MODEL],
    input: { rightsBasis: 'creative-commons', creativeCommons: 'CC-BY-SA-4.0' },
    decision: 'review',
    rules: ['input-rights-basis'],
  },
];
