import { type Tx } from '../../database/organization-tx.js';
import { type EntryType } from '../core/entry-types.js';
import { leafHash } from '../core/merkle.js';
import { type SubjectVault } from './subject-vault.js';

/** An entry that is committed, whether it has an index yet or not. */
export interface FoundEntry {
  /** UUID. */
  readonly entryId: string;
  /** Base64url; with it an entry is recognized in the log when its index is known later. */
  readonly leafHash: string;
  /** Commitments by field. */
  readonly sealed: Readonly<Record<string, string>>;
}

/** The first or the last entry of a type about a subject, e.g. the acceptance of a run; `undefined` when there is none. */
export async function findEntry(
  tx: Tx,
  type: EntryType,
  subjectId: string,
  which: 'first' | 'last' = 'first',
): Promise<FoundEntry | undefined> {
  const of = [tx.organizationId, subjectId, type];
  const where = 'organization_id = $1 AND subject_id = $2 AND entry_type = $3';
  // One statement sees an entry in exactly one of both tables.
  const [row] = await tx.query<{ entry_id: string; entry: Buffer }>(
    which === 'first'
      ? `(SELECT entry_id, entry FROM audit_entry WHERE ${where} ORDER BY index LIMIT 1)
         UNION ALL (SELECT entry_id, entry FROM audit_pending WHERE ${where} ORDER BY ordinal LIMIT 1) LIMIT 1`
      : `(SELECT entry_id, entry FROM audit_pending WHERE ${where} ORDER BY ordinal DESC LIMIT 1)
         UNION ALL (SELECT entry_id, entry FROM audit_entry WHERE ${where} ORDER BY index DESC LIMIT 1) LIMIT 1`,
    of,
  );
  if (row === undefined) return undefined;
  const { sealed = {} } = JSON.parse(row.entry.toString('utf8')) as { sealed?: Record<string, string> };
  return { entryId: row.entry_id, leafHash: Buffer.from(leafHash(row.entry)).toString('base64url'), sealed };
}

/** Whether a sealed field of an entry holds this very value; false when its opening was erased. */
export async function sealedValueIs(
  tx: Tx,
  vault: SubjectVault,
  sealed: { readonly entryId: string; readonly field: string; readonly value: string },
): Promise<boolean> {
  const [row] = await tx.query<{ subject_id: string; sealed_opening: string }>(
    'SELECT subject_id, sealed_opening FROM audit_opening WHERE organization_id = $1 AND entry_id = $2 AND field = $3',
    [tx.organizationId, sealed.entryId, sealed.field],
  );
  const opening = row && (await vault.decrypt(tx, row.subject_id, row.sealed_opening));
  return opening !== undefined && (JSON.parse(opening) as { value: string }).value === sealed.value;
}
