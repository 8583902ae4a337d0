import { z } from 'zod';

/** The words of which definitions of pipelines are made. */

const MAX_TEXT = 4_000;

export const keySchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'lower-case letters, digits and dashes, at most 40');
export const parameterNameSchema = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9_]{0,39}$/, 'letters, digits and underscores, at most 40');

/** Neither NUL nor unpaired surrogates: such text has no canonical bytes, and no vendor takes it. */
const textSchema = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .refine((text) => !/[\0\p{Cs}]/u.test(text), 'must not hold NUL or unpaired surrogates');
export const literalSchema = z.union([
  textSchema(MAX_TEXT),
  z.number(),
  z.boolean(),
  z.array(z.union([textSchema(200), z.number()])).max(20),
]);
export type Literal = z.infer<typeof literalSchema>;
/**
 * What an input of a run may hold beside that, as vendors take it: `{"width": 512, "height": 768}`, a voice with its
 * settings, a list of shots. Never in a definition, where an object is a reference. Policies read every text in it
 * ({@link textsIn}).
 */
export type RunValue =
  string | number | boolean | readonly RunValue[] | { readonly [name: string]: RunValue };

/** Every text in a value, however deep. */
export function textsIn(value: RunValue | undefined): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object') return [];
  return Object.values<RunValue>(value).flatMap(textsIn);
}

export const listingIdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,79}@[a-z0-9-]{1,40}$/, 'a model listing such as flux-1-schnell@fal');

/** `variant.17` is the seventeenth instance of the step `variant`: keys of definitions hold no dot. */
export function instanceKey(key: string, instance: number | undefined): string {
  return instance === undefined ? key : `${key}.${instance}`;
}

export function definitionKeyOf(key: string): string {
  return key.split('.')[0] ?? key;
}
