import { z } from 'zod';
import { verificationSchema } from './terms.js';

export const DISCLOSURES = ['none', 'partial', 'full', 'unknown'] as const;
/** On what right a vendor says it learnt. `mixed`: licensed and unlicensed sources together. */
export const TRAINING_BASES = [
  'licensed',
  'owned',
  'public-domain',
  'research-terms',
  'scraped',
  'mixed',
  'unknown',
] as const;
/** What a vendor does about reservations of rights holders. */
export const OPT_OUT_HANDLINGS = ['honored', 'not-honored', 'not-needed', 'unknown'] as const;

const text = (max: number) => z.string().min(1).max(max);

/** Facts about one side of the training data; each says how it is known, and silence is `unknown`. */
const known = <Value extends z.ZodType>(value: Value) =>
  z.strictObject({
    value,
    /** `id` of one of the listing's sources. */
    source: text(40),
    clause: text(200).nullable(),
    verified: verificationSchema,
  });

const litigationSchema = z.strictObject({
  matter: text(200),
  /** What was decided or is pending, in our own words. */
  note: text(400),
  source: text(40),
  verified: verificationSchema,
});

export const trainingDataSchema = z.strictObject({
  disclosure: z.enum(DISCLOSURES),
  summary: text(600),
  source: text(40).nullable(),
  verified: verificationSchema,
  /** Absent means that nobody has looked or found a statement: `unknown`. */
  rightsBasis: known(z.enum(TRAINING_BASES)).exactOptional(),
  optOuts: known(z.enum(OPT_OUT_HANDLINGS)).exactOptional(),
  litigation: z.array(litigationSchema).max(20).exactOptional(),
});
export type TrainingData = z.infer<typeof trainingDataSchema>;
export type Disclosure = TrainingData['disclosure'];

/** What a policy may rely on: a statement without a text behind it is no statement. */
export function trainingFacts(data: TrainingData) {
  const relied = <Value extends string>(fact: { value: Value; verified: string } | undefined) =>
    fact === undefined || fact.verified === 'unverified' ? ('unknown' as const) : fact.value;
  return {
    disclosure:
      data.verified === 'unverified' && data.disclosure !== 'none' ? ('unknown' as const) : data.disclosure,
    rightsBasis: relied(data.rightsBasis),
    optOuts: relied(data.optOuts),
  };
}
