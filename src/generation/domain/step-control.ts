import { z } from 'zod';
import { CONDITION_FACTS, COMPARISONS } from './condition.js';
import { keySchema, literalSchema, parameterNameSchema } from './definition-words.js';
import { NOT_ACCEPTED } from './provider.port.js';

/** How a step is run, beside what it does: over a list, on a condition, again after a failure. */

/** An admin manages people and money, and an auditor reads: neither makes evidence. */
export const ANSWERING_ROLES = ['creator', 'reviewer', 'legal', 'asset_manager'] as const;

/** Steps that a person does; a worker sleeps meanwhile. */
export const HUMAN_OPERATIONS = ['wait-for-edit', 'wait-for-approval', 'choose'] as const;
export type HumanOperation = (typeof HUMAN_OPERATIONS)[number];

/** Instances and single steps of one run together. */
export const MAX_INSTANCES = 500;

/** Once for each item of a list that is given as input of the run. Steps with the same list go together, item by item. */
export const eachSchema = z.strictObject({ input: parameterNameSchema });

const comparedWith = {
  compare: z.enum(COMPARISONS),
  value: z.union([z.string().max(200), z.number(), z.boolean()]),
};
/**
 * One comparison; what is not known (a width of a sound, an input that is not given) fulfills none. `otherwise`: the step
 * has no output, or hands on the picture that it would have worked on.
 */
export const whenSchema = z.union([
  z.strictObject({
    input: parameterNameSchema,
    ...comparedWith,
    otherwise: z.enum(['skip', 'pass']).default('skip'),
  }),
  z.strictObject({
    item: parameterNameSchema,
    ...comparedWith,
    otherwise: z.enum(['skip', 'pass']).default('skip'),
  }),
  z.strictObject({
    step: keySchema,
    fact: z.enum(CONDITION_FACTS),
    ...comparedWith,
    otherwise: z.enum(['skip', 'pass']).default('skip'),
  }),
]);
export type When = z.infer<typeof whenSchema>;

/** Tries after the first one, and only where the vendor certainly did not accept. */
export const retrySchema = z.strictObject({
  attempts: z.int().min(1).max(5),
  on: z
    .array(z.enum(NOT_ACCEPTED))
    .min(1)
    .default([...NOT_ACCEPTED]),
  /** Before the first retry; doubled before each further one, at most an hour. */
  backoffSeconds: z.int().min(1).max(3600).default(10),
});
export type Retry = z.infer<typeof retrySchema>;

export const onFailureSchema = z.enum(['stop', 'continue']);

const MAX_DEADLINE_MINUTES = 30 * 24 * 60;
export const humanFields = {
  /** Who may do it; a person needs one of these roles. */
  roles: z.array(z.enum(ANSWERING_ROLES)).min(1).max(ANSWERING_ROLES.length).optional(),
  /** After this time without an answer the step fails. */
  deadlineMinutes: z
    .int()
    .min(1)
    .max(MAX_DEADLINE_MINUTES)
    .default(3 * 24 * 60),
};

export const DEFAULT_ROLES = {
  'wait-for-edit': ['creator'],
  'wait-for-approval': ['reviewer'],
  choose: ['creator', 'reviewer'],
} as const satisfies Record<HumanOperation, readonly string[]>;

export const itemReferenceSchema = z.strictObject({
  item: parameterNameSchema,
  default: literalSchema.optional(),
  optional: z.boolean().default(false),
});
