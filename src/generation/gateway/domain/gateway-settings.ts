import { z } from 'zod';
import { rightsDeclarationSchema } from '../../../assets/domain/rights-declaration.js';
import { runFactsSchema } from '../../../licenses/domain/run-facts.js';

/** Bases that declare a right. `produced-here` is found out by looking, never declared. */
const DECLARED_BASES = [
  'owned',
  'work-for-hire',
  'assigned',
  'licensed',
  'client-supplied',
  'public-domain',
  'creative-commons',
  'consent',
] as const;

/**
 * What is true of every call that comes through the gateway into one use case. An SDK cannot say any of it, so a person
 * who answers for it says it beforehand. Nothing has a default that allows.
 */
export const gatewaySettingsSchema = z.strictObject({
  open: z.boolean().describe('false: no call is taken'),
  facts: runFactsSchema.describe('facts of every run; generatedOn is always the day of the call'),
  inputRights: rightsDeclarationSchema
    .refine(({ rightsBasis }) => DECLARED_BASES.some((basis) => basis === rightsBasis), {
      path: ['rightsBasis'],
      message: `must be one of ${DECLARED_BASES.join(', ')}`,
    })
    .nullable()
    .describe(
      'rights in every picture that an SDK sends and that was not made here; null: such pictures are refused',
    ),
});
/** Complete, every default filled in: these are the bytes that are stored and hashed. */
export type GatewaySettings = z.output<typeof gatewaySettingsSchema>;
