import type pg from 'pg';
import { CompactRange } from '../core/compact-range.js';
import { type Hash, leafHash } from '../core/merkle.js';

interface PendingRow {
  entry_id: string;
  entry: Buffer;
  entry_type: string;
  subject_kind: string;
  subject_id: string;
  actor_id: string;
  recorded_at: Date;
}

/** Bounds the size of one transaction; more pending entries make more rounds. */
const MAX_BATCH = 4096;

/**
 * Moves pending entries into the log, in one transaction: contiguous indices, leaf hashes, new head. A pending row
 * becomes visible when its transaction has committed, so it is commit order that decides.
 *
 * The head is changed by compare-and-swap on its size. A second sequencer finds the row locked and leaves; if it
 * read an older head it changes nothing and rolls back. A crash before COMMIT leaves the entries pending.
 *
 * @returns how many entries were integrated
 */
export async function integrateEntries(pool: pg.Pool, organizationId: string): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const integrated = await integrateWithin(client, organizationId);
    await client.query('COMMIT');
    return integrated;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

async function integrateWithin(client: pg.PoolClient, organizationId: string): Promise<number> {
  const head = await client.query<{ size: string; edge: Buffer[] }>(
    'SELECT size, edge FROM audit_log WHERE organization_id = $1 FOR UPDATE SKIP LOCKED',
    [organizationId],
  );
  const [row] = head.rows;
  if (!row) return 0;
  const pending = await takePending(client, organizationId);
  if (pending.length === 0) return 0;
  const range = new CompactRange(Number(row.size), row.edge);
  const hashes: Hash[] = pending.map(({ entry }) => leafHash(entry));
  const next = range.append(hashes);
  await insertEntries(client, organizationId, range.size, pending, hashes);
  const swapped = await client.query(
    'UPDATE audit_log SET size = $3, edge = $4 WHERE organization_id = $1 AND size = $2',
    [organizationId, range.size, next.size, next.edge],
  );
  if (swapped.rowCount !== 1) throw new Error('another sequencer has moved the head of this log');
  return pending.length;
}

async function takePending(client: pg.PoolClient, organizationId: string): Promise<PendingRow[]> {
  const { rows } = await client.query<PendingRow & { ordinal: string }>(
    `DELETE FROM audit_pending WHERE organization_id = $1 AND entry_id IN (
       SELECT entry_id FROM audit_pending WHERE organization_id = $1 ORDER BY ordinal LIMIT $2)
     RETURNING entry_id, ordinal, entry, entry_type, subject_kind, subject_id, actor_id, recorded_at`,
    [organizationId, MAX_BATCH],
  );
  return rows.sort((a, b) => Number(BigInt(a.ordinal) - BigInt(b.ordinal)));
}

/** One statement with one array per column: no limit of bound parameters, whatever the batch size. */
async function insertEntries(
  client: pg.PoolClient,
  organizationId: string,
  firstIndex: number,
  rows: readonly PendingRow[],
  hashes: readonly Hash[],
): Promise<void> {
  await client.query(
    `INSERT INTO audit_entry
       (organization_id, index, entry_id, entry, leaf_hash, entry_type, subject_kind, subject_id, actor_id, recorded_at)
     SELECT $1, * FROM unnest($2::bigint[], $3::uuid[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[],
                              $9::text[], $10::timestamptz[])`,
    [
      organizationId,
      rows.map((_, position) => firstIndex + position),
      rows.map((row) => row.entry_id),
      rows.map((row) => row.entry),
      hashes.map((hash) => Buffer.from(hash)),
      rows.map((row) => row.entry_type),
      rows.map((row) => row.subject_kind),
      rows.map((row) => row.subject_id),
      rows.map((row) => row.actor_id),
      rows.map((row) => row.recorded_at),
    ],
  );
}
