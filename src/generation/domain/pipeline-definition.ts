import { z } from 'zod';
import { ColophonError } from '../../shared/errors.js';
import { MEDIA_KINDS, type MediaKind, named } from './media-kind.js';
import { OPERATION_FACTS, OPERATIONS } from './operation.js';

/** Limits against hostile definitions; real pipelines have a handful of steps. */
export const MAX_STEPS = 40;
const MAX_PARAMETERS = 40;
const MAX_TEXT = 4_000;

const keySchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'lower-case letters, digits and dashes, at most 40');
const parameterNameSchema = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9_]{0,39}$/, 'letters, digits and underscores, at most 40');

/** Neither NUL nor unpaired surrogates: such text has no canonical bytes, and no vendor takes it. */
const textSchema = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .refine((text) => !/[\0\p{Cs}]/u.test(text), 'must not hold NUL or unpaired surrogates');
const literalSchema = z.union([
  textSchema(MAX_TEXT),
  z.number(),
  z.boolean(),
  z.array(z.union([textSchema(200), z.number()])).max(20),
]);
export type Literal = z.infer<typeof literalSchema>;

/**
 * `{"input": "prompt"}`: taken from the inputs of the run. Without a default the input must be given, unless it is
 * optional: then the parameter is left out.
 */
const inputReferenceSchema = z.strictObject({
  input: parameterNameSchema,
  default: literalSchema.optional(),
  optional: z.boolean().default(false),
});
const listingIdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,79}@[a-z0-9-]{1,40}$/, 'a model listing such as flux-1-schnell@fal');

export const stepDefinitionSchema = z.strictObject({
  key: keySchema,
  operation: z.enum(OPERATIONS),
  /** A model listing, or an input of the run that names one. */
  model: z.union([listingIdSchema, z.strictObject({ input: parameterNameSchema, default: listingIdSchema })]),
  parameters: z
    .record(parameterNameSchema, z.union([literalSchema, inputReferenceSchema]))
    .refine((record) => Object.keys(record).length <= MAX_PARAMETERS, `at most ${MAX_PARAMETERS} parameters`)
    .default({}),
  /** Images by parameter name: the output of another step, or an asset given as input of the run. */
  images: z
    .record(
      parameterNameSchema,
      z.union([z.strictObject({ step: keySchema }), z.strictObject({ input: parameterNameSchema })]),
    )
    .refine((record) => Object.keys(record).length <= 8, 'at most 8 images')
    .default({}),
  /** Other media by parameter name, with the kind that is wanted. */
  media: z
    .record(
      parameterNameSchema,
      z.union([
        z.strictObject({ kind: z.enum(MEDIA_KINDS), step: keySchema }),
        z.strictObject({ kind: z.enum(MEDIA_KINDS), input: parameterNameSchema }),
      ]),
    )
    .refine((record) => Object.keys(record).length <= 8, 'at most 8 media')
    .optional(),
  /** Where several ways lead to the model, e.g. workflows on an own server: which one. */
  endpoint: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}$/, 'the name of a configured endpoint')
    .optional(),
});
export type StepDefinition = z.infer<typeof stepDefinitionSchema>;

export const pipelineDefinitionSchema = z.strictObject({ steps: z.array(stepDefinitionSchema).min(1) });
export type PipelineDefinition = z.infer<typeof pipelineDefinitionSchema>;

export const pipelineNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,59}$/, 'lower-case letters, digits and dashes, at most 60');

export type InputSource = { readonly kind: MediaKind } & (
  { readonly step: string } | { readonly input: string }
);

/** Everything that a step works on, by parameter name. `images` are the media of the kind `image`. */
export function inputsOf(step: Pick<StepDefinition, 'images' | 'media'>): Record<string, InputSource> {
  const images = Object.entries(step.images).map(
    ([name, source]) => [name, { kind: 'image' as const, ...source }] as const,
  );
  return Object.fromEntries([...images, ...Object.entries(step.media ?? {})]);
}

/** Steps whose output this step needs, without repetition. */
export function dependenciesOf(step: StepDefinition): string[] {
  return [
    ...new Set(Object.values(inputsOf(step)).flatMap((source) => ('step' in source ? [source.step] : []))),
  ];
}

/**
 * Checks what a schema cannot: keys are unique, references resolve, no step waits for itself.
 * @throws ColophonError `pipeline_too_large`, `pipeline_invalid`, `pipeline_cyclic`
 */
export function checkPipeline(definition: PipelineDefinition): void {
  if (definition.steps.length > MAX_STEPS) {
    throw new ColophonError(
      'pipeline_too_large',
      `The pipeline has ${definition.steps.length} steps; the limit is ${MAX_STEPS}.`,
    );
  }
  const keys = new Set<string>();
  for (const { key } of definition.steps) {
    if (keys.has(key)) throw new ColophonError('pipeline_invalid', `Two steps have the key "${key}".`);
    keys.add(key);
  }
  for (const step of definition.steps) {
    const twice = Object.keys(step.media ?? {}).find((name) => Object.hasOwn(step.images, name));
    if (twice !== undefined) {
      throw new ColophonError(
        'pipeline_invalid',
        `Step "${step.key}" names "${twice}" twice, among its images and its media.`,
      );
    }
    const missing = dependenciesOf(step).find((dependency) => !keys.has(dependency));
    if (missing !== undefined) {
      throw new ColophonError(
        'pipeline_invalid',
        `Step "${step.key}" takes its image from step "${missing}", which does not exist.`,
      );
    }
  }
  requireFittingKinds(definition);
  const cycle = findCycle(definition);
  if (cycle)
    throw new ColophonError('pipeline_cyclic', `These steps wait for each other: ${cycle.join(' -> ')}.`);
}

/** A step that wants a picture cannot work on the video that another step makes. */
function requireFittingKinds(definition: PipelineDefinition): void {
  const makes = new Map(
    definition.steps.map(({ key, operation }) => [key, OPERATION_FACTS[operation].makes]),
  );
  for (const step of definition.steps) {
    for (const [name, source] of Object.entries(inputsOf(step))) {
      const made = 'step' in source ? makes.get(source.step) : undefined;
      if (made === undefined || made === source.kind) continue;
      throw new ColophonError(
        'pipeline_invalid',
        `Step "${step.key}" needs ${named(source.kind)} as "${name}", but "${'step' in source ? source.step : ''}" makes ${named(made)}.`,
      );
    }
  }
}

/** Removes steps that wait for nothing until none is left (Kahn, 1962); what remains contains a cycle. */
function findCycle(definition: PipelineDefinition): string[] | undefined {
  const waiting = new Map(definition.steps.map((step) => [step.key, new Set(dependenciesOf(step))]));
  for (let removed = true; removed;) {
    removed = false;
    for (const [key, dependencies] of waiting) {
      if ([...dependencies].some((dependency) => waiting.has(dependency))) continue;
      waiting.delete(key);
      removed = true;
    }
  }
  const [start] = waiting.keys();
  if (start === undefined) return undefined;
  const path: string[] = [];
  for (let key = start; !path.includes(key);) {
    path.push(key);
    key = [...(waiting.get(key) ?? [])].find((dependency) => waiting.has(dependency)) ?? start;
  }
  return path;
}
