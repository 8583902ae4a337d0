import { stringify } from 'csv-stringify/sync';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { publicId } from '../../shared/ids.js';
import { inertCell } from '../../shared/inert-cell.js';
import { leafHash } from '../core/merkle.js';
import { type LoggedEntry } from './read-log.js';

/**
 * Entries as CSV (RFC 4180: CRLF, quotes doubled) for people with a spreadsheet. It begins with a byte order mark:
 * without one Excel reads UTF-8 as the local code page and shows other names than the log holds. Programs are better
 * served by NDJSON; those that read CSV open it as `utf-8-sig`.
 */
const COLUMNS = [
  'index',
  'id',
  'type',
  'at',
  'actor_kind',
  'actor_id',
  'subject_kind',
  'subject_id',
  'project_id',
  'data',
  'sealed',
  'leaf_hash',
] as const;

export function csvHeader(): Buffer {
  return Buffer.from(`\ufeff${COLUMNS.join(',')}\r\n`, 'utf8');
}

/** One record for each entry. `sealed` are the commitments; what they commit to is not here. */
export function csvRecords(entries: readonly LoggedEntry[]): Buffer {
  const records = entries.map((entry) => cellsOf(entry).map(inertCell));
  return Buffer.from(stringify(records, { record_delimiter: '\r\n', quoted_string: true }), 'utf8');
}

interface Envelope {
  readonly type: string;
  readonly at: string;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly subject: { readonly kind: string; readonly id: string };
  readonly data: JsonValue;
  readonly sealed?: JsonValue;
}

/** The cells come from the bytes that are hashed, not from the columns beside them. */
function cellsOf(entry: LoggedEntry): string[] {
  const { type, at, actor, subject, data, sealed } = JSON.parse(entry.entry.toString('utf8')) as Envelope;
  return [
    String(entry.index),
    publicId('entry', entry.entryId),
    type,
    at,
    actor.kind,
    actor.id,
    subject.kind,
    subject.id,
    entry.projectId === undefined ? '' : publicId('project', entry.projectId),
    canonicalJson(data).toString('utf8'),
    sealed === undefined ? '' : canonicalJson(sealed).toString('utf8'),
    // Not base64, as elsewhere: that may begin with a plus sign, and would be altered below.
    Buffer.from(leafHash(entry.entry)).toString('hex'),
  ];
}
