import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { openCheckpoint } from '../../../src/audit/core/checkpoint.js';
import { CompactRange } from '../../../src/audit/core/compact-range.js';
import { verifierFromVkey } from '../../../src/audit/core/cosignature.js';
import { type LogSource } from '../../../src/audit/verify/log-report.js';
import { verifyLog } from '../../../src/audit/verify/verify-log.js';
import { parsePublicId, publicId } from '../../../src/shared/ids.js';
import { systemErrorCode } from '../../../src/shared/system-error.js';
import { type CrashBench } from './crash-bench.js';
import { eventually } from '../../support/eventually.js';
import { HomeDatabase } from './home-database.js';

/** What had been shown to the world before a kill: nothing of it may change. */
export interface Remembered {
  readonly leaves: readonly Buffer[];
  readonly checkpoint: { readonly size: number; readonly root: Uint8Array };
}

export async function remember(bench: CrashBench): Promise<Remembered> {
  // The published checkpoint first: the entries that it covers are integrated already.
  const checkpoint = await eventually('a checkpoint is published', () =>
    publishedCheckpoint(bench).catch((error: unknown) => {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      return undefined;
    }),
  );
  return { checkpoint, leaves: await withDatabase(bench, leavesOf) };
}

/** Everything that must hold whenever the dust has settled, whatever was killed when. */
export async function expectSound(bench: CrashBench, before: Remembered): Promise<void> {
  await withDatabase(bench, async (database) => {
    await allPublished(bench, database);
    const leaves = await leavesOf(database);
    expectSameHistory(leaves, before);
    await expectMoneyAddsUp(bench, database);
    await expectOneOfEach(database);
    await expectAssetsInLog(bench, database);
  });
  const report = await verifyLog(logFolder(bench), trustOf(bench));
  expect(report.findings).toEqual([]);
  expect(report.unknownEntryTypes).toEqual({});
}

