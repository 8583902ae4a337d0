import { z } from 'zod';

/**
 * The parts of dossier.json that repeat what the log recorded. Everything else in it is the collector's word, so a
 * verifier neither needs nor checks its form: later versions may say more.
 */
const removalSchema = z.object({ cause: z.string(), entryIndex: z.number() });
const assetSchema = z.object({
  id: z.string(),
  mode: z.enum(['live', 'test']),
  sha256: z.string(),
  originalSha256: z.string(),
  claimSha256: z.string(),
  manifestSha256: z.string(),
  manifestLabel: z.string(),
  certificateSha256: z.string().optional(),
  timeStamp: z.record(z.string(), z.string()).optional(),
  mediaType: z.string(),
  sizeBytes: z.number(),
  digitalSourceType: z.string().optional(),
  parents: z.array(z.object({ assetId: z.string(), relationship: z.string() })),
  contentRemoved: removalSchema.optional(),
  entryIndex: z.number(),
});
export type CheckedAsset = z.infer<typeof assetSchema>;

const proofSchema = z.object({
  id: z.string(),
  outcome: z.string(),
  text: z.string().optional(),
  url: z.string().optional(),
  evidenceAssetId: z.string().optional(),
  evidenceSha256: z.string().optional(),
  entryIndex: z.number(),
});

const obligationSchema = z.object({
  id: z.string(),
  sha256: z.string(),
  state: z.string(),
  /** Whatever it says is hashed as it stands. */
  obligation: z.record(z.string(), z.json()),
  proofs: z.array(proofSchema),
});
export type CheckedObligation = z.infer<typeof obligationSchema>;

const shortText = z.string().max(10_000);
/** Of an obligation that is named by what it says: everything that says it. */
export const readObligationSchema = z.looseObject({
  v: z.number(),
  source: shortText,
  key: shortText,
  kind: shortText,
  text: shortText,
  where: shortText,
  owedBy: shortText,
  who: shortText,
  due: shortText,
  listingId: shortText.nullable(),
  citation: z.looseObject({ title: shortText, section: shortText.nullable() }).nullable(),
  applies: shortText,
  findOut: z.array(shortText).max(100),
  inForceOn: shortText.nullable(),
  transitionUntil: shortText.nullable(),
  exemptions: z.array(shortText).max(100),
  systemProof: z.looseObject({ extent: shortText }).nullable(),
});

const laterObligationSchema = obligationSchema.extend({ since: z.enum(['added', 'changed', 'earlier']) });
export type CheckedLaterObligation = z.infer<typeof laterObligationSchema>;

const signatureKeySchema = z.object({ id: z.string(), entryIndex: z.number() });
const contributionSchema = z.object({
  id: z.string(),
  assetId: z.string(),
  parentAssetId: z.string(),
  actionType: z.string(),
  basis: z.string(),
  capture: z.string(),
  statement: z.string().optional(),
  beforeSha256: z.string(),
  afterSha256: z.string(),
  entryIndex: z.number(),
  // Records of older versions have none of these.
  engagement: z.string().optional(),
  assignment: z.string().optional(),
  record: z.string().optional(),
  signature: z.string().optional(),
  signatureKey: signatureKeySchema.optional(),
  differenceSha256: z.string().optional(),
  shown: z.array(z.string()).optional(),
  corrections: z
    .array(
      z.object({
        id: z.string(),
        kind: z.string(),
        actionType: z.string().optional(),
        basis: z.string().optional(),
        text: z.string().optional(),
        signature: z.string().optional(),
        signatureKey: signatureKeySchema.optional(),
        entryIndex: z.number(),
      }),
    )
    .optional(),
  attachments: z
    .array(
      z.object({
        id: z.string(),
        kind: z.string(),
        sha256: z.string(),
        sizeBytes: z.number(),
        entryIndex: z.number(),
        removed: removalSchema.optional(),
      }),
    )
    .optional(),
});
export type CheckedContribution = z.infer<typeof contributionSchema>;

