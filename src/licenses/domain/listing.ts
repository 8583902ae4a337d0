import { z } from 'zod';
import { datasetManifestSchema } from './dataset-manifest.js';
import { dateSchema, termSchema, verificationSchema } from './terms.js';
import { threeValuedSchema } from './three-valued.js';
import { trainingDataSchema } from './training-data.js';

/** `<model>@<channel>`, e.g. `flux-1-dev@self-hosted`. A family name is not a listing. */
export const listingIdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,62}@[a-z0-9][a-z0-9-]{0,30}$/, 'expected <model>@<channel>');
export type ListingId = string;

/** What a model does in a lineage. */
export const LINEAGE_ROLES = [
  'generator',
  'editor',
  'lora',
  'encoder',
  'autoencoder',
  'control',
  'face',
  'upscaler',
  'background-remover',
  'library',
  'channel',
] as const;
export type LineageRole = (typeof LINEAGE_ROLES)[number];

export const MODALITIES = ['image', 'vector', 'video', 'audio', '3d'] as const;
export type Modality = (typeof MODALITIES)[number];

const text = (max: number) => z.string().min(1).max(max);
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const referenceSchema = z
  .string()
  .regex(/^[A-Za-z0-9.-]{1,100}$/, 'an SPDX id or LicenseRef-... (SPDX 3.0.1 annex B)');

const sourceSchema = z.strictObject({
  /** Named by the terms of this listing. */
  id: z.string().regex(/^[a-z0-9-]{1,40}$/),
  title: text(300),
  url: z.url({ protocol: /^https$/ }).nullable(),
  /** Commit at which a text in a repository was read. */
  commit: z
    .string()
    .regex(/^[0-9a-f]{7,40}$/)
    .nullable(),
  section: text(200).nullable(),
  /** SHA-256 of the text, where the source is another one than the license itself, e.g. the terms of a channel. */
  textSha256: sha256Schema.exactOptional(),
  dateRead: dateSchema,
  verified: verificationSchema,
});
export type Source = z.infer<typeof sourceSchema>;

/**
 * `current`: the text that was read is the text in force. `superseded`: a later text exists that was not read.
 * `ended`: the grant is over. `unverified`: the text in force was not read itself.
 */
export const LICENSE_STATUSES = ['current', 'superseded', 'ended', 'unverified'] as const;

export const licenseSchema = z.strictObject({
  spdxOrRef: referenceSchema,
  name: text(200),
  url: z.url({ protocol: /^https$/ }).nullable(),
  /** SHA-256 of the license text, null when no text was hashed. */
  textSha256: sha256Schema.nullable(),
  version: text(60).nullable(),
  dateRead: dateSchema,
  status: z.enum(LICENSE_STATUSES),
  /** Why the status is what it is; empty for `current`. */
  statusReason: z.string().max(400),
  /** First day on which a later text was in force: what was made before is under the text that was read. */
  supersededOn: dateSchema.exactOptional(),
  /** Last day of the grant. */
  endsOn: dateSchema.exactOptional(),
  /** May outputs made before the end be used after it? Absent means that the text does not say: `unknown`. */
  outputsSurviveEnd: threeValuedSchema.exactOptional(),
  /** Other texts that claim the same model. As long as one stands here, a person has to conclude which binds. */
  conflictingTexts: z
    .array(z.strictObject({ spdxOrRef: referenceSchema, name: text(200), note: text(400) }))
    .max(10),
});

const licenseHistorySchema = z.strictObject({
  date: dateSchema,
  version: text(60).nullable(),
  commit: z
    .string()
    .regex(/^[0-9a-f]{7,40}$/)
    .nullable(),
  textSha256: sha256Schema.nullable(),
  /** The first 16 hexadecimal digits, where only these were kept. */
  textSha256Prefix: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .nullable(),
  note: text(400),
});

/** A model or library that comes along although nobody asked for it. */
const componentSchema = z.strictObject({
  role: z.enum(LINEAGE_ROLES),
  name: text(120),
  /** Its own listing; null when none exists, which leads to review. */
  listingId: listingIdSchema.nullable(),
  licenseRef: referenceSchema.nullable(),
  /** `optional`: loaded only under a setting; a run says whether it is used. */
  use: z.enum(['always', 'optional']),
  /** The setting; null for `always`. */
  usedWhen: text(200).nullable(),
  source: text(40),
  clause: text(200).nullable(),
  verified: verificationSchema,
});
export type HiddenComponent = z.infer<typeof componentSchema>;

/** Acts after generation that end an indemnity. */
export const INDEMNITY_VOIDED_BY = [
  'output-modified',
  'combined-with-other-products',
  'safety-disabled',
  'input-without-right',
  'trademark-use',
  'known-infringement',
  'preview-version',
  'fine-tuned-on-unlicensed-data',
  'not-reviewed-by-vendor',
  'third-party-offering',
  'contract-does-not-link',
] as const;

export const indemnitySchema = z.strictObject({
  offered: threeValuedSchema,
  conditions: z.array(text(400)).max(20),
  voidedBy: z.array(z.enum(INDEMNITY_VOIDED_BY)).max(20),
  source: text(40).nullable(),
  verified: verificationSchema,
});

