import { z } from 'zod';
import { countrySchema } from './countries.js';
import { type EngineVersion, isSince } from './engine-version.js';
import { placeSchema } from './subdivisions.js';
import { listingIdSchema } from './listing.js';
import { dateSchema, FIELDS_OF_USE, monthSchema, type Purpose, PURPOSES } from './terms.js';
import { threeValuedSchema } from './three-valued.js';

/** A whole number of at most 2^53 - 1, or the honest answer that nobody knows it. */
const figureSchema = z.union([z.int().nonnegative(), z.literal('unknown')]);
export type Figure = z.infer<typeof figureSchema>;

/**
 * Acts beyond making and showing the work. A clearance covers only what was asked: an act that is not stated is not
 * cleared, and what the licenses say against it comes back as an obligation.
 */
export const FURTHER_ACTS = [
  /** Hand on the weights of a model that was used. */
  'distribute-weights',
  /** Hand on a LoRA or a fine-tune. */
  'distribute-derivatives',
  /** Hand on outputs as goods of their own, e.g. to a stock library. */
  'redistribute-outputs',
  /** Train a model that competes with the vendor's on the outputs. */
  'train-competing-model',
  /** Train any other model on the outputs. */
  'train-other-model',
] as const;
export type FurtherAct = (typeof FURTHER_ACTS)[number];

/** Users in one calendar month, for licenses that fix the month which counts. */
const monthlyUsersSchema = z.strictObject({
  month: monthSchema,
  monthlyActiveUsers: figureSchema,
  monthlyActiveUsersWithAffiliates: figureSchema.default('unknown'),
});

/**
 * What the organization has arranged with a vendor. `indemnity`: a contract that links the vendor's indemnity to the
 * feature in use, in general availability.
 */
const agreementSchema = z.strictObject({
  listingId: listingIdSchema,
  kind: z.enum(['registration', 'plan', 'indemnity']),
  /** Name of the plan, in lower case, for kind `plan`. */
  plan: z
    .string()
    .regex(/^[a-z0-9 -]{1,40}$/)
    .nullable()
    .default(null),
  /** Document or account that proves it. */
  reference: z.string().regex(/^\P{C}{1,200}$/u, 'no control characters'),
});

/**
 * Where the work is shown: countries (ISO 3166-1 alpha-2), subdivisions such as `US-CA` (ISO 3166-2) where it is shown
 * in no other part of the country, or `worldwide`. Never where a server stands.
 */
export const audienceSchema = z.union([z.literal('worldwide'), z.array(placeSchema).min(1).max(400)]);
export type Audience = z.infer<typeof audienceSchema>;

const factsSchema = z.strictObject({
  purpose: z.enum(PURPOSES),
  audienceCountries: audienceSchema,
  /**
   * Revenue of the organization alone, whole US dollars: the greater of its last financial year and its last twelve
   * months, because licenses ask for either.
   */
  organizationRevenueUsd: figureSchema,
  /** The same with all affiliates (companies under common control). State the same number if there are none. */
  organizationRevenueWithAffiliatesUsd: figureSchema.default('unknown'),
  /** Yearly revenue of the products and services in which the output is used. */
  productRevenueUsd: figureSchema.default('unknown'),
  /** Users of all products and services in the strongest calendar month so far. */
  monthlyActiveUsers: figureSchema.default('unknown'),
  monthlyActiveUsersWithAffiliates: figureSchema.default('unknown'),
  /** Users in months that a license names; such a month counts instead of the strongest one. */
  usersByMonth: z.array(monthlyUsersSchema).max(60).default([]),
  /** Visits to the service that uses the model, in the strongest month. */
  monthlyVisits: figureSchema.default('unknown'),
  /** Who is served by models that the organization hosts itself. */
  hosting: z.enum(['own-use', 'served-to-others', 'unknown']).default('unknown'),
  /** Where self-hosted models run; only for licenses that limit the place of use. */
  processingCountries: z
    .union([z.literal('unknown'), z.array(countrySchema).min(1).max(249)])
    .default('unknown'),
  fieldsOfUse: z
    .union([z.literal('unknown'), z.array(z.enum(FIELDS_OF_USE)).min(1).max(FIELDS_OF_USE.length)])
    .default('unknown'),
  campaignStart: dateSchema.nullable().default(null),
  /** Last day on which the work is shown; `open-ended` when it has none; null when nobody said. */
  campaignEnd: z
    .union([dateSchema, z.literal('open-ended')])
    .nullable()
    .default(null),
  /** Day on which the models run; null when nobody said. */
  generatedOn: dateSchema.nullable().default(null),
  humanReviewPlanned: threeValuedSchema.default('unknown'),
  /** A filter against unlawful and infringing output, by whoever runs it. */
  contentFilterPlanned: threeValuedSchema.default('unknown'),
  labelPlanned: threeValuedSchema.default('unknown'),
  attributionPlanned: threeValuedSchema.default('unknown'),
  editsPlanned: threeValuedSchema.default('unknown'),
  /** Are the vendor's safety features left on? An indemnity may depend on it. */
  safetyFeaturesOn: threeValuedSchema.default('unknown'),
  /**
   * Does the work show a person, or a figure that can be taken for one? Whoever is recognized has rights of their own,
   * and some laws ask about performers who do not exist. Absent means `unknown`.
   */
  showsPeople: threeValuedSchema.exactOptional(),
  /** Is an output used as a trade mark? */
  trademarkUse: threeValuedSchema.default('unknown'),
  /** Has somebody complained that such an output infringes? */
  infringementNotice: threeValuedSchema.default('unknown'),
  furtherActs: z.array(z.enum(FURTHER_ACTS)).max(FURTHER_ACTS.length).default([]),
  agreements: z.array(agreementSchema).max(100).default([]),
});

