import { z } from 'zod';
import { id, identifier, name, sha256Hex, sizeBytes, token } from '../entry-fields.js';
import { fileReading } from './asset-entries.js';
import { MAX_SHOWN_IN_ENTRY } from './run-entries.js';

/** Of a longer chain of edits the first ones. */
export const MAX_TRACELESS_IN_ENTRY = 200;

/** What people contributed, and what others said to it. */
export const HUMAN_WORK_ENTRIES = {
  'contribution.recorded': z.strictObject({
    assetId: id,
    parentAssetId: id,
    actionType: token,
    basis: token,
    capture: token,
    /** Of a selection: what was shown, the chosen one among it. */
    shown: z.array(id).min(1).max(MAX_SHOWN_IN_ENTRY).optional(),
    ...fileReading,
    /** Whose work; absent in entries of older versions, where it is the holder of the acting key. */
    contributorId: id.optional(),
    engagement: token.optional(),
    assignment: token.optional(),
    beforeSha256: sha256Hex.optional(),
    afterSha256: sha256Hex.optional(),
    /** Computed from the two files; absent where they are no pictures that can be compared. */
    change: z
      .strictObject({
        left: z.int().nonnegative(),
        top: z.int().nonnegative(),
        width: z.int().positive(),
        height: z.int().positive(),
        changedPixels: z.int().positive(),
        /** `changed`, or what the change comes down to; absent in entries of older versions. */
        kind: token.optional(),
        differenceSha256: sha256Hex,
      })
      .optional(),
    /**
     * Acts of which nothing is left in the new file, compared with the last version that no person made; it may be among
     * them itself. Absent where the parent is that version, where it was not found out, and in older entries.
     */
    traceless: z.array(id).max(MAX_TRACELESS_IN_ENTRY).optional(),
    /** The sealed record carries the contributor's sealed signature by this registered key. */
    signatureKeyId: id.optional(),
  }),
  /**
   * The contributor says otherwise, signs the record later, or an act is not to be counted any more. The record stays as
   * it was made; of several corrections the last of a kind counts.
   */
  'contribution.corrected': z.strictObject({
    contributionId: id,
    correctionId: id,
    ordinal: z.int().positive(),
    kind: z.enum(['amended', 'withdrawn', 'signed']),
    actionType: token.optional(),
    basis: token.optional(),
    signatureKeyId: id.optional(),
  }),
  /** A file that shows how the work was done. Not sealed: it lies in the store under its hash. */
  'contribution.attached': z.strictObject({
    contributionId: id,
    attachmentId: id,
    kind: token,
    sha256: sha256Hex,
    sizeBytes,
  }),
  /** Such a file, or the picture of what changed, was given to the actor. Committed before the first byte left. */
  'contribution.file_read': z.strictObject({ contributionId: id, sha256: sha256Hex }),
  /** From now on this person's records may be signed with this key (RFC 7517); they showed that they have it. */
  'signature_key.registered': z.strictObject({
    keyId: id,
    principalId: id,
    algorithm: z.enum(['ES256', 'EdDSA']),
    thumbprint: sha256Hex,
    jwk: z.strictObject({ kty: token, crv: token, x: identifier, y: identifier.optional() }),
  }),
  /** From now on nothing is taken that it signs. */
  'signature_key.revoked': z.strictObject({
    keyId: id,
    principalId: id,
    reason: z.enum(['superseded', 'lost', 'compromised', 'left']),
  }),
  /** Assets in the order that a person gave them; each change is a new version. */
  'storyboard.ordered': z.strictObject({
    storyboardId: id,
    version: z.int().positive(),
    projectId: id,
    assetIds: z.array(id).min(2).max(200),
  }),
  /** What a use case asks for before a release, from now on. */
  'use_case.review_set': z.strictObject({
    projectId: id,
    useCase: name,
    approvals: z.int().min(1).max(2),
    humanContribution: z.boolean(),
    checklist: z.boolean(),
  }),
  'review.requested': z.strictObject({
    assetId: id,
    sha256: sha256Hex,
    risk: token,
    useCaseId: id.optional(),
  }),
  'review.commented': z.strictObject({ assetId: id, commentId: id }),
  'review.decided': z.strictObject({
    assetId: id,
    decision: token,
    sha256: sha256Hex,
    /**
     * What the reviewer was shown to look at: SHA-256 of the canonical JSON of the list of its points, how many there
     * were, and how many the reviewer confirmed. Absent in entries of older versions.
     */
    checklist: z
      .strictObject({
        sha256: sha256Hex,
        items: z.int().nonnegative(),
        confirmed: z.int().nonnegative(),
      })
      .optional(),
  }),
};