/** A revision by its name, its commit or the SHA-256 of its weights; the most exact one that is known. */
const revisionSchema = z.union([
  z.strictObject({ weightsSha256: sha256Schema }),
  z.strictObject({ commit: z.string().regex(/^[0-9a-f]{12,40}$/) }),
  z.strictObject({ name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,30}$/) }),
]);
type Revision = z.infer<typeof revisionSchema>;

/** The last part of the model's name in the id: the name of the revision, or the first 12 digits of its hash. */
export function revisionMark(revision: Revision): string {
  if ('name' in revision) return revision.name;
  return ('commit' in revision ? revision.commit : revision.weightsSha256).slice(0, 12);
}

export const listingSchema = z
  .strictObject({
    id: listingIdSchema,
    name: text(120),
    vendor: text(120),
    modalities: z.array(z.enum(MODALITIES)).min(1).max(MODALITIES.length),
    /** The roles that this listing can play. */
    roles: z.array(z.enum(LINEAGE_ROLES)).min(1).max(LINEAGE_ROLES.length),
    channel: z.string().regex(/^[a-z0-9][a-z0-9-]{0,30}$/),
    /** `open-weights`: whoever runs it holds the weights. `api`: somebody else does. `code`: no trained model. */
    access: z.enum(['open-weights', 'api', 'code']),
    /** Which weights: then the model part of the id ends in a mark of it, because another revision is another listing. */
    revision: revisionSchema.exactOptional(),
    /** The provider's own names, e.g. `fal-ai/flux/schnell`. */
    endpoints: z.array(text(120)).max(20),
    license: licenseSchema,
    history: z.array(licenseHistorySchema).max(50),
    terms: z.array(termSchema).max(60),
    components: z.array(componentSchema).max(20),
    /** For a LoRA or fine-tune: what it was made from. */
    base: z
      .strictObject({
        listingId: listingIdSchema,
        relation: z.enum(['adapter', 'finetune', 'merge', 'quantized']),
      })
      .nullable(),
    /** SHA-256 of the manifest of the training images; null when there is none. */
    datasetManifestSha256: sha256Schema.nullable(),
    /** What that manifest says of rights and releases. A hash alone proves that a list exists, not what it says. */
    datasetManifest: datasetManifestSchema.exactOptional(),
    trainingData: trainingDataSchema,
    indemnity: indemnitySchema,
    sources: z.array(sourceSchema).min(1).max(30),
  })
  .superRefine((listing, context) => {
    const problem = (message: string) =>
      context.addIssue({ code: 'custom', message: `${listing.id}: ${message}` });
    if (!listing.id.endsWith(`@${listing.channel}`)) problem('the id does not end in its channel');
    if (
      listing.revision !== undefined &&
      !listing.id.endsWith(`.${revisionMark(listing.revision)}@${listing.channel}`)
    ) {
      problem(
        `the model part of the id does not end in ".${revisionMark(listing.revision)}", the mark of its revision`,
      );
    }
    const sources = new Set(listing.sources.map((source) => source.id));
    if (sources.size !== listing.sources.length) problem('two sources have one id');
    if (listing.datasetManifest !== undefined && listing.datasetManifestSha256 === null) {
      problem('a dataset manifest without its hash');
    }
    const terms = new Set(listing.terms.map((term) => term.id));
    if (terms.size !== listing.terms.length) problem('two terms have one id');
    const { rightsBasis, optOuts, litigation = [] } = listing.trainingData;
    const learnt = [rightsBasis, optOuts].flatMap((fact) => (fact === undefined ? [] : [fact]));
    const named = [
      ...listing.terms,
      ...listing.components,
      listing.indemnity,
      listing.trainingData,
      ...learnt,
      ...litigation,
    ];
    for (const { source } of named) {
      if (source !== null && !sources.has(source)) problem(`the source "${source}" is not listed`);
    }
  });
export type Listing = z.infer<typeof listingSchema>;

/** Nobody sees them, or they show a text in another order than it has. */
const HIDDEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Co}\p{Cn}\p{Cs}\u2028\u2029]/u;

/**
 * A listing that somebody records now: counsel reads its names, so they hold nothing that hides or passes for another
 * name. Listings that were recorded before are read with {@link listingSchema}.
 */
export const newListingSchema = listingSchema.superRefine((listing, context) => {
  const { license } = listing;
  const names: readonly (readonly [readonly (string | number)[], string])[] = [
    [['name'], listing.name],
    [['vendor'], listing.vendor],
    [['license', 'name'], license.name],
    ...license.conflictingTexts.map(
      ({ name }, at) => [['license', 'conflictingTexts', at, 'name'], name] as const,
    ),
    ...listing.components.map(({ name }, at) => [['components', at, 'name'], name] as const),
    ...listing.sources.map(({ title }, at) => [['sources', at, 'title'], title] as const),
  ];
  for (const [path, name] of names)
    if (HIDDEN.test(name))
      context.addIssue({ code: 'custom', path: [...path], message: 'must not hold invisible characters' });
  const { images = 0, rights = [] } = listing.datasetManifest ?? {};
  if (rights.reduce((sum, group) => sum + group.images, 0) > images)
    context.addIssue({
      code: 'custom',
      path: ['datasetManifest', 'rights'],
      message: 'must not be for more images than there are; name each image in one group',
    });
});
