import { z } from 'zod';
import { textSchema } from '../../http/safe-text.js';
import { RECALL_REASONS, REVIEW_DECISIONS } from '../domain/contribution.js';

/** A point of a checklist, as `GET /v1/assets/{id}/review` names it. */
const itemKey = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,299}$/, 'a key of the checklist');
export const useCaseName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,59}$/, 'lower-case letters, digits and dashes');

export const reviewSchema = z
  .strictObject({
    decision: z.enum(REVIEW_DECISIONS),
    comment: textSchema(4000),
    confirmed: z.array(itemKey).max(1000).default([]).describe('points of the checklist that you looked at'),
  })
  .meta({ id: 'Review' });
export const reviewRequestSchema = z
  .strictObject({ useCase: useCaseName.optional().describe('for an asset that no run of a use case made') })
  .meta({ id: 'ReviewRequest' });
export const commentSchema = z.strictObject({ text: textSchema(4000) }).meta({ id: 'ReviewComment' });
export const recallSchema = z
  .strictObject({
    reason: z.enum(RECALL_REASONS).describe('shown to everybody who verifies the file'),
    text: textSchema(4000).describe('what happened, in your own words; sealed'),
  })
  .meta({ id: 'Recall' });
export const reviewSettingsSchema = z
  .strictObject({
    approvals: z
      .union([z.literal(1), z.literal(2)])
      .describe('by different people, none of whom took part in making it'),
    humanContribution: z.boolean().describe('only what the record supports a claim for is released'),
    checklist: z.boolean().describe('every approval confirms every point of the checklist'),
  })
  .meta({ id: 'ReviewSettings' });
