import pg from 'pg';
import { CompactRange } from '../src/audit/core/compact-range.js';
import { buildEntry, type EntryInput } from '../src/audit/core/entry.js';
import { type Hash } from '../src/audit/core/merkle.js';
import { newId, parsePublicId } from '../src/shared/ids.js';

const BATCH = 5_000;

/**
 * Makes a log as large as asked: entries as the program writes them, by a superuser's plain INSERT, and the head that
 * belongs to them. Nothing else may write to this log meanwhile.
 */
export async function fillLog(
  administratorUrl: string,
  publicOrganizationId: string,
  size: number,
): Promise<void> {
  const organizationId = parsePublicId('organization', publicOrganizationId) ?? '';
  const client = new pg.Client({
    connectionString: administratorUrl,
    options: '-c search_path=colophon -c colophon.break_glass=on',
  });
  await client.connect();
  try {
    // What the start of the server wrote gets its indices first.
    const pending = 'SELECT 1 FROM audit_pending LIMIT 1';
    while ((await client.query(pending)).rowCount !== 0)
      await new Promise((resolve) => setTimeout(resolve, 100));
    const { rows } = await client.query<{ size: string; edge: Buffer[] }>(
      'SELECT size, edge FROM audit_log WHERE organization_id = $1',
      [organizationId],
    );
    let head = new CompactRange(Number(rows[0]?.size), rows[0]?.edge ?? []);
    const startMs = Date.now() - size * 100;
    while (head.size < size) {
      const count = Math.min(BATCH, size - head.size);
      const first = head.size;
      const inputs = Array.from({ length: count }, (_, i) => sample(first + i, startMs));
      const built = inputs.map(buildEntry);
      await insert(
        client,
        organizationId,
        first,
        inputs,
        built.map(({ bytes }) => bytes),
      );
      head = head.append(built.map(({ leafHash }): Hash => leafHash));
    }
    await client.query('UPDATE audit_log SET size = $2, edge = $3 WHERE organization_id = $1', [
      organizationId,
      head.size,
      head.edge,
    ]);
    await client.query('ANALYZE audit_entry');
  } finally {
    await client.end();
  }
}

function sample(index: number, startMs: number): EntryInput {
  const id = `ast_${index.toString(16).padStart(32, '0')}`;
  return {
    type: 'review.decided',
    at: new Date(startMs + index * 100).toISOString(),
    actor: { kind: 'api_key', id: `key_${index % 40}` },
    subject: { kind: 'review', id: `rvw_${id.slice(4)}` },
    data: { assetId: id, decision: 'approved', sha256: id.slice(4).repeat(2) },
    sealed: { comment: 'A'.repeat(43) },
  };
}

async function insert(
  client: pg.Client,
  organizationId: string,
  first: number,
  inputs: readonly EntryInput[],
  entries: readonly Buffer[],
): Promise<void> {
  await client.query(
    `INSERT INTO audit_entry (organization_id, index, entry_id, entry, entry_type, subject_kind, subject_id, actor_id, recorded_at, integrated_at)
     SELECT $1, $2::bigint + n - 1, id, entry, type, kind, subject, actor, at, at
       FROM unnest($3::uuid[], $4::bytea[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
            WITH ORDINALITY AS r(id, entry, type, kind, subject, actor, at, n)`,
    [
      organizationId,
      first,
      inputs.map(() => newId()),
      entries,
      inputs.map(({ type }) => type),
      inputs.map(({ subject }) => subject.kind),
      inputs.map(({ subject }) => subject.id),
      inputs.map(({ actor }) => actor.id),
      inputs.map(({ at }) => at),
    ],
  );
}
