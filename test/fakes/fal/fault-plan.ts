import { z } from 'zod';

export const RESULT_TROUBLES = [
  'still-in-progress',
  '402',
  '404',
  '405-page',
  '413-page',
  '451-page',
  'page',
  'cut-off',
  'nothing',
] as const;
export type ResultTrouble = (typeof RESULT_TROUBLES)[number];

/**
 * What the fake does with one submit. Plans are used up in order; without one everything goes well.
 *
 * `submit`
 * - `ok`: accepted and charged, answered with 200
 * - `500`, `429`, `422`: refused, not charged
 * - `502`: accepted and charged, but a gateway in between loses the answer: the worst case behind this status
 * - `hang-after-accept`, `reset-after-accept`: accepted and charged, the answer never arrives
 * - `reset-before-accept`: connection lost, not charged; the client cannot tell it from the one above
 * - `garbage-after-accept`: accepted and charged, answered with 200 and a page instead of JSON
 *
 * `result`: the first seven concern the JSON of the result, the others the file that it names.
 *
 * `beforeResult`: what the first requests for the result of a completed job get instead of it, one each: a status with a
 * bare text or a page, a page with 200, a text that is cut off, nothing at all.
 */
export const FaultPlan = z.object({
  submit: z
    .enum([
      'ok',
      '500',
      '502',
      '429',
      '422',
      'hang-after-accept',
      'reset-after-accept',
      'reset-before-accept',
      'garbage-after-accept',
    ])
    .default('ok'),
  /** How many status polls say "not yet" before the job completes. */
  pendingPolls: z.int().min(0).max(1000).default(1),
  result: z
    .enum([
      'ok',
      'empty',
      'two-files',
      'content-refused',
      'model-error',
      'internal-url',
      'model-mismatch',
      'data-uri',
      'broken-manifest',
      'garbage-png',
      'truncated-png',
      'wrong-content-type',
      'endless-body',
      'slow-loris',
      'redirect-to-metadata',
    ])
    .default('ok'),
  beforeResult: z.array(z.enum(RESULT_TROUBLES)).max(20).default([]),
  /** The result is a film of this many bytes. */
  filmBytes: z.int().min(10_000).max(4_000_000_000).optional(),
  webhook: z.enum(['ok', 'none', 'duplicate', 'forged', 'late']).default('ok'),
  /** Time from accepting to the first delivery; `late` waits ten times as long. */
  webhookDelayMs: z.int().min(0).max(60_000).default(50),
  /** Value of the header `x-fal-billable-units`; text to play nonsense. Default: the number of pictures. */
  billableUnits: z.union([z.number(), z.string().max(100)]).optional(),
});

export type FaultPlan = z.output<typeof FaultPlan>;
export type FaultPlanInput = z.input<typeof FaultPlan>;
