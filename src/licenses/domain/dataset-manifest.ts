import { z } from 'zod';
import { expirySchema, keySchema, rightsBasisSchema, territorySchema } from './rights.js';
import { threeValuedSchema } from './three-valued.js';

/** Training images that share one right. */
const imageGroupSchema = z.strictObject({
  basis: rightsBasisSchema,
  images: z.int().positive(),
  /** Does the right cover training a model? */
  trainingAllowed: threeValuedSchema,
  expiresAt: expirySchema,
});
export type ImageGroup = z.infer<typeof imageGroupSchema>;

/** The consent of one person shown in training images; it names a document, never the person. */
const trainingReleaseSchema = z.strictObject({
  reference: keySchema,
  /** Does it cover a digital replica, which a model trained on the person can make? */
  coversDigitalReplica: threeValuedSchema,
  expiresAt: expirySchema,
  /** Countries in which the person may be shown; absent: everywhere. */
  territory: territorySchema.exactOptional(),
});

/**
 * What the engine needs of the manifest of the images on which a LoRA or a fine-tune was trained. The manifest itself
 * (hash, source and right of each image) is kept by the registry; its SHA-256 stands in the listing.
 */
export const datasetManifestSchema = z.strictObject({
  images: z.int().positive(),
  rights: z.array(imageGroupSchema).max(100),
  releases: z.array(trainingReleaseSchema).max(1000),
  /** Do the images show people, or figures that can be taken for some? Absent means unknown. */
  showsPeople: threeValuedSchema.exactOptional(),
});
export type DatasetManifest = z.infer<typeof datasetManifestSchema>;
