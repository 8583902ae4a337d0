import { z } from 'zod';
import { runFactsSchema } from '../../licenses/domain/run-facts.js';
import { pipelineDefinitionSchema, pipelineNameSchema } from '../domain/pipeline-definition.js';
import { textSchema } from '../../http/safe-text.js';

const assetIdSchema = z.string().regex(/^ast_[0-9a-f]{32}$/, 'an asset id such as ast_018f...');
const inputNameSchema = z.string().regex(/^[a-zA-Z][a-zA-Z0-9_]{0,39}$/);

export const startRunSchema = z
  .strictObject({
    projectId: z.string().regex(/^prj_[0-9a-f]{32}$/, 'a project id such as prj_018f...'),
    useCase: z.string().regex(/^[a-z][a-z0-9-]{0,59}$/, 'lower-case letters, digits and dashes'),
    pipeline: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,59}(@[1-9]\d{0,8})?$/, 'a name such as product-shot, or product-shot@1')
      .describe('name of a pipeline, e.g. product-shot; "name@2" for a version'),
    inputs: z
      .record(
        inputNameSchema,
        z.union([
          textSchema(4000),
          z.number(),
          z.boolean(),
          z.array(z.union([textSchema(200), z.number()])).max(20),
        ]),
      )
      .refine((inputs) => Object.keys(inputs).length <= 40, 'at most 40 inputs')
      .default({})
      .describe('values by input name; an asset id where the pipeline wants an image'),
    substitutes: z
      .record(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/), assetIdSchema)
      .default({})
      .describe(
        'assets that take the place of a step, by step key: an uploaded photograph instead of a generated one',
      ),
    facts: runFactsSchema,
  })
  .meta({ id: 'StartRun' });
export type StartRunBody = z.infer<typeof startRunSchema>;

export const createPipelineSchema = z
  .strictObject({ name: pipelineNameSchema, definition: pipelineDefinitionSchema })
  .meta({ id: 'CreatePipeline' });
export type CreatePipelineBody = z.infer<typeof createPipelineSchema>;

export const reconcileSchema = z
  .discriminatedUnion('outcome', [
    z.strictObject({
      outcome: z.literal('accepted'),
      upstreamId: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/),
    }),
    z.strictObject({ outcome: z.literal('not_accepted') }),
  ])
  .meta({ id: 'ReconcileStep' });
export type ReconcileBody = z.infer<typeof reconcileSchema>;
