import { z } from 'zod';
import { type Tx } from '../../database/organization-tx.js';
import { parseEntry } from '../core/entry.js';
import { type EntryType } from '../core/entry-types.js';
import { noteKeyId, parseVkey } from '../core/note-key.js';

/** One entry about a key. */
export interface LogKeyEvent {
  readonly at: string;
  /** UUID. */
  readonly entryId: string;
}

/** A key of a log, as the log itself tells of it. */
export interface LogKeyRecord {
  /** Eight lower-case hex digits: the key id of C2SP signed-note. No two keys of one log have the same. */
  readonly keyId: string;
  readonly vkey: string;
  /** Its place among all keys of the log, from 1. */
  readonly serial: number;
  readonly added: LogKeyEvent;
  readonly retired: LogKeyEvent | undefined;
}

/** Every key that a log ever had, in order. */
export interface LogKeyRecords {
  readonly origin: string;
  /** Entries that the log has now. */
  readonly size: number;
  readonly keys: readonly LogKeyRecord[];
}

const EVENTS: readonly EntryType[] = ['organization.created', 'log.key_added', 'log.key_retired'];
/** What they have in common. */
const dataSchema = z.object({ vkey: z.string() });

interface EventRow {
  entry_id: string;
  entry: Buffer;
}

/** The log is the register of its keys: a table beside it could say something else. */
export async function readLogKeyRecords(tx: Tx): Promise<LogKeyRecords> {
  const rows = await tx.query<EventRow>(
    `SELECT entry_id, entry, index, NULL::bigint AS ordinal FROM audit_entry
      WHERE organization_id = $1 AND entry_type = ANY($2::text[])
     UNION ALL
     SELECT entry_id, entry, NULL, ordinal FROM audit_pending
      WHERE organization_id = $1 AND entry_type = ANY($2::text[])
     ORDER BY index NULLS LAST, ordinal`,
    [tx.organizationId, EVENTS],
  );
  const [log] = await tx.query<{ origin: string; size: string }>(
    'SELECT origin, size FROM audit_log WHERE organization_id = $1',
    [tx.organizationId],
  );
  if (log === undefined) throw new Error(`organization ${tx.organizationId} has no log`);
  const keys = new Map<string, LogKeyRecord>();
  for (const row of rows) {
    const { entry } = parseEntry(row.entry);
    const { vkey } = dataSchema.parse(entry.data);
    const event = { at: entry.at, entryId: row.entry_id };
    const known = keys.get(vkey);
    if (entry.type !== 'log.key_retired')
      keys.set(vkey, { keyId: keyIdOf(vkey), vkey, serial: keys.size + 1, added: event, retired: undefined });
    else if (known !== undefined) keys.set(vkey, { ...known, retired: event });
  }
  return { origin: log.origin, size: Number(log.size), keys: [...keys.values()] };
}

/** Eight lower-case hex digits. */
export function keyIdOf(vkey: string): string {
  return noteKeyId(parseVkey(vkey)).toString(16).padStart(8, '0');
}
