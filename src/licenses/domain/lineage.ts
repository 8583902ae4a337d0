import { z } from 'zod';
import { countrySchema } from './countries.js';
import { LINEAGE_ROLES, listingIdSchema } from './listing.js';
import { dateSchema, PURPOSES } from './terms.js';
import { threeValuedSchema } from './three-valued.js';

/** Limits against hostile requests; a real lineage has about ten components. */
export const MAX_COMPONENTS = 200;
export const MAX_INPUTS = 100;

/** Printable ASCII: keys and ids of this program, never free text. */
const keySchema = z.string().regex(/^[\x20-\x7e]{1,80}$/);

/** One model, tool or channel that takes part in making the output. */
export const lineageComponentSchema = z.strictObject({
  listingId: listingIdSchema,
  role: z.enum(LINEAGE_ROLES),
  /** The pipeline step that uses it. */
  stepKey: keySchema,
  /** Whether an optional hidden component is used, by its listing id. Not stated means unknown. */
  optionalComponents: z.record(listingIdSchema, threeValuedSchema).exactOptional(),
});
export type LineageComponent = z.infer<typeof lineageComponentSchema>;

/** On what a reference image may be used. `produced-here`: an asset of this program; its own lineage is merged in. */
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

const territorySchema = z.union([
  z.literal('worldwide'),
  z.literal('unknown'),
  z.array(countrySchema).min(1).max(249),
]);
/** Last day of the right (inclusive), null when it has no end. */
const expirySchema = z.union([dateSchema, z.literal('unknown')]).nullable();

/** The consent of one person shown in an input. It names a document, never the person. */
const releaseSchema = z.strictObject({
  reference: keySchema,
  /** Does it cover alteration by AI (digital replica)? */
  coversAiAlteration: threeValuedSchema,
  expiresAt: expirySchema,
});

export const lineageInputSchema = z.strictObject({
  assetId: keySchema.exactOptional(),
  rightsBasis: z.enum(RIGHTS_BASES),
  /** Purposes for which the right was given. */
  allowedUses: z.union([z.literal('unknown'), z.array(z.enum(PURPOSES)).max(PURPOSES.length)]),
  /** May it be fed to a model? A file that opts out (`cawg.ai_inference: notAllowed`) is `no`. */
  aiInput: threeValuedSchema,
  territory: territorySchema,
  expiresAt: expirySchema,
  releases: z.array(releaseSchema).max(50).default([]),
});
export type LineageInput = z.infer<typeof lineageInputSchema>;

/** Everything that an output descends from. */
export const lineageSchema = z.strictObject({
  components: z.array(lineageComponentSchema).min(1).max(MAX_COMPONENTS),
  inputs: z.array(lineageInputSchema).max(MAX_INPUTS).default([]),
});
export type Lineage = z.infer<typeof lineageSchema>;
