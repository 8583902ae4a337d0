import { z } from 'zod';
import { threeValuedSchema } from './three-valued.js';

/**
 * How a fact is known. `primary`: the text itself was read. `secondary`: somebody quotes or reports the text.
 * `unverified`: nobody showed a text; such a permission never allows anything.
 */
export const VERIFICATIONS = ['primary', 'secondary', 'unverified'] as const;
export type Verification = (typeof VERIFICATIONS)[number];
export const verificationSchema = z.enum(VERIFICATIONS);

/** `inclusive`: reaching the amount already breaks the cap (>=). `exclusive`: only more than the amount does (>). */
export const BOUNDARIES = ['inclusive', 'exclusive'] as const;
export type Boundary = (typeof BOUNDARIES)[number];

/** Whose figure counts: the organization alone, with its affiliates, or the product that uses the model. */
export const CAP_SCOPES = ['entity', 'entity+affiliates', 'product'] as const;
export type CapScope = (typeof CAP_SCOPES)[number];

export const FIELDS_OF_USE = [
  'online-advertising',
  'offline-advertising',
  'broadcast',
  'film',
  'live-event',
  'print',
  'games',
  'other-visual-media',
  'other',
] as const;
export type FieldOfUse = (typeof FIELDS_OF_USE)[number];

export const PURPOSES = ['commercial', 'editorial', 'internal-evaluation', 'non-commercial'] as const;
export type Purpose = (typeof PURPOSES)[number];

const text = (max: number) => z.string().min(1).max(max);
export const dateSchema = z.iso.date();
/** Year and month, e.g. `2026-10`. */
export const monthSchema = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/);

/** A country (ISO 3166-1 alpha-2) or the group token `EU`; a license text names the Union, not its members. */
export const territoryCodeSchema = z.string().regex(/^[A-Z]{2}$/);

/** Every term says where it stands and in our own words what it says; texts are not quoted. */
const termBase = {
  /** Stable inside one listing, so that a correction or an exception can name it. */
  id: z.string().regex(/^[a-z0-9-]{1,60}$/),
  /** `id` of one of the listing's sources. */
  source: text(40),
  /** Section or clause; null when the source has none. */
  clause: text(200).nullable(),
  paraphrase: text(600),
  verified: verificationSchema,
};

const boundarySchema = z.enum(BOUNDARIES);
const permission = <Kind extends string>(kind: Kind) =>
  z.strictObject({ ...termBase, kind: z.literal(kind), value: threeValuedSchema });
const duty = <Kind extends string>(kind: Kind) => z.strictObject({ ...termBase, kind: z.literal(kind) });

/** May the weights (for a library: the code) be run for gain? Binds who hosts the model. */
const commercialUseOfWeights = permission('commercial-use-of-weights');
/** May what the model makes be used for gain? Binds everyone who uses the output. */
const commercialUseOfOutputs = permission('commercial-use-of-outputs');
/** Do the terms of the hosting channel allow gainful use of what it returns? Only on hosted channels. */
const commercialUseThroughChannel = permission('commercial-use-through-channel');
/** May a company test and evaluate outside production although gainful use is not allowed? */
const evaluationUse = permission('evaluation-use');
const nonCommercialUse = permission('non-commercial-use');
/** May the model be served to people outside the organization? */
const hostingForOthers = permission('hosting-for-others');

const revenueCap = z.strictObject({
  ...termBase,
  kind: z.literal('revenue-cap'),
  amountUsd: z.int().positive(),
  boundary: boundarySchema,
  /** True when the text contradicts itself about the amount itself: exactly at the amount nobody knows. */
  boundaryDisputed: z.boolean().default(false),
  scope: z.enum(CAP_SCOPES),
  metric: z.enum(['annual-revenue', 'trailing-twelve-months-revenue', 'product-annual-revenue']),
  /** Purposes to which the text does not apply the cap. */
  exempts: z.array(z.enum(PURPOSES)).default([]),
});

