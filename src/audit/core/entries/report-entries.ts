import { z } from 'zod';
import { id, listingId, name, sha256Hex, token } from '../entry-fields.js';

/** Reports, who may see them, and when they are made. */
export const REPORT_ENTRIES = {
  /** Kinds and parameters of a report: a listing, a use case, times (RFC 3339), the schedule that asked for it. */
  'report.requested': z.strictObject({
    kind: token,
    format: token,
    subjectId: id,
    listingId: listingId.optional(),
    useCase: name.optional(),
    from: z.iso.datetime().optional(),
    until: z.iso.datetime().optional(),
    /** Files of contributions that go into a bundle. */
    attachments: z.array(id).max(100).optional(),
    scheduleId: id.optional(),
    /** The due time for which the schedule asked. */
    scheduledFor: z.iso.datetime().optional(),
  }),
  'report.created': z.strictObject({
    kind: token,
    format: token,
    subjectId: id,
    sha256: sha256Hex,
    /** Of the certificate that signed it, where its form carries a signature. */
    certificateSha256: sha256Hex.optional(),
    timeStamp: z.enum(['stamped', 'missing', 'not_configured']).optional(),
  }),
  /** A finished report was shown to the actor. Committed before the first byte left. */
  'report.read': z.strictObject({ kind: token, format: token, subjectId: id, sha256: sha256Hex }),
  /**
   * Outside counsel may read the reports on one asset, or one report, until a time. The secret is in no log; the id
   * names the link.
   */
  'share_link.created': z.strictObject({ subjectId: id, expiresAt: z.iso.datetime() }),
  'share_link.revoked': z.strictObject({ subjectId: id }),
  /** Whoever holds the link was shown the list (no report) or a report. Committed before the first byte left. */
  'share_link.used': z.strictObject({ reportId: id.optional(), sha256: sha256Hex.optional() }),

  /** From now on reports are made by themselves; without `kind` on a campaign. */
  'report_schedule.created': z.strictObject({
    projectId: id.optional(),
    useCase: name.optional(),
    kind: token.optional(),
    assetId: id.optional(),
    listingId: listingId.optional(),
    format: token,
    cadence: z.enum(['daily', 'weekly', 'monthly']),
  }),
  'report_schedule.paused': z.strictObject({}),
  /** What was due meanwhile is not made. */
  'report_schedule.resumed': z.strictObject({ nextDueAt: z.iso.datetime() }),
  /** Too many due times had passed unnoticed: for these, no report was made. */
  'report_schedule.skipped': z.strictObject({
    count: z.int().positive(),
    first: z.iso.datetime(),
    last: z.iso.datetime(),
  }),
  /** The report of this due time could not be asked for. */
  'report_schedule.failed': z.strictObject({ scheduledFor: z.iso.datetime(), code: token }),
  'report_schedule.ended': z.strictObject({ reason: z.enum(['ended', 'creator_disabled']) }),
};
