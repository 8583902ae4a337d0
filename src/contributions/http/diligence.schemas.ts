import { z } from 'zod';
import {
  CLAIM_KINDS,
  CLAIM_OUTCOMES,
  MATTER_BASES,
  MATTER_FOUND,
  MATTER_KINDS,
} from '../../audit/core/diligence-words.js';
import { nameSchema, textSchema } from '../../http/safe-text.js';

const day = z.iso.date();
const evidenceSha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
  .optional()
  .describe('SHA-256 of a document that you keep');
const MAX_MATCHES = 1_000_000;

const examined = {
  examinedOn: day.describe('when it was looked at'),
  tool: z
    .strictObject({ name: nameSchema(100), version: nameSchema(100) })
    .optional()
    .describe('the program that looked; without it a person did'),
  text: textSchema(4000).describe('what was seen and how it was judged; sealed'),
  document: textSchema(1000).optional().describe('where the license, contract or report lies; sealed'),
  evidenceAssetId: z
    .string()
    .regex(/^ast_[0-9a-f]{32}$/, 'an asset id such as ast_018f...')
    .optional()
    .describe('an asset that shows it, e.g. an uploaded screenshot of the search'),
  evidenceSha256,
};

export const examinationSchema = z
  .discriminatedUnion('question', [
    z.strictObject({
      question: z.literal('third_party_matter'),
      matter: z
        .array(
          z.strictObject({
            kind: z.enum(MATTER_KINDS),
            found: z.enum(MATTER_FOUND),
            basis: z.enum(MATTER_BASES).exactOptional().describe('on what ground; only for what is shown'),
          }),
        )
        .min(1)
        .max(MATTER_KINDS.length)
        .describe('kinds that are not named count as not examined'),
      ...examined,
    }),
    z.strictObject({
      question: z.literal('similar_works'),
      result: z.enum(['none_found', 'found', 'inconclusive']),
      index: nameSchema(200).describe('which collection or service was searched'),
      matches: z.int().min(0).max(MAX_MATCHES),
      ...examined,
    }),
    z.strictObject({
      question: z.literal('exclusivity').describe('for the role legal'),
      result: z.enum(['exclusive', 'not_exclusive', 'unknown']),
      ...examined,
    }),
    z.strictObject({
      question: z.literal('claims').describe('for the role legal; claims themselves are recorded one by one'),
      result: z.enum(['none_known', 'unknown']),
      ...examined,
    }),
  ])
  .meta({ id: 'Examination' });
export type ExaminationBody = z.infer<typeof examinationSchema>;

export const claimSchema = z
  .strictObject({
    kind: z.enum(CLAIM_KINDS),
    receivedOn: day,
    respondBy: day.optional(),
    claimant: textSchema(500).describe('who claims it; sealed'),
    text: textSchema(4000).describe('what they say; sealed'),
    evidenceSha256,
  })
  .meta({ id: 'Claim' });

export const claimAnswerSchema = z
  .strictObject({
    outcome: z.enum(CLAIM_OUTCOMES).describe('acknowledged and open leave it open; upheld: it was right'),
    text: textSchema(4000).describe('what was done, and why; sealed'),
    evidenceSha256,
  })
  .meta({ id: 'ClaimAnswer' });

export const claimPageSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .string()
    .regex(/^clm_[0-9a-f]{32}$/)
    .optional()
    .describe('"nextCursor" of the page before'),
});