const usageCap = z.strictObject({
  ...termBase,
  kind: z.literal('usage-cap'),
  metric: z.enum(['monthly-active-users', 'visits-per-month']),
  amount: z.int().positive(),
  boundary: boundarySchema,
  scope: z.enum(CAP_SCOPES),
  measuredAt: z.enum(['calendar-month-before-release', 'each-month']),
  /** The one month that counts, where the text fixes it, e.g. `2025-08`; absent: any month may count. */
  measuredMonth: monthSchema.exactOptional(),
});

const territoryExclusion = z.strictObject({
  ...termBase,
  kind: z.literal('territory-exclusion'),
  countries: z.array(territoryCodeSchema).min(1).max(249),
  appliesTo: z.enum(['weights', 'outputs']),
});

const outputLabelRequired = z.strictObject({
  ...termBase,
  kind: z.literal('output-label-required'),
  when: z.enum(['public-placement', 'any-context', 'where-law-requires', 'where-law-or-platform-requires']),
});

const contentFilterOrReview = z.strictObject({
  ...termBase,
  kind: z.literal('content-filter-or-review'),
  /** False where only a filter satisfies the text. */
  reviewSuffices: z.boolean(),
});

const outputTrainingRestriction = z.strictObject({
  ...termBase,
  kind: z.literal('output-training-restriction'),
  scope: z.enum(['competing-models', 'any-other-model', 'any-model']),
});

const attributionRequired = z.strictObject({
  ...termBase,
  kind: z.literal('attribution-required'),
  when: z.enum(['on-distribution-of-weights', 'on-display-or-product', 'always']),
  text: text(120).nullable(),
  /** Plans on which it is owed; absent: on all. */
  plans: z.array(text(40)).min(1).max(20).exactOptional(),
});

const planTierRequired = z.strictObject({
  ...termBase,
  kind: z.literal('plan-tier-required'),
  plans: z.array(text(40)).min(1).max(20),
  /** The condition applies only when the audience touches these; null: everywhere. */
  onlyInCountries: z.array(territoryCodeSchema).max(249).nullable().default(null),
  /** The condition applies only above this annual revenue; null: always. */
  onlyAboveRevenueUsd: z.int().positive().nullable().default(null),
});

const fieldOfUse = z.strictObject({
  ...termBase,
  kind: z.literal('field-of-use'),
  value: threeValuedSchema,
  fields: z.array(z.enum(FIELDS_OF_USE)).min(1),
  /** Plans to which the limit applies; null: to all. */
  plans: z.array(text(40)).min(1).max(20).nullable().default(null),
});

/** May it be handed on? Of the weights, of what is derived from them (LoRAs, fine-tunes), or of outputs as goods. */
const redistribution = z.strictObject({
  ...termBase,
  kind: z.literal('redistribution'),
  of: z.enum(['weights', 'derivatives', 'outputs']),
  value: threeValuedSchema,
});

const serviceEnd = z.strictObject({
  ...termBase,
  kind: z.literal('service-end'),
  month: monthSchema,
});

export const termSchema = z.discriminatedUnion('kind', [
  commercialUseOfWeights,
  commercialUseOfOutputs,
  commercialUseThroughChannel,
  evaluationUse,
  nonCommercialUse,
  hostingForOthers,
  revenueCap,
  usageCap,
  territoryExclusion,
  outputLabelRequired,
  contentFilterOrReview,
  outputTrainingRestriction,
  attributionRequired,
  planTierRequired,
  fieldOfUse,
  redistribution,
  serviceEnd,
  duty('registration-required'),
  duty('notice-required'),
  duty('disclosure-preserve'),
  duty('flow-down'),
  duty('derivative-same-license'),
  duty('acceptable-use-policy'),
  duty('licensee-indemnifies'),
  duty('revocable'),
  duty('usage-reporting'),
  duty('use-restriction'),
  duty('governing-law'),
  duty('litigation'),
  duty('test-output'),
  duty('information'),
]);

export type Term = z.infer<typeof termSchema>;
export type TermKind = Term['kind'];
export type TermOf<Kind extends TermKind> = Extract<Term, { kind: Kind }>;
/** Terms that carry a three-valued answer. */
export type PermissionKind =
  | 'commercial-use-of-weights'
  | 'commercial-use-of-outputs'
  | 'commercial-use-through-channel'
  | 'evaluation-use'
  | 'non-commercial-use'
  | 'hosting-for-others';
