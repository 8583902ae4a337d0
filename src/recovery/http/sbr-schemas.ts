import { z } from 'zod';
import { MAX_VALUE_LENGTH } from '../domain/soft-binding-value.js';

/** Names and limits of the C2PA Soft Binding Resolution API, 2.2 and 2.4. Unknown parameters are ignored, as on the web. */
const maxResults = z.coerce.number().int().min(1).max(1_000_000).default(10);
const algorithm = z.string().min(1).max(100);
const value = z.string().min(1).max(MAX_VALUE_LENGTH);

/** The length of `value` is looked at by hand: a long one has a status of its own. */
export const byBindingQuerySchema = z.object({ value: z.string().min(1), alg: algorithm, maxResults });
export const bindingBodySchema = z.object({ value, alg: algorithm }).meta({ id: 'SoftBindingQuery' });
export const maxResultsQuerySchema = z.object({ maxResults });
export const byContentQuerySchema = z.object({
  alg: algorithm.optional(),
  hintAlg: algorithm.optional(),
  hintValue: value.optional(),
  maxResults,
});
export const referenceBodySchema = z
  .object({
    referenceUrl: z
      .string()
      .max(2_000)
      .regex(/^https:\/\//, 'an https address'),
    assetLength: z.int().positive(),
    assetType: z.string().max(200).optional(),
    region: z.array(z.unknown()).max(100).optional(),
  })
  .meta({ id: 'SoftBindingReference' });
export const manifestQuerySchema = z.object({
  returnActiveManifest: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
});