/** What no field shows alone. */
function checkFacts(
  facts: Omit<z.infer<typeof factsSchema>, 'audienceCountries'>,
  context: z.core.$RefinementCtx,
): void {
  const wider = [
    ['organizationRevenueUsd', 'organizationRevenueWithAffiliatesUsd'],
    ['monthlyActiveUsers', 'monthlyActiveUsersWithAffiliates'],
  ] as const;
  for (const [part, whole] of wider) {
    const [a, b] = [facts[part], facts[whole]];
    if (a !== 'unknown' && b !== 'unknown' && b < a) {
      context.addIssue({ code: 'custom', path: [whole], message: `must not be less than ${part}` });
    }
  }
  const months = new Set(facts.usersByMonth.map(({ month }) => month));
  if (months.size !== facts.usersByMonth.length) {
    context.addIssue({ code: 'custom', path: ['usersByMonth'], message: 'must name each month once' });
  }
  // The words sort after every date, and an open end is before no start.
  if (facts.campaignStart && facts.campaignEnd && facts.campaignEnd < facts.campaignStart) {
    context.addIssue({
      code: 'custom',
      path: ['campaignEnd'],
      message: 'must not be before campaignStart',
    });
  }
}

/** What is true of the run, told by the customer. What is not told is unknown, never assumed. */
export const runFactsSchema = factsSchema.superRefine(checkFacts);
/** The same for a question about several audiences, which stand beside it. */
export const audiencelessFactsSchema = factsSchema.omit({ audienceCountries: true }).superRefine(checkFacts);
export type AudiencelessFacts = z.infer<typeof audiencelessFactsSchema>;
/** Complete facts, every default filled in. */
export type RunFacts = z.infer<typeof runFactsSchema>;
/** Facts as a caller writes them. */
export type RunFactsInput = z.input<typeof runFactsSchema>;

type FieldOfUse = (typeof FIELDS_OF_USE)[number];

const ADVERTISING: readonly FieldOfUse[] = ['online-advertising', 'offline-advertising'];

/**
 * The purpose by which is decided: advertising is commercial, whatever else is stated, and what is shown to the public
 * or handed on as goods is no internal evaluation.
 */
export function purposeOf(facts: RunFacts, version: EngineVersion): Purpose {
  const { purpose, fieldsOfUse } = facts;
  // Earlier rules took an advertisement that was called editorial for editorial work.
  if (purpose === 'commercial' || (purpose === 'editorial' && !isSince('2.5.0', version))) return purpose;
  const uses = fieldsOfUse === 'unknown' ? [] : fieldsOfUse;
  const advertises = isSince('2.3.0', version) && uses.some((field) => ADVERTISING.includes(field));
  const leaves =
    uses.some((field) => field !== 'other') || facts.furtherActs.includes('redistribute-outputs');
  const isNoEvaluation = isSince('2.4.0', version) && purpose === 'internal-evaluation' && leaves;
  return advertises || isNoEvaluation ? 'commercial' : purpose;
}