async function withDatabase<T>(bench: CrashBench, work: (database: HomeDatabase) => Promise<T>): Promise<T> {
  const database = await HomeDatabase.open(bench.home);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** No index is missing and none was given twice (the primary key says the latter). */
async function leavesOf(database: HomeDatabase): Promise<Buffer[]> {
  const rows = await database.query<{ index: string; leaf_hash: Buffer }>(
    String.raw`SELECT index, sha256('\x00'::bytea || entry) AS leaf_hash FROM audit_entry ORDER BY index`,
  );
  rows.forEach(({ index }, position) => expect(Number(index)).toBe(position));
  return rows.map((row) => row.leaf_hash);
}

function expectSameHistory(leaves: readonly Buffer[], before: Remembered): void {
  const hex = (list: readonly Buffer[]): string[] => list.map((leaf) => leaf.toString('hex'));
  expect(hex(leaves.slice(0, before.leaves.length))).toEqual(hex(before.leaves));
  const { size, root } = before.checkpoint;
  const range = CompactRange.empty().append(leaves.slice(0, size));
  expect(Buffer.from(range.root()).toString('hex')).toBe(Buffer.from(root).toString('hex'));
}

async function allPublished(bench: CrashBench, database: HomeDatabase): Promise<void> {
  await eventually('every entry is published', async () => {
    const [row] = await database.query<{ size: string; pending: string }>(
      'SELECT size, (SELECT count(*) FROM audit_pending) AS pending FROM audit_log',
    );
    const { size } = await publishedCheckpoint(bench);
    return (row?.pending === '0' && Number(row.size) === size) || undefined;
  });
}

async function expectMoneyAddsUp(bench: CrashBench, database: HomeDatabase): Promise<void> {
  const [row] = await database.query<Record<string, string>>(`
    SELECT b.reserved_micro_usd AS reserved, b.spent_micro_usd AS spent,
      (SELECT coalesce(sum(amount_micro_usd), 0) FROM money_movement WHERE kind = 'settlement') AS settled,
      (SELECT coalesce(sum(r.amount_micro_usd), 0) FROM money_movement r WHERE r.kind = 'reservation' AND NOT EXISTS
        (SELECT 1 FROM money_movement e WHERE e.step_run_id = r.step_run_id AND e.kind <> 'reservation')) AS open,
      (SELECT count(*) FROM (SELECT 1 FROM money_movement WHERE kind <> 'reservation'
        GROUP BY step_run_id HAVING count(*) > 1) twice) AS ended_twice
    FROM budget b`);
  expect(row).toMatchObject({ reserved: row?.open, spent: row?.settled, ended_twice: '0' });
  // The vendor's own accounts: never a step twice.
  const charged = bench.fake.ledger().map(({ stepRunId }) => stepRunId);
  expect(new Set(charged).size).toBe(charged.length);
}

/**
 * One asset, one entry about it and one settlement per step, exactly for the steps that succeeded. What people do makes
 * no asset of the step and costs nothing.
 */
async function expectOneOfEach(database: HomeDatabase): Promise<void> {
  const signed = `count(*) FILTER (WHERE e.entry_type = 'asset.signed')::int`;
  const rows = await database.query<{ state: string; assets: number; signed: number; settled: number }>(`
    SELECT s.state,
      (SELECT count(*)::int FROM asset a WHERE a.step_run_id = s.id) AS assets,
      (SELECT ${signed} FROM audit_entry e JOIN asset a ON e.subject_id = 'ast_' || replace(a.id::text, '-', '')
        WHERE a.step_run_id = s.id) AS signed,
      (SELECT count(*)::int FROM audit_entry e WHERE e.entry_type = 'step.settled'
        AND e.subject_id = 'stp_' || replace(s.id::text, '-', '')) AS settled
    FROM step_run s WHERE s.provider <> 'people'`);
  for (const row of rows) {
    const done = row.state === 'SUCCEEDED' ? 1 : 0;
    expect(row).toMatchObject({ assets: done, signed: done });
    expect(row.settled).toBe(row.state === 'FAILED' ? row.settled : done);
  }
}

/** What can be read is in the log with that very hash, and every asset in the log can be read unless it was removed. */
async function expectAssetsInLog(bench: CrashBench, database: HomeDatabase): Promise<void> {
  const entries = await database.query<{ subject_id: string; entry: Buffer }>(
    `SELECT subject_id, entry FROM audit_entry WHERE entry_type = 'asset.signed'`,
  );
  const logged = new Map(
    entries.map(({ subject_id, entry }) => [
      subject_id,
      (JSON.parse(entry.toString()) as { data: { sha256: string } }).data.sha256,
    ]),
  );
  const assets = await database.query<{ id: string; sha256: string }>('SELECT id, sha256 FROM asset');
  expect(new Map(assets.map(({ id, sha256 }) => [publicId('asset', id), sha256]))).toEqual(logged);
  const removed = await database.query<{ id: string }>(
    `SELECT thing_id AS id FROM content_removal WHERE kind = 'asset' AND revoked_at IS NULL`,
  );
  const gone = new Set(removed.map(({ id }) => publicId('asset', id)));
  for (const [id, sha256] of logged) {
    const content = await bench.program.request(`/v1/assets/${id}/content`);
    if (gone.has(id)) {
      expect(content.status).toBe(410);
      continue;
    }
    const served = Buffer.from(await content.arrayBuffer());
    expect(createHash('sha256').update(served).digest('hex')).toBe(sha256);
  }
}

function trustOf(bench: CrashBench) {
  const { origin, vkey } = bench.program.instance.log;
  return { origin, log: verifierFromVkey(vkey) };
}

function logPath(bench: CrashBench): string {
  return join(bench.home, 'logs', parsePublicId('organization', bench.program.instance.organizationId) ?? '');
}

async function publishedCheckpoint(bench: CrashBench) {
  const bytes = await readFile(join(logPath(bench), 'checkpoint'));
  return openCheckpoint(bytes, trustOf(bench)).checkpoint;
}

function logFolder(bench: CrashBench): LogSource {
  return {
    read: async (path) => {
      try {
        return await readFile(join(logPath(bench), path));
      } catch (error) {
        if (systemErrorCode(error) === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}
