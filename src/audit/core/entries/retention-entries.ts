import { z } from 'zod';
import { id, sha256Hex, token } from '../entry-fields.js';

/** Why a person's values were erased: never in free words, which would be personal data again. */
export const ERASURE_REASONS = ['data_subject_request', 'retention_ended', 'court_order'] as const;

export type ErasureReason = (typeof ERASURE_REASONS)[number];

/** What a legal hold can be on. */
export const HOLD_SCOPES = ['organization', 'data_subject', 'asset', 'run', 'project'] as const;

export type HoldScopeKind = (typeof HOLD_SCOPES)[number];

/** 1,000 ids of 36 characters leave an entry below its 65,535 bytes. */
export const MAX_ERASED_IN_ENTRY = 1000;

/** Of what bytes or sealed words can be removed: `captured` is what a step brought of which no asset was made. */
export const REMOVED_KINDS = ['asset', 'captured', 'attachment', 'report', 'prompts'] as const;

export type RemovedKind = (typeof REMOVED_KINDS)[number];

/** Two lists of 400 hashes of 67 characters leave an entry below its 65,535 bytes. */
export const MAX_HASHES_IN_ENTRY = 400;

/** What is kept, what was removed, and what must not be. */
export const RETENTION_ENTRIES = {
  /**
   * All sealed values of one person, their key and their name are gone. Entries and commitments stay. Of a person
   * with many values there are several parts, written together.
   */
  'opening.erased': z.strictObject({
    subjectId: id,
    reason: z.enum(ERASURE_REASONS),
    /** Values erased in all parts together. */
    openings: z.int().nonnegative(),
    /** The entries whose values are gone, of this part. */
    entryIds: z.array(id).max(MAX_ERASED_IN_ENTRY),
    part: z.int().positive(),
    parts: z.int().positive(),
  }),
  /**
   * From when on what is removed by itself, of a kind and in a scope: the organization or one project. `inherit`: what
   * the organization says counts for the project again. A rule by which things are removed begins to count later.
   */
  'retention.rule_set': z.strictObject({
    kind: token,
    scopeId: id,
    version: z.int().positive(),
    action: z.enum(['remove', 'keep', 'inherit']),
    days: z.int().nonnegative().optional(),
    since: z.enum(['created', 'last_release', 'campaign_end']).optional(),
    campaignEndsOn: token.optional(),
    evidence: z.enum(['keep', 'remove']).optional(),
    effectiveFrom: z.iso.datetime(),
  }),
  /**
   * From now on this program gives the bytes, or the sealed words, out to nobody. `sha256` names the files, which are
   * deleted next. `thingId` where the subject is not the thing itself: an attachment of a contribution.
   */
  'content.removed': z.strictObject({
    removalId: id,
    kind: z.enum(REMOVED_KINDS),
    thingId: id.optional(),
    cause: z.enum(['retention', 'erasure']),
    rule: z.strictObject({ kind: token, scopeId: id, version: z.int().positive() }).optional(),
    reason: z.enum(ERASURE_REASONS).optional(),
    sha256: z.array(sha256Hex).max(MAX_HASHES_IN_ENTRY),
  }),
  /** A legal hold came before the bytes were deleted: they are given out again. */
  'content.restored': z.strictObject({ removalId: id, kind: z.enum(REMOVED_KINDS), thingId: id.optional() }),
  /** What one step of removal by a kind of rule took; each thing has its own `content.removed`. */
  'retention.applied': z.strictObject({
    kind: token,
    things: z.int().positive(),
    files: z.int().nonnegative(),
  }),
  /** The files of a removal are deleted from the store. `kept`: something that stays has the same bytes. */
  'content.files_deleted': z.strictObject({
    deleted: z.array(sha256Hex).max(MAX_HASHES_IN_ENTRY),
    kept: z.array(sha256Hex).max(MAX_HASHES_IN_ENTRY),
  }),

  /** From now until it is lifted nothing that it covers is erased. */
  'legal_hold.placed': z.strictObject({ scopeKind: z.enum(HOLD_SCOPES), scopeId: id.optional() }),
  'legal_hold.lifted': z.strictObject({ scopeKind: z.enum(HOLD_SCOPES), scopeId: id.optional() }),
};
