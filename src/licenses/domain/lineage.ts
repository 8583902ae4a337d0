import { z } from 'zod';
import { fileSignalSchema } from './file-signals.js';
import { LINEAGE_ROLES, listingIdSchema } from './listing.js';
import { expirySchema, keySchema, rightsBasisSchema, territorySchema } from './rights.js';
import { PURPOSES } from './terms.js';
import { threeValuedSchema } from './three-valued.js';

/** Limits against hostile requests; a real lineage has about ten components. */
export const MAX_COMPONENTS = 200;
export const MAX_INPUTS = 100;

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

/** The consent of one person shown in an input. It names a document, never the person. */
const releaseSchema = z.strictObject({
  reference: keySchema,
  /** Does it cover alteration by AI (digital replica)? */
  coversAiAlteration: threeValuedSchema,
  expiresAt: expirySchema,
  /** Countries in which the person may be shown; absent: as wide as the right in the image. */
  territory: territorySchema.exactOptional(),
});

export const lineageInputSchema = z.strictObject({
  assetId: keySchema.exactOptional(),
  rightsBasis: rightsBasisSchema,
  /** Purposes for which the right was given. */
  allowedUses: z.union([z.literal('unknown'), z.array(z.enum(PURPOSES)).max(PURPOSES.length)]),
  /** May it be fed to a model, as declared? */
  aiInput: threeValuedSchema,
  territory: territorySchema,
  expiresAt: expirySchema,
  releases: z.array(releaseSchema).max(50).default([]),
  /** Reservations that this program read in the file; absent when none was found. */
  fileSignals: z.array(fileSignalSchema).max(40).exactOptional(),
});
export type LineageInput = z.infer<typeof lineageInputSchema>;

/** Everything that an output descends from. */
export const lineageSchema = z.strictObject({
  components: z.array(lineageComponentSchema).min(1).max(MAX_COMPONENTS),
  inputs: z.array(lineageInputSchema).max(MAX_INPUTS).default([]),
});
export type Lineage = z.infer<typeof lineageSchema>;
