import { z } from 'zod';

/**
 * What the C2PA library reports about a file, as far as we read it. Content of manifests is hostile: every field
 * may be missing; unknown fields are dropped.
 */
const text = z.string().optional().catch(undefined);

const status = z.object({ code: z.string(), url: text, explanation: text });
const statusList = z.array(status).optional().catch(undefined);

const statusCodes = z.object({ success: statusList, informational: statusList, failure: statusList });

const ingredientDelta = z.object({
  ingredientAssertionURI: z.string(),
  validationDeltas: statusCodes,
});

const validationResults = z
  .object({
    activeManifest: statusCodes.optional(),
    ingredientDeltas: z.array(ingredientDelta).optional(),
  })
  .optional();

const ingredient = z.object({
  title: text,
  format: text,
  relationship: text,
  active_manifest: text,
  label: text,
  description: text,
  data_types: z
    .array(z.object({ type: z.string() }))
    .optional()
    .catch(undefined),
  metadata: z.record(z.string(), z.unknown()).optional().catch(undefined),
  validation_results: validationResults.catch(undefined),
  /** Before claim version 2: failures only. */
  validation_status: z.array(status).optional().catch(undefined),
});

const assertion = z.object({
  label: z.string(),
  data: z.unknown(),
  created: z.boolean().optional().catch(undefined),
});

const generatorInfo = z.object({ name: text, version: text });

const manifest = z.object({
  title: text,
  format: text,
  claim_version: z.number().optional().catch(undefined),
  claim_generator: text,
  claim_generator_info: z.array(generatorInfo).optional().catch(undefined),
  ingredients: z.array(ingredient).optional().catch(undefined),
  assertions: z.array(assertion).optional().catch(undefined),
  /** JUMBF URIs of parts of other manifests that this one took out. */
  redactions: z.array(z.string()).optional().catch(undefined),
  signature_info: z
    .object({ alg: text, issuer: text, common_name: text, time: text, cert_serial_number: text })
    .optional()
    .catch(undefined),
});

export const manifestStoreReport = z.object({
  active_manifest: z.string().optional(),
  manifests: z.record(z.string(), manifest).default({}),
  validation_results: validationResults,
  validation_state: z.enum(['Invalid', 'Valid', 'Trusted']).optional(),
});

/** `softwareAgent` is text in old manifests and an object in new ones. */
export const actionsData = z.object({
  allActionsIncluded: z.boolean().optional().catch(undefined),
  actions: z.array(
    z.object({
      action: z.string(),
      when: text,
      digitalSourceType: text,
      description: text,
      softwareAgent: z.union([z.string(), generatorInfo]).optional().catch(undefined),
    }),
  ),
});

export type ManifestStoreReport = z.infer<typeof manifestStoreReport>;
export type ReportedManifest = z.infer<typeof manifest>;
export type ReportedIngredient = z.infer<typeof ingredient>;
export type ReportedStatusCodes = z.infer<typeof statusCodes>;
export type ReportedValidation = z.infer<typeof validationResults>;
