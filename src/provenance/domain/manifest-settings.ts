import { z } from 'zod';

export const TRAINING_MINING_ACTS = [
  'dataMining',
  'aiTraining',
  'aiGenerativeTraining',
  'aiInference',
] as const;
export type TrainingMiningAct = (typeof TRAINING_MINING_ACTS)[number];

const plainText = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^\P{C}+$/u, 'no control characters');

/** CAWG Training and Data Mining 1.1: a condition belongs to `constrained`, and without one that means `notAllowed`. */
const permissionSchema = z
  .strictObject({
    use: z.enum(['allowed', 'notAllowed', 'constrained']),
    constraintInfo: plainText(500).exactOptional(),
  })
  .refine(({ use, constraintInfo }) => (use === 'constrained') === (constraintInfo !== undefined), {
    message: 'constraintInfo belongs to constrained, and only to it',
  });
export type TrainingMiningPermission = z.infer<typeof permissionSchema>;

/** What the manifests and files of a project say on the organization's behalf. */
export const manifestSettingsSchema = z.strictObject({
  /** Whether others may mine or train on what this project makes; null says nothing. */
  trainingMining: z.strictObject({
    dataMining: permissionSchema.nullable(),
    aiTraining: permissionSchema.nullable(),
    aiGenerativeTraining: permissionSchema.nullable(),
    aiInference: permissionSchema.nullable(),
  }),
  /** Under which terms the files may be used, in words for people. */
  usageTerms: plainText(1000).nullable(),
  /** Whether people who edit are named in the file that leaves: a name is personal data that can never be called back. */
  nameContributors: z.enum(['never', 'on_request', 'always']),
  /** Whether the person who wrote the prompt is named (IPTC AIPromptWriterName). The prompt itself is never written. */
  namePromptWriters: z.boolean(),
  /** The producer code of the implicit label that China asks for; null writes none. */
  chinaContentProducer: plainText(100).nullable(),
});
export type ManifestSettings = z.infer<typeof manifestSettingsSchema>;

/** Nothing is given away, nobody is named. Whether a file may be an input is left to its license. */
export const DEFAULT_MANIFEST_SETTINGS: ManifestSettings = {
  trainingMining: {
    dataMining: { use: 'notAllowed' },
    aiTraining: { use: 'notAllowed' },
    aiGenerativeTraining: { use: 'notAllowed' },
    aiInference: null,
  },
  usageTerms: null,
  nameContributors: 'on_request',
  namePromptWriters: false,
  chinaContentProducer: null,
};

/** What a manifest says beside the work itself. */
export interface ManifestContext {
  readonly organizationName: string;
  readonly settings: ManifestSettings;
  readonly logOrigin: string;
}
