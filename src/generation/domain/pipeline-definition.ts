import { z } from 'zod';
import { keySchema, listingIdSchema, literalSchema, parameterNameSchema } from './definition-words.js';
import { MEDIA_KINDS, type MediaKind } from './media-kind.js';
import { type Operation, OPERATIONS } from './operation.js';
import {
  eachSchema,
  HUMAN_OPERATIONS,
  type HumanOperation,
  humanFields,
  itemReferenceSchema,
  onFailureSchema,
  retrySchema,
  whenSchema,
} from './step-control.js';

export { type Literal } from './definition-words.js';

/** Limits against hostile definitions; real pipelines have a handful of steps. */
export const MAX_STEPS = 40;
const MAX_PARAMETERS = 40;
/**
 * `{"input": "prompt"}`: taken from the inputs of the run. Without a default the input must be given, unless it is
 * optional: then the parameter is left out.
 */
const inputReferenceSchema = z.strictObject({
  input: parameterNameSchema,
  default: literalSchema.optional(),
  optional: z.boolean().default(false),
});
const modelSchema = z.union([
  listingIdSchema,
  z.strictObject({ input: parameterNameSchema, default: listingIdSchema }),
  z.strictObject({ item: parameterNameSchema, default: listingIdSchema }),
]);
const parametersSchema = z
  .record(parameterNameSchema, z.union([literalSchema, inputReferenceSchema, itemReferenceSchema]))
  .refine((record) => Object.keys(record).length <= MAX_PARAMETERS, `at most ${MAX_PARAMETERS} parameters`);
const imagesSchema = z
  .record(
    parameterNameSchema,
    z.union([
      z.strictObject({ step: keySchema }),
      z.strictObject({ input: parameterNameSchema }),
      z.strictObject({ item: parameterNameSchema }),
    ]),
  )
  .refine((record) => Object.keys(record).length <= 8, 'at most 8 images');
const mediaSchema = z
  .record(
    parameterNameSchema,
    z.union([
      z.strictObject({ kind: z.enum(MEDIA_KINDS), step: keySchema }),
      z.strictObject({ kind: z.enum(MEDIA_KINDS), input: parameterNameSchema }),
      z.strictObject({ kind: z.enum(MEDIA_KINDS), item: parameterNameSchema }),
    ]),
  )
  .refine((record) => Object.keys(record).length <= 8, 'at most 8 media');
/** Where several ways lead to the model, e.g. workflows on an own server: which one. */
const endpointSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}$/, 'the name of a configured endpoint');

/** Another model for the same step, used only when it is certain that the one before it was not paid for nothing. */
const fallbackSchema = z.strictObject({
  model: listingIdSchema,
  endpoint: endpointSchema.optional(),
  /** In place of the step's own, for a model that takes others. */
  parameters: parametersSchema.optional(),
});
export type Fallback = z.infer<typeof fallbackSchema>;

const anyStep = {
  key: keySchema,
  /** Images by parameter name: the output of another step, or an asset given as input of the run. */
  images: imagesSchema.default({}),
  /** Other media by parameter name, with the kind that is wanted. */
  media: mediaSchema.optional(),
  each: eachSchema.optional(),
  when: whenSchema.optional(),
  /** Whether the run goes on when the step fails. Without a word: yes for the instances of a list, no for one step. */
  onFailure: onFailureSchema.optional(),
};
const modelStepSchema = z.strictObject({
  ...anyStep,
  operation: z.enum(OPERATIONS),
  /** A model listing, or an input of the run that names one. */
  model: modelSchema,
  parameters: parametersSchema.default({}),
  endpoint: endpointSchema.optional(),
  retry: retrySchema.optional(),
  fallbacks: z.array(fallbackSchema).min(1).max(4).optional(),
});
const humanStepSchema = z.strictObject({ ...anyStep, operation: z.enum(HUMAN_OPERATIONS), ...humanFields });
export type ModelStep = z.infer<typeof modelStepSchema>;
export type HumanStep = z.infer<typeof humanStepSchema>;

export const stepDefinitionSchema = z.discriminatedUnion('operation', [modelStepSchema, humanStepSchema]);
export type StepDefinition = z.infer<typeof stepDefinitionSchema>;
export type StepOperation = Operation | HumanOperation;

export function isHuman(step: StepDefinition): step is HumanStep {
  return isHumanOperation(step.operation);
}

export function isHumanOperation(operation: StepOperation): operation is HumanOperation {
  return HUMAN_OPERATIONS.some((human) => human === operation);
}

export const pipelineDefinitionSchema = z.strictObject({ steps: z.array(stepDefinitionSchema).min(1) });
export type PipelineDefinition = z.infer<typeof pipelineDefinitionSchema>;

export const pipelineNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,59}$/, 'lower-case letters, digits and dashes, at most 60');

export type InputSource = { readonly kind: MediaKind } & (
  { readonly step: string } | { readonly input: string } | { readonly item: string }
);

/** Everything that a step works on, by parameter name. `images` are the media of the kind `image`. */
export function inputsOf(step: Pick<StepDefinition, 'images' | 'media'>): Record<string, InputSource> {
  const images = Object.entries(step.images).map(
    ([name, source]) => [name, { kind: 'image' as const, ...source }] as const,
  );
  return Object.fromEntries([...images, ...Object.entries(step.media ?? {})]);
}