const examinationSchema = z.object({
  id: z.string(),
  assetId: z.string(),
  question: z.string(),
  result: z.string(),
  examinedOn: z.string(),
  tool: z.record(z.string(), z.string()).optional(),
  matter: z.array(z.record(z.string(), z.string())).optional(),
  index: z.string().optional(),
  matches: z.number().optional(),
  text: z.string().optional(),
  document: z.string().optional(),
  evidenceAssetId: z.string().optional(),
  evidenceSha256: z.string().optional(),
  entryIndex: z.number(),
});
export type CheckedExamination = z.infer<typeof examinationSchema>;

const claimSchema = z.object({
  id: z.string(),
  assetId: z.string(),
  kind: z.string(),
  receivedOn: z.string(),
  respondBy: z.string().optional(),
  claimant: z.string().optional(),
  text: z.string().optional(),
  evidenceSha256: z.string().optional(),
  state: z.string(),
  entryIndex: z.number(),
  answers: z.array(
    z.object({
      id: z.string(),
      outcome: z.string(),
      text: z.string().optional(),
      evidenceSha256: z.string().optional(),
      entryIndex: z.number(),
    }),
  ),
});
export type CheckedClaim = z.infer<typeof claimSchema>;
const storyboardSchema = z.object({
  id: z.string(),
  version: z.number(),
  assetIds: z.array(z.string()),
  rationale: z.string().optional(),
  entryIndex: z.number(),
});

const reviewSchema = z.object({
  decision: z.string(),
  comment: z.string().optional(),
  entryIndex: z.number(),
});

const witnessSchema = z.object({ name: z.string(), key: z.string(), cosignedAt: z.string().optional() });
export type CheckedWitness = z.infer<typeof witnessSchema>;

export const checkedDossierSchema = z.object({
  v: z.literal(1),
  reportId: z.string(),
  createdAt: z.string(),
  asset: assetSchema,
  chain: z.array(assetSchema),
  runs: z.array(
    z.object({
      id: z.string(),
      prompt: z.string().optional(),
      clearance: z.object({
        id: z.string(),
        decision: z.string(),
        engineVersion: z.string(),
        termsSha256: z.string(),
        inputSha256: z.string(),
        entryIndex: z.number(),
      }),
    }),
  ),
  contributions: z.array(contributionSchema),
  // Reports of before they were shown have none.
  storyboards: z.array(storyboardSchema).optional(),
  // Absent where they were not worked out when the asset was signed.
  obligations: z
    .object({
      sha256: z.string(),
      calendarSha256: z.string(),
      items: z.array(obligationSchema),
      // Reports of before they could be proved have none.
      later: z.array(laterObligationSchema).optional(),
    })
    .optional(),
  // Reports of before there were any have neither.
  examinations: z.array(examinationSchema).optional(),
  claims: z.array(claimSchema).optional(),
  review: reviewSchema.optional(),
  // Reports of before there could be several have none.
  reviews: z.array(reviewSchema).optional(),
  recall: z.object({ reason: z.string(), text: z.string().optional(), entryIndex: z.number() }).optional(),
  release: z.object({ entryIndex: z.number() }).optional(),
  log: z.object({
    origin: z.string(),
    vkey: z.string(),
    treeSize: z.number(),
    rootHash: z.string(),
    checkpointNote: z.string(),
    entries: z.array(
      z.object({ index: z.number(), type: z.string(), recordedAt: z.string(), subject: z.string() }),
    ),
    // Reports of format 1 had neither.
    witnessing: z
      .object({
        policy: z.string(),
        isMet: z.boolean().optional(),
        witnesses: z.array(witnessSchema),
      })
      .optional(),
    timeStamps: z
      .array(z.object({ authority: z.string(), at: z.string(), tokenSha256: z.string() }))
      .optional(),
  }),
});
export type CheckedDossier = z.infer<typeof checkedDossierSchema>;
