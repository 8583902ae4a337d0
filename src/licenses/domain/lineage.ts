import { z } from 'zod';
import { fileSignalSchema, SIGNAL_PLACES } from './file-signals.js';
import { LINEAGE_ROLES, listingIdSchema } from './listing.js';
import {
  creativeCommonsSchema,
  expirySchema,
  keySchema,
  rightsBasisSchema,
  territorySchema,
} from './rights.js';
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
  reference: keySchema.describe('the document; never the name of the person'),
  coversAiAlteration: threeValuedSchema.describe('does it cover alteration by AI (digital replica)?'),
  expiresAt: expirySchema.describe('its last day; null when it has no end'),
  territory: territorySchema
    .exactOptional()
    .describe('countries in which the person may be shown; absent: as wide as the right in the image'),
});

export const lineageInputSchema = z.strictObject({
  assetId: keySchema.exactOptional(),
  rightsBasis: rightsBasisSchema.describe('on what the use of the image rests'),
  creativeCommons: creativeCommonsSchema
    .exactOptional()
    .describe(
      'the Creative Commons license that it is under, by its SPDX id; needed for rightsBasis creative-commons',
    ),
  allowedUses: z
    .union([z.literal('unknown'), z.array(z.enum(PURPOSES)).max(PURPOSES.length)])
    .describe('purposes for which the right was given'),
  aiInput: threeValuedSchema.describe('may it be fed to a model, as declared?'),
  territory: territorySchema.describe('where the work that holds it may be shown'),
  expiresAt: expirySchema.describe('last day of the right; null when it has no end'),
  showsPeople: threeValuedSchema
    .exactOptional()
    .describe('does it show a person, or a figure that can be taken for one? Absent means unknown'),
  releases: z.array(releaseSchema).max(50).default([]).describe('consents of persons shown'),
  /** Nobody here has read it: what would be denied goes to a person instead, and is never allowed by it alone. */
  permissionReference: keySchema
    .exactOptional()
    .describe('document in which the rights holder permits what the file reserves'),
  fileSignals: z
    .array(fileSignalSchema)
    .max(40)
    .exactOptional()
    .describe('reservations that were read in the file; absent when none was found'),
  unreadPlaces: z
    .array(z.enum(SIGNAL_PLACES))
    .max(SIGNAL_PLACES.length)
    .exactOptional()
    .describe('places of the file that could not be read: what they reserve is unknown'),
  goesInto: z
    .array(listingIdSchema)
    .max(MAX_COMPONENTS)
    .exactOptional()
    .describe('listings that get this picture, or something made from it; absent: all that are named may'),
});
export type LineageInput = z.infer<typeof lineageInputSchema>;

/** Everything that an output descends from. */
export const lineageSchema = z
  .strictObject({
    components: z.array(lineageComponentSchema).min(1).max(MAX_COMPONENTS),
    inputs: z.array(lineageInputSchema).max(MAX_INPUTS).default([]),
  })
  .superRefine(({ components, inputs }, context) => {
    const named = new Set(components.map(({ listingId }) => listingId));
    for (const [i, { goesInto = [] }] of inputs.entries()) {
      if (goesInto.every((id) => named.has(id))) continue;
      const path = ['inputs', i, 'goesInto'];
      context.addIssue({ code: 'custom', path, message: 'must name listings of the components' });
    }
  });
export type Lineage = z.infer<typeof lineageSchema>;
