import { z } from 'zod';
import { countrySchema } from './countries.js';
import { dateSchema } from './terms.js';

/** On what an image may be used. `produced-here`: an asset of this program; its own lineage is merged in. */
export const RIGHTS_BASES = [
  'owned',
  'work-for-hire',
  'assigned',
  'licensed',
  'client-supplied',
  'public-domain',
  'creative-commons',
  'consent',
  'produced-here',
  'none',
  'unknown',
] as const;
export type RightsBasis = (typeof RIGHTS_BASES)[number];
export const rightsBasisSchema = z.enum(RIGHTS_BASES);

/** Creative Commons licenses by their names in the SPDX list: what each of them asks for stands in its name. */
export const creativeCommonsSchema = z
  .string()
  .regex(
    /^CC(0-1\.0|-BY(-NC)?(-ND|-SA)?-(1|2|3|4)\.[05])$/,
    'a Creative Commons license by its SPDX id, e.g. CC-BY-4.0 or CC0-1.0',
  );

/** Last day of a right (inclusive), null when it has no end. */
export const expirySchema = z.union([dateSchema, z.literal('unknown')]).nullable();
export type Expiry = z.infer<typeof expirySchema>;

export const territorySchema = z.union([
  z.literal('worldwide'),
  z.literal('unknown'),
  z.array(countrySchema).min(1).max(249),
]);

/** Printable ASCII: keys and ids of this program, never free text. */
export const keySchema = z.string().regex(/^[\x20-\x7e]{1,80}$/);
