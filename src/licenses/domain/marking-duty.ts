import { z } from 'zod';
import { COUNTRIES } from './countries.js';
import { dateSchema } from './terms.js';

/** Who has to do it, as the law divides the roles. Which of them an organization has is for a person to say. */
export const DUTY_ROLES = ['provider', 'deployer', 'platform'] as const;
export type DutyRole = (typeof DUTY_ROLES)[number];

export const OWED_MARKS = [
  'visible-label',
  'machine-readable-marking',
  'explicit-and-implicit-label',
  'disclosure-text',
] as const;
export type OwedMark = (typeof OWED_MARKS)[number];

/** For which content it is owed. */
export const DUTY_CONTENTS = [
  /** Everything that the technology generated or changed. */
  'ai-media',
  /** What can be taken for a recording of something real. */
  'realistic',
  /** Realistic, and resembling existing persons, objects, places, entities or events. */
  'deep-fake',
  'synthetic-performer-in-advertising',
  'public-interest-text',
  'interactive-system',
] as const;
export type DutyContentKind = (typeof DUTY_CONTENTS)[number];

export const DUTY_MEDIA = ['image', 'video', 'audio', 'text', 'service'] as const;
export type DutyMedium = (typeof DUTY_MEDIA)[number];

export const DUTY_DUES = ['before-publication', 'on-publication', 'always'] as const;

const text = (max: number) => z.string().min(1).max(max);

/** A state: ISO 3166-2. `EU` is the Union. */
const jurisdictionCodeSchema = z
  .string()
  .refine(
    (code) => code === 'EU' || COUNTRIES.has(code) || /^US-[A-Z]{2}$/.test(code),
    'EU, an ISO 3166-1 alpha-2 code or a state of the US such as US-CA',
  );

const sourceSchema = z.strictObject({
  title: text(200),
  section: text(120),
  url: z.url({ protocol: /^https$/ }).nullable(),
  dateRead: dateSchema,
  /** `primary`: the text of the law, or a copy of it, was read. `secondary`: somebody reports it. */
  basis: z.enum(['primary', 'secondary']),
});

/** One duty of one law, as far as somebody here has read of it. */
export const markingDutySchema = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9-]{1,60}$/),
    jurisdiction: z.strictObject({
      code: jurisdictionCodeSchema,
      name: text(60),
      /** Countries of which nobody here knows whether the law counts there, too: there it may apply. */
      possiblyAlso: z.array(z.string().refine((code) => COUNTRIES.has(code))).max(50),
    }),
    law: text(200),
    /** A bill is no duty yet, but whether it has become one is to be found out. */
    status: z.enum(['in-force', 'enacted', 'bill']),
    owedBy: z.enum(DUTY_ROLES),
    who: text(200),
    owed: z.enum(OWED_MARKS),
    what: text(600),
    content: z.enum(DUTY_CONTENTS),
    /** Some laws speak of AI, others of any algorithm. */
    technology: z.enum(['ai', 'ai-or-algorithm']),
    media: z.array(z.enum(DUTY_MEDIA)).min(1),
    /** In words: whether one holds is for a person, who then says `not_applicable` with the reason. */
    exemptions: z.array(text(300)).max(10),
    /** `verified`: the day was read in the text of the law, or in a copy of it. */
    inForce: z.strictObject({ date: dateSchema.nullable(), verified: z.boolean(), note: text(300) }),
    transition: z.strictObject({ until: dateSchema, forWhom: text(200), verified: z.boolean() }).nullable(),
    due: z.enum(DUTY_DUES),
    /** Holds back the release of an asset until it is proved. No duty of this file does; see docs/licenses. */
    blocking: z.boolean(),
    /** `true` only where the words of the duty were read in the law itself, or in a copy of it. */
    verified: z.boolean(),
    notVerified: text(400).nullable(),
    /** What the program itself can prove of it, and what is left for a person. */
    systemProof: z
      .strictObject({
        by: z.literal('c2pa-manifest'),
        /** `part` leaves the duty open. */
        extent: z.enum(['whole', 'part']),
        proves: text(300),
        remains: text(300),
      })
      .nullable(),
    source: sourceSchema,
  })
  .superRefine((duty, context) => {
    const fault = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (duty.verified !== (duty.notVerified === null))
      fault('notVerified', 'says what is not verified, if something is');
    if (duty.verified && duty.source.basis !== 'primary')
      fault('verified', 'a report is no reading of the law');
    if (duty.inForce.date === null && duty.inForce.verified)
      fault('inForce', 'an unknown day cannot be verified');
    if (duty.status === 'bill' && (duty.verified || duty.inForce.date !== null))
      fault('status', 'a bill is not in force');
    if (duty.blocking && duty.due !== 'before-publication')
      fault('blocking', 'only what is due before publication');
  });
export type MarkingDuty = z.infer<typeof markingDutySchema>;

export const markingDutiesSchema = z
  .strictObject({ v: z.literal(1), readOn: dateSchema, duties: z.array(markingDutySchema).min(1).max(500) })
  .superRefine(({ duties, readOn }, context) => {
    duties.forEach(({ id, source }, i) => {
      const before = duties[i - 1];
      if (before && before.id >= id)
        context.addIssue({ code: 'custom', path: ['duties', i, 'id'], message: 'ids ascend and are unique' });
      if (source.dateRead > readOn)
        context.addIssue({ code: 'custom', path: ['duties', i, 'source'], message: 'read after readOn' });
    });
  });

/** The duties with what names this state of the data for ever. */
export interface MarkingDuties {
  readonly readOn: string;
  /** SHA-256 of the canonical JSON of the file. */
  readonly sha256: string;
  readonly duties: readonly MarkingDuty[];
}
