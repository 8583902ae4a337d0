import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { newId } from '../../src/shared/ids.js';
import { HumanWorkRows, outcomeOf } from '../support/human-work-rows.js';

const CHECK_VIOLATION = '23514';
const FOREIGN_KEY_VIOLATION = '23503';
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
  client.query<{ v: string }>(`SELECT registry_version_for_decision($1) AS v`, [rows.organization]);
const change = (client: pg.Client) =>
  client.query<{ v: string }>(`SELECT registry_next_version($1) AS v`, [rows.organization]);
const versionOf = async (asked: Promise<pg.QueryResult<{ v: string }>>) => Number((await asked).rows[0]?.v);

/** Whether the server has somebody waiting for an advisory lock in this database. */
async function someoneWaits(): Promise<boolean> {
  const found = await rows.inspector.query(
    `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return found.length > 0;
}
async function untilSomeoneWaits(): Promise<void> {
  for (let i = 0; i < 2000; i += 1) if (await someoneWaits()) return;
  throw new Error('nobody waits');
}

describe('the version of a registry', () => {
  it('is given once: of two curations at once the second waits, and sees the first', async () => {
    const [first, second] = [await begin(), await begin()];
    const before = await versionOf(change(first));
    const waiting = versionOf(change(second));
    await untilSomeoneWaits();
    await first.query('COMMIT');
    expect(await waiting).toBe(before + 1);
    await second.query('COMMIT');
  });

  it('does not change under a decision that is being recorded: the change waits for it', async () => {
    const [deciding, changing] = [await begin(), await begin()];
    const seen = await versionOf(decide(deciding));
    const waiting = versionOf(change(changing));
    await untilSomeoneWaits();
    // Other decisions do not wait for each other, and this one still sees what it decided with.
    expect(await versionOf(decide(deciding))).toBe(seen);
    await deciding.query('COMMIT');
    expect(await waiting).toBe(seen + 1);
    await changing.query('COMMIT');
  });

  it('is the new one for a decision that waited for the change, and the old one when that was rolled back', async () => {
    for (const end of ['COMMIT', 'ROLLBACK']) {
      const [changing, deciding] = [await begin(), await begin()];
      const next = await versionOf(change(changing));
      const waiting = versionOf(decide(deciding));
      await untilSomeoneWaits();
      await changing.query(end);
      expect(await waiting).toBe(end === 'COMMIT' ? next : next - 1);
      await deciding.query('COMMIT');
    }
  });

  it('is each organization\u2019s own', async () => {
    const client = await begin();
    const other = newId();
    expect(await outcomeOf(client.query('SELECT registry_next_version($1)', [other]))).toBe(DENIED);
    await client.query('ROLLBACK');
  });
});

describe('waivers that are written straight into the database, round the program', () => {
  const waiver = (changes: Record<string, unknown>): Record<string, unknown> => ({
    id: newId(),
    reason: 'r',
    requested_by: rows.people.maker,
    approved_by: rows.people.reviewer,
    expires_at: new Date('2099-01-01'),
    created_at: new Date(),
    ...changes,
  });

  it('are for a clearance or for a finding, never for nothing or for both', async () => {
    const clearance = newId();
    await rows.insert('clearance', {
      id: clearance,
      decision: 'review',
      input: Buffer.from('{}'),
      result: Buffer.from('{}'),
      created_by: rows.people.maker,
      created_at: new Date(),
    });
    const insert = (changes: Record<string, unknown>) => outcomeOf(rows.insert('waiver', waiver(changes)));
    expect(await insert({ clearance_id: clearance })).toBe('accepted');
    expect(await insert({})).toBe(CHECK_VIOLATION);
    expect(await insert({ scope: 'finding', clearance_id: clearance })).toBe(CHECK_VIOLATION);
    expect(await insert({ clearance_id: clearance, rule_id: 'territory-outputs' })).toBe(CHECK_VIOLATION);
    expect(await insert({ scope: 'everything', clearance_id: clearance })).toBe(CHECK_VIOLATION);
    const finding = { scope: 'finding', listing_id: 'a@b', rule_id: 'r', decisive_sha256: 'x' };
    expect(await insert(finding)).toBe(CHECK_VIOLATION);
    expect(await insert({ ...finding, project_id: newId() })).toBe(FOREIGN_KEY_VIOLATION);
    expect(await insert({ clearance_id: clearance, approved_by: rows.people.maker })).toBe(CHECK_VIOLATION);
  });
});

describe('what is recorded in a registry', () => {
  it('is never changed or removed, whoever tries', async () => {
    const by = { created_by: rows.people.reviewer, created_at: new Date() };
    await rows.insert('license_text', { sha256: 'x', bytes: Buffer.from('t') });
    await rows.insert('license_text_reading', {
      version: 900,
      id: newId(),
      license_key: 'k',
      sha256: 'x',
      listing_ids: [],
      affected_listing_ids: [],
      read_on: '2026-11-22',
      change: 'first',
      terms_read_from_this: false,
      entry_id: newId(),
      ...by,
    });
    const listing = { listing: Buffer.from('{}'), sha256: 'x', source: 'typed', entry_id: newId() };
    await rows.insert('listing_version', { listing_id: 'a@b', version: 901, id: newId(), ...listing, ...by });
    const correction = { fact: 'license', correction: '{}', evidence: '{}', sha256: 'x' };
    await rows.insert('curation', { version: 902, id: newId(), listing_id: 'a@b', ...correction, ...by });
    await rows.insert('listing_archive', { sha256: 'x', listing_id: 'a@b', listing: Buffer.from('{}') });
    for (const table of [
      'license_text',
      'license_text_reading',
      'listing_version',
      'curation',
      'listing_archive',
    ]) {
      for (const sql of [
        `UPDATE ${table} SET sha256 = 'y'`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table} CASCADE`,
      ])
        expect([sql, await outcomeOf(rows.inspector.query(sql))]).toEqual([sql, DENIED]);
    }
  });
});
