import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parsePublicId } from '../../src/shared/ids.js';
import { type CheckResult } from '../../src/audit/application/check-rows.js';
import { addPerson } from '../support/api.js';
import { Inspector } from '../support/inspector.js';
import { expectProblem } from '../support/problem.js';
import { startTestApplication, type TestApplication } from '../support/test-application.js';

let app: TestApplication;
let inspector: Inspector;
let auditor: string;
let folder: string;
let organizationId: string;

beforeAll(async () => {
  app = await startTestApplication();
  inspector = await Inspector.open(app.database);
  auditor = (await addPerson(app, ['auditor'])).key;
  organizationId = parsePublicId('organization', app.instance.organizationId) ?? '';
  folder = join(app.home, 'logs', organizationId);
  const entries = Array.from({ length: 700 }, (_, i) =>
    app.services.logWriter.append(organizationId, {
      type: 'asset.released',
      actor: { kind: 'system', id: 'test' },
      subject: { kind: 'asset', id: `ast_${i}` },
      data: { assetId: `ast_${i}`, sha256: 'a'.repeat(64) },
    }),
  );
  await Promise.all(entries);
  await app.services.sequencer.runOnce();
});
afterAll(async () => {
  await inspector.close();
  await app.close();
});

async function check(): Promise<CheckResult> {
  await app.services.sequencer.runOnce();
  const response = await app.request('/v1/audit/checks', { method: 'POST', key: auditor });
  expect(response.status).toBe(200);
  const lines = (await response.text()).trimEnd().split('\n');
  for (const line of lines.slice(0, -1)) expect(JSON.parse(line)).toHaveProperty('progress');
  return (JSON.parse(lines.at(-1) ?? '{}') as { result: CheckResult }).result;
}

const named = ({ findings }: CheckResult): string[] => findings.map(({ what, code }) => `${what}: ${code}`);

/** Changes rows as a superuser who gets past every guard, for the time of `work`; then puts them back. */
async function withRows<T>(index: number, change: string, work: () => Promise<T>): Promise<T> {
  const column = `SELECT * FROM audit_entry WHERE organization_id = $1 AND index = $2`;
  await inspector.query('SET session_replication_role = replica');
  await inspector.query('ALTER TABLE audit_entry DISABLE TRIGGER ALL');
  await inspector.query(
    `CREATE TABLE kept AS ${column.replace('$1', `'${organizationId}'`).replace('$2', String(index))}`,
  );
  await inspector.query(
    change.replaceAll('ROW', `organization_id = '${organizationId}' AND index = ${index}`),
  );
  try {
    return await work();
  } finally {
    await inspector.query(`DELETE FROM audit_entry WHERE organization_id = $1 AND index = $2`, [
      organizationId,
      index,
    ]);
    await inspector.query('INSERT INTO audit_entry SELECT * FROM kept');
    await inspector.query('DROP TABLE kept');
    await inspector.query('ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER append_only_row');
    await inspector.query('ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER append_only_truncate');
    await inspector.query('RESET session_replication_role');
  }
}

async function withFile<T>(path: string, at: number, work: () => Promise<T>): Promise<T> {
  const file = join(folder, path);
  const bytes = await readFile(file);
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  await writeFile(file, changed);
  try {
    return await work();
  } finally {
    await writeFile(file, bytes);
  }
}

/** One flipped bit in the bytes of the entry. */
const FLIP = 'UPDATE audit_entry SET entry = set_byte(entry, 40, get_byte(entry, 40) # 1) WHERE ROW';

