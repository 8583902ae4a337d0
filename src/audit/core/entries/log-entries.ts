import { z } from 'zod';
import { id, identifier, token } from '../entry-fields.js';

/** A page of a list has at most 200 holds, each with the words in which it was placed and lifted. */
export const MAX_READ_IN_ENTRY = 1000;

/** In what form entries were exported; `archive` is the whole log as static tiles. */
export const EXPORT_FORMATS = ['ndjson', 'csv', 'archive'] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The log about itself: exports, checks, keys, readings of sealed values. */
export const LOG_ENTRIES = {
  /** Sealed values of these entries were shown to the actor in clear. Committed before the first byte left. */
  'opening.read': z.strictObject({ entryIds: z.array(id).min(1).max(MAX_READ_IN_ENTRY) }),
  /** Entries in bulk, or the whole log as static files, were given to the actor. Committed before the first byte left. */
  'log.exported': z.strictObject({
    format: z.enum(EXPORT_FORMATS),
    /** Entries of the log at that moment: nothing beyond it was exported. */
    size: z.int().nonnegative(),
    /** The conditions that an exported entry met; empty for all. */
    filter: z.strictObject({
      type: token.optional(),
      subjectId: id.optional(),
      actorId: id.optional(),
      projectId: id.optional(),
      from: token.optional(),
      until: token.optional(),
    }),
  }),
  /** Every stored entry was compared with the published tiles and the signed root. */
  'log.checked': z.strictObject({
    outcome: z.enum(['clean', 'damaged']),
    /** Entries under the checkpoint that was compared with. */
    size: z.int().nonnegative(),
    rows: z.int().nonnegative(),
    findings: z.int().nonnegative(),
  }),

  /** From now on checkpoints are signed by this key, too. The first key of a log is in `organization.created`. */
  'log.key_added': z.strictObject({ vkey: identifier }),
  /** From now on nothing is signed by this key. */
  'log.key_retired': z.strictObject({ vkey: identifier }),

  /**
   * A witness had said that there are two histories of this log, and nothing was signed. The actor set its words aside
   * as wrong; the witness is asked again.
   */
  'log.conflict_cleared': z.strictObject({
    witness: identifier,
    conflict: z.string().regex(/^[\x20-\x7e]{1,1000}$/),
  }),
};
