import { buildEntry, type EntryInput } from '../core/entry.js';
import { type Hash } from '../core/merkle.js';

/** An entry on its way into the log: its canonical bytes, and the columns by which people search. */
export interface EntryRow {
  readonly entryId: string;
  readonly bytes: Buffer;
  readonly leafHash: Hash;
  readonly type: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly actorId: string;
  /** For searching only: the canonical bytes name the project where it belongs to the fact. */
  readonly projectId: string | null;
  /** RFC 3339, as in the entry. */
  readonly recordedAt: string;
}

/** @throws TlogError malformed, limit_exceeded */
export function toEntryRow(entryId: string, input: EntryInput, projectId: string | undefined): EntryRow {
  const { bytes, leafHash } = buildEntry(input);
  return {
    entryId,
    bytes,
    leafHash,
    type: input.type,
    subjectKind: input.subject.kind,
    subjectId: input.subject.id,
    actorId: input.actor.id,
    projectId: projectId ?? null,
    recordedAt: input.at,
  };
}

/** The columns that {@link selectRows} yields beside the entry's bytes, in order. */
export const ENTRY_COLUMNS =
  'entry_id, entry, entry_type, subject_kind, subject_id, actor_id, project_id, recorded_at';

/**
 * Any number of rows as ten parameters of one statement. The entries travel as one binary value that the server
 * cuts apart: an array of them would be sent as hexadecimal text.
 */
export function rowParameters(rows: readonly EntryRow[]): unknown[] {
  let next = 1;
  const starts = rows.map(({ bytes }) => {
    const start = next;
    next += bytes.length;
    return start;
  });
  return [
    Buffer.concat(rows.map(({ bytes }) => bytes)),
    starts,
    rows.map(({ bytes }) => bytes.length),
    rows.map((row) => row.entryId),
    rows.map((row) => row.type),
    rows.map((row) => row.subjectKind),
    rows.map((row) => row.subjectId),
    rows.map((row) => row.actorId),
    rows.map((row) => row.projectId),
    rows.map((row) => row.recordedAt),
  ];
}

/** A SELECT of {@link ENTRY_COLUMNS} and `ordinality` (from 1) over parameters from `$first` on. */
export function selectRows(first: number): string {
  const at = (offset: number): string => `$${first + offset}`;
  return `SELECT r.entry_id, substring(${at(0)}::bytea FROM r.start FOR r.length) AS entry, r.entry_type, r.subject_kind,
                 r.subject_id, r.actor_id, r.project_id, r.recorded_at, r.ordinality
            FROM unnest(${at(1)}::int[], ${at(2)}::int[], ${at(3)}::uuid[], ${at(4)}::text[], ${at(5)}::text[], ${at(6)}::text[],
                        ${at(7)}::text[], ${at(8)}::uuid[], ${at(9)}::timestamptz[]) WITH ORDINALITY
              AS r(start, length, entry_id, entry_type, subject_kind, subject_id, actor_id, project_id, recorded_at, ordinality)`;
}