describe('POST /v1/audit/checks', () => {
  it('calls a sound log clean, and the log says that it was checked', async () => {
    const result = await check();
    expect(result).toMatchObject({ outcome: 'clean', findings: [], stoppedEarly: false });
    expect(result.rows).toBeGreaterThanOrEqual(result.size);
    const entry = (await (await app.request(`/v1/audit/entries/${result.entryId}`)).json()) as {
      entry: { type: string; data: unknown };
    };
    expect(entry.entry).toMatchObject({
      type: 'log.checked',
      data: { outcome: 'clean', size: result.size, rows: result.rows, findings: 0 },
    });
  });

  it('names a row with one flipped bit; reading it is refused, and so is an export of it', async () => {
    await withRows(17, FLIP, async () => {
      expect(named(await check())).toEqual(['row 17: row_changed']);
      await expectProblem(await app.request('/v1/audit/entries/17'), 'log_damaged');
      expect((await app.request('/v1/audit/entries/18')).status).toBe(200);
      const [row] = await inspector.query<{ entry_id: string }>(
        'SELECT entry_id FROM audit_entry WHERE organization_id = $1 AND index = 17',
        [organizationId],
      );
      const id = `ent_${row?.entry_id.replaceAll('-', '')}`;
      await expectProblem(await app.request(`/v1/audit/entries/${id}`), 'log_damaged');
      const exported = await (await app.request('/v1/audit/export', { key: auditor })).text();
      expect(JSON.parse(exported.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
        error: { code: 'log_damaged', detail: expect.stringContaining('Entry 17') },
      });
      const asCsv = app.request('/v1/audit/export?format=csv', { key: auditor });
      await expect(asCsv.then((response) => response.text())).rejects.toThrow();
    });
    expect((await check()).outcome).toBe('clean');
  });

  it('names a removed row, and a row of which only a search column was changed', async () => {
    await withRows(300, 'DELETE FROM audit_entry WHERE ROW', async () => {
      expect(named(await check())).toEqual(['row 300: row_missing']);
      await expectProblem(await app.request('/v1/audit/entries/300'), 'log_damaged');
    });
    const columns = ['entry_type', 'subject_id', 'subject_kind', 'actor_id'];
    for (const column of columns)
      await withRows(300, `UPDATE audit_entry SET ${column} = 'other' WHERE ROW`, async () => {
        const { findings } = await check();
        expect(findings).toEqual([
          { what: 'row 300', code: 'row_columns', detail: `${column}: not what the entry says` },
        ]);
      });
    await withRows(
      300,
      `UPDATE audit_entry SET recorded_at = recorded_at - interval '1 day' WHERE ROW`,
      async () => {
        expect(named(await check())).toEqual(['row 300: row_columns']);
      },
    );
  });

  it('names the file with one flipped bit, and no row that is sound', async () => {
    for (const path of ['tile/0/000', 'tile/0/001']) {
      await withFile(path, 100, async () => expect(named(await check())).toEqual([`${path}: tile_mismatch`]));
    }
    await withFile('tile/entries/001', 100, async () => {
      const { findings } = await check();
      expect(new Set(findings.map(({ what }) => what))).toEqual(new Set(['tile/entries/001']));
    });
    await app.services.sequencer.runOnce();
    // Smaller ones are of earlier checkpoints.
    const partial = Math.max(...readdirSync(join(folder, 'tile/1/000.p')).map(Number));
    await withFile(`tile/1/000.p/${partial}`, 5, async () => {
      const found = (await check()).findings;
      expect(found.map(({ what }) => what)).toEqual([expect.stringContaining('tile/1/000.p/')]);
    });
  });

  it('names the checkpoint, and still checks the rows against the recorded one', async () => {
    await app.services.sequencer.stop();
    const checkpoint = join(folder, 'checkpoint');
    const bytes = await readFile(checkpoint);
    await withFile('checkpoint', bytes.length - 10, async () => {
      const response = await app.request('/v1/audit/checks', { method: 'POST', key: auditor });
      const last = JSON.parse((await response.text()).trimEnd().split('\n').at(-1) ?? '') as {
        result: CheckResult;
      };
      expect(named(last.result)).toEqual(['checkpoint: checkpoint_invalid']);
      expect(last.result.size).toBeGreaterThan(700);
      await expectProblem(await app.request('/v1/audit/entries/17'), 'log_damaged');
    });
    app.services.sequencer.start();
  });
});
