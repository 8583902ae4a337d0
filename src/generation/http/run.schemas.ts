import { z } from 'zod';
import { runFactsSchema } from '../../licenses/domain/run-facts.js';
import { pipelineDefinitionSchema, pipelineNameSchema } from '../domain/pipeline-definition.js';
import { pageQuerySchema } from '../../http/pagination.js';
import { textSchema } from '../../http/safe-text.js';
import { falWorkflowSchema } from '../domain/fal-workflow-file.js';
import { STEP_STATES } from '../domain/run.js';

const assetIdSchema = z.string().regex(/^ast_[0-9a-f]{32}$/, 'an asset id such as ast_018f...');
const inputNameSchema = z.string().regex(/^[a-zA-Z][a-zA-Z0-9_]{0,39}$/);

const valueSchema = z.union([
  textSchema(4000),
  z.number(),
  z.boolean(),
  z.array(z.union([textSchema(200), z.number()])).max(20),
]);
const scalarSchema = z.union([textSchema(4000), z.number(), z.boolean()]);
/** Of these the limit for the steps of a run speaks; longer lists are not even counted. */
const MAX_LISTED = 10_000;
/** One item for each instance. */
const itemsSchema = z
  .array(
    z
      .record(inputNameSchema, valueSchema)
      .refine((item) => Object.keys(item).length <= 40, 'at most 40 values in an item'),
  )
  .min(1)
  .max(MAX_LISTED);
/** Every combination of the values; the last name changes fastest. */
const combineSchema = z.strictObject({
  combine: z.record(inputNameSchema, z.array(scalarSchema).min(1).max(MAX_LISTED)).refine((lists) => {
    const { length } = Object.keys(lists);
    return length > 0 && length <= 8;
  }, '1 to 8 lists'),
});

export const startRunSchema = z
  .strictObject({
    projectId: z.string().regex(/^prj_[0-9a-f]{32}$/, 'a project id such as prj_018f...'),
    useCase: z.string().regex(/^[a-z][a-z0-9-]{0,59}$/, 'lower-case letters, digits and dashes'),
    pipeline: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,59}(@[1-9]\d{0,8})?$/, 'a name such as product-shot, or product-shot@1')
      .describe('name of a pipeline, e.g. product-shot; "name@2" for a version'),
    inputs: z
      .record(inputNameSchema, z.union([valueSchema, itemsSchema, combineSchema]))
      .refine((inputs) => Object.keys(inputs).length <= 40, 'at most 40 inputs')
      .default({})
      .describe(
        'values by input name; an asset id where the pipeline wants an image; a list of items where it runs a step for each',
      ),
    substitutes: z
      .record(z.string().regex(/^[a-z][a-z0-9-]{0,39}(\.[1-9]\d{0,2})?$/), assetIdSchema)
      .default({})
      .describe(
        'assets that take the place of a step, by step key: an uploaded photograph instead of a generated one',
      ),
    facts: runFactsSchema,
    routeId: z
      .string()
      .regex(/^rte_[0-9a-f]{32}$/, 'the id of a choice of POST /v1/routes')
      .optional()
      .describe('the recorded choice of a model that this run follows'),
  })
  .meta({ id: 'StartRun' });
export type StartRunBody = z.infer<typeof startRunSchema>;

export const createPipelineSchema = z
  .strictObject({ name: pipelineNameSchema, definition: pipelineDefinitionSchema })
  .meta({ id: 'CreatePipeline' });
export type CreatePipelineBody = z.infer<typeof createPipelineSchema>;

export const importPipelineSchema = z
  .strictObject({ name: pipelineNameSchema, format: z.literal('fal-workflow'), workflow: falWorkflowSchema })
  .meta({ id: 'ImportPipeline' });
export type ImportPipelineBody = z.infer<typeof importPipelineSchema>;
const reason = textSchema(1000).describe('how you know; sealed in the log under your key');

export const reconcileSchema = z
  .discriminatedUnion('outcome', [
    z
      .strictObject({
        outcome: z.literal('accepted'),
        upstreamId: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/),
        reason,
      })
      .describe('the provider has the job under this id: the step goes on with it'),
    z
      .strictObject({ outcome: z.literal('not_accepted'), reason })
      .describe('the provider never got it: it is sent again'),
    z
      .strictObject({ outcome: z.literal('not_charged'), reason })
      .describe('nothing came of it and nothing was charged: the step fails, its money is free again'),
    z
      .strictObject({
        outcome: z.literal('charged'),
        costMicroUsd: z.string().regex(/^[1-9]\d{0,15}$/, 'integer micro-USD as text, above 0'),
        reason,
      })
      .describe('nothing usable came of it and the vendor charged this: the step fails and is paid'),
  ])
  .meta({ id: 'ReconcileStep' });
export type ReconcileBody = z.infer<typeof reconcileSchema>;

const commentSchema = textSchema(4000).default('').describe('in the own words of the person; sealed');
export const answerSchema = z
  .discriminatedUnion('outcome', [
    z.strictObject({ outcome: z.enum(['edited', 'chosen']), assetId: assetIdSchema, comment: commentSchema }),
    z.strictObject({ outcome: z.enum(['approved', 'rejected']), comment: commentSchema }),
  ])
  .meta({ id: 'AnswerStep' });
export type AnswerBody = z.infer<typeof answerSchema>;

export const stepsQuerySchema = pageQuerySchema.extend({ state: z.enum(STEP_STATES).optional() });
export type StepsQuery = z.infer<typeof stepsQuerySchema>;
/** Pages of steps go by their place in the run. */
export const ORDINAL_SORT_KEY = /^\d{1,6}$/;
