import { publicId } from '../../shared/ids.js';
import { type Erasure, type ErasedValue } from '../application/erase-data-subject.js';
import { type LegalHold, publicScope } from '../application/legal-hold.js';
import { type ExplainedHold } from '../application/list-legal-holds.js';

/** The answer lists this many; all of them are in the `opening.erased` entries. */
const MAX_LISTED = 1000;

/** What an erasure does not reach, said each time, so that nobody promises more to the person who asked. */
const KEPT: readonly string[] = [
  'Entries of the log and their salted commitments. No proof changes; without a copy of value and salt nobody can open a commitment any more.',
  'Encrypted inputs of runs, statements of contributions and comments of reviews stay as ciphertext. Their key is deleted.',
  'Ids of the person and of their keys, and what they did and when: the log and other rows name them by id.',
  'Files that the person made or sent, and the pictures of what changed in them: the record of what was made rests on them, and a retention rule removes them when it may. The title stands in the manifest inside of each signed file, which cannot be changed.',
  'That something was attached, when, how large it was, and its SHA-256. A file stays where another record has the same bytes.',
  'What was never sealed: rights declarations, facts of runs, names of projects.',
  'What others wrote, attached or named after the person.',
  'Copies that left this service: downloaded reports and bundles, what a provider received, signed files.',
  'Backups: the deleted key makes the values in them unreadable, unless the backup, or another one, holds the table data_subject_key from before. Such backups, write-ahead logs and not yet vacuumed pages must run out.',
];

export function erasureView(erasure: Erasure) {
  return {
    id: publicId('erasure', erasure.id),
    principalId: publicId('principal', erasure.subjectId),
    reason: erasure.reason,
    erasedAt: erasure.erasedAt.toISOString(),
    entryIds: erasure.entryIds.map((id) => publicId('entry', id)),
    erasedCount: erasure.values.length,
    erased: erasure.values.slice(0, MAX_LISTED).map(valueView),
    nameErased: erasure.nameErased,
    titlesErased: erasure.titlesErased,
    erasedAttachments: erasure.attachments.slice(0, MAX_LISTED).map((one) => ({
      attachmentId: publicId('attachment', one.id),
      contributionId: publicId('contribution', one.contributionId),
      sha256: one.sha256,
      file: one.shared ? 'kept_for_another_record' : 'deleted',
    })),
    withdrawnReportIds: erasure.reportIds.slice(0, MAX_LISTED).map((id) => publicId('report', id)),
    kept: KEPT,
    keptCounts: erasure.kept,
  };
}

function valueView({ entryId, index, type, field, recordedAt }: ErasedValue) {
  return {
    entryId: publicId('entry', entryId),
    index: index ?? null,
    type,
    field,
    recordedAt: recordedAt.toISOString(),
  };
}

/** Without the reasons: an answer that is kept for its repetition is not sealed. */
export function legalHoldView(hold: LegalHold) {
  const { kind, id } = publicScope(hold.scope);
  return {
    id: publicId('legalHold', hold.id),
    scope: { kind, id: id ?? null },
    inForce: hold.lifted === undefined,
    placedBy: publicId('principal', hold.placedBy),
    placedAt: hold.placedAt.toISOString(),
    placedEntryId: publicId('entry', hold.placedEntryId),
    liftedBy: hold.lifted ? publicId('principal', hold.lifted.by) : null,
    liftedAt: hold.lifted?.at.toISOString() ?? null,
    liftedEntryId: hold.lifted ? publicId('entry', hold.lifted.entryId) : null,
  };
}

/** `reason` is null when it was erased with the person who gave it. */
export function explainedHoldView({ hold, reason, liftedReason }: ExplainedHold) {
  return { ...legalHoldView(hold), reason: reason ?? null, liftedReason: liftedReason ?? null };
}
