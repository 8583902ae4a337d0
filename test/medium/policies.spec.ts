import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { newId } from '../../src/shared/ids.js';
import { HumanWorkRows, outcomeOf } from '../support/human-work-rows.js';

const CHECK_VIOLATION = '23514';
const FOREIGN_KEY_VIOLATION = '23503';
const UNIQUE_VIOLATION = '23505';
const DENIED = '42501';

let rows: HumanWorkRows;
const open: pg.Client[] = [];

beforeAll(async () => {
  rows = await HumanWorkRows.create();
});
afterAll(async () => {
  await Promise.all(open.map((client) => client.query('ROLLBACK').catch(() => undefined)));
  await rows.drop();
});

async function begin(): Promise<pg.Client> {
  const client = await rows.begin();
  open.push(client);
  return client;
}

const decide = (client: pg.Client) =>
  client.query('SELECT registry_version_for_decision($1)', [rows.organization]);
const change = (client: pg.Client) => client.query('SELECT policy_change_lock($1)', [rows.organization]);

async function untilSomeoneWaits(): Promise<void> {
  for (let i = 0; i < 2000; i += 1) {
    const found = await rows.inspector.query(
      `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    if (found.length > 0) return;
  }
  throw new Error('nobody waits');
}

async function insert(client: pg.Client, changes: Record<string, unknown> = {}): Promise<void> {
  await client.query(
    `INSERT INTO policy_text (organization_id, sha256, bytes) VALUES ($1, 'known', 'x') ON CONFLICT DO NOTHING`,
    [rows.organization],
  );
  const [person] = await rows.inspector.query<{ id: string }>(
    'SELECT id FROM principal WHERE organization_id = $1 LIMIT 1',
    [rows.organization],
  );
  const row: Record<string, unknown> = {
    organization_id: rows.organization,
    kind: 'cedar',
    scope: 'organization',
    version: 1,
    id: newId(),
    sha256: 'known',
    items: 1,
    entry_id: newId(),
    created_by: person?.id,
    created_at: new Date(),
    ...changes,
  };
  const names = Object.keys(row);
  await client.query(
    `INSERT INTO policy_version (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
    Object.values(row),
  );
}

describe('a change of policies', () => {
  it('waits for a decision that is being recorded, and the next decision waits for it', async () => {
    const [deciding, changing, next] = [await begin(), await begin(), await begin()];
    await decide(deciding);
    const changed = change(changing);
    await untilSomeoneWaits();
    await deciding.query('COMMIT');
    await changed;
    const decided = decide(next);
    await untilSomeoneWaits();
    await insert(changing);
    await changing.query('COMMIT');
    await decided;
    const seen = await next.query('SELECT 1 FROM policy_version WHERE organization_id = $1', [
      rows.organization,
    ]);
    expect(seen.rowCount).toBe(1);
    await next.query('COMMIT');
  });
});

describe('versions that are written straight into the database, round the program', () => {
  it.each<[string, () => Record<string, unknown>, string]>([
    ['a kind that is none', () => ({ kind: 'rego' }), CHECK_VIOLATION],
    [
      'a project that does not exist',
      () => ({ scope: 'project', project_id: newId() }),
      FOREIGN_KEY_VIOLATION,
    ],
    ['a scope without what it is for', () => ({ scope: 'project', version: 7 }), CHECK_VIOLATION],
    ['more than its scope', () => ({ project_id: newId(), version: 7 }), CHECK_VIOLATION],
    ['a text that nobody stored', () => ({ sha256: 'unknown', version: 7 }), FOREIGN_KEY_VIOLATION],
    ['a version that was given', () => ({ version: 1 }), UNIQUE_VIOLATION],
    ['version 0', () => ({ version: 0 }), CHECK_VIOLATION],
    ['another organization', () => ({ organization_id: newId(), version: 7 }), DENIED],
  ])('are refused: %s', async (_what, changes, state) => {
    const client = await begin();
    expect(await outcomeOf(insert(client, changes()))).toBe(state);
    await client.query('ROLLBACK');
  });

  it.each(['policy_version', 'policy_text'])('of %s are never changed or removed', async (table) => {
    for (const sql of [
      `UPDATE ${table} SET sha256 = 'x'`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table} CASCADE`,
    ]) {
      const client = await begin();
      expect(await outcomeOf(client.query(sql))).toBe(DENIED);
      await client.query('ROLLBACK');
    }
    await expect(rows.inspector.query(`DELETE FROM ${table}`)).rejects.toThrow();
  });
});
