import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { newId } from '../../src/shared/ids.js';
import { HumanWorkRows } from '../support/human-work-rows.js';

const HASH = 'ab'.repeat(32);
const NOW = new Date();

let rows: HumanWorkRows;
let application: pg.Client;
let asset: string;
let other: string;
let obligation: string;
const laterOne = newId();

beforeAll(async () => {
  rows = await HumanWorkRows.create();
  asset = await rows.makeAsset(rows.people.maker);
  other = await rows.makeAsset(rows.people.maker);
  obligation = newId();
  for (const id of [asset, other]) {
    await rows.insert('asset_obligation_list', {
      asset_id: id,
      sha256: HASH,
      calendar_sha256: HASH,
      calendar_read_on: '2026-11-23',
      entry_id: newId(),
      created_at: NOW,
    });
  }
  const row = { ordinal: 1, id: obligation, key: 'law:x', obligation: Buffer.from('{}') };
  await rows.insert('asset_obligation', { asset_id: asset, ...row });
  await rows.insert('later_obligation', {
    ...{ asset_id: asset, id: laterOne, key: 'law:z', since: 'added', as_of: '2026-12-02' },
    ...{ obligation: Buffer.from('{}'), created_at: NOW },
  });
  await rows.insert('obligation_proof', proof());
  application = new pg.Client({
    connectionString: rows.database.applicationUrl,
    options: `-c search_path=colophon -c app.organization_id=${rows.organization}`,
  });
  await application.connect();
});
afterAll(async () => {
  await application.end();
  await rows.drop();
});

function proof(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    asset_id: asset,
    obligation_id: obligation,
    ordinal: 1,
    id: newId(),
    proved_by: rows.people.reviewer,
    outcome: 'done',
    sealed_text: 'x',
    entry_id: newId(),
    created_at: NOW,
    ...changes,
  };
}

/** As the application would write it, round the program. */
async function written(table: string, columns: Record<string, unknown>): Promise<string> {
  const all = { organization_id: rows.organization, ...columns };
  const places = Object.keys(all).map((_, i) => `$${i + 1}`);
  try {
    await application.query(
      `INSERT INTO ${table} (${Object.keys(all).join(', ')}) VALUES (${places.join(', ')})`,
      Object.values(all),
    );
    return 'accepted';
  } catch (error) {
    return (error as { constraint?: string }).constraint ?? String(error);
  }
}

describe('obligations and their proofs, written straight into the database', () => {
  it.each(['asset_obligation_list', 'asset_obligation', 'later_obligation', 'obligation_proof'])(
    '%s is never changed, deleted or emptied, by the owner neither',
    async (table) => {
      for (const statement of [
        `UPDATE ${table} SET organization_id = organization_id`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table} CASCADE`,
      ]) {
        await expect(application.query(statement)).rejects.toThrow(/permission denied/);
        await expect(rows.inspector.query(statement)).rejects.toThrow(
          /append-only|never changed|not allowed/i,
        );
      }
    },
  );

  it('lets nobody put a second first word in the place of the one that is there', async () => {
    expect(await written('obligation_proof', proof({ outcome: 'open' }))).toBe('obligation_proof_pkey');
    expect(await written('obligation_proof', proof({ ordinal: 2, outcome: 'open' }))).toBe('accepted');
  });

  it('takes a proof only for an obligation of this very asset, by somebody who exists, with a known outcome', async () => {
    const next = (changes: Record<string, unknown>) =>
      written('obligation_proof', proof({ ordinal: 3, ...changes }));
    expect(await next({ asset_id: other })).toBe('obligation_proof_listed_fkey');
    expect(await next({ obligation_id: newId() })).toBe('obligation_proof_listed_fkey');
    // One of the list is none that came later, nor the other way round.
    expect(await next({ is_later: true })).toBe('obligation_proof_later_fkey');
    expect(await next({ obligation_id: laterOne, ordinal: 1 })).toBe('obligation_proof_listed_fkey');
    expect(await next({ obligation_id: laterOne, ordinal: 1, is_later: true })).toBe('accepted');
    expect(await next({ obligation_id: laterOne, ordinal: 1, is_later: true })).toBe('obligation_proof_pkey');
    expect(await next({ proved_by: newId() })).toMatch(/proved_by_fkey/);
    expect(await next({ evidence_asset_id: newId() })).toMatch(/evidence_asset_id_fkey/);
    expect(await next({ outcome: 'perhaps' })).toBe('obligation_proof_outcome_check');
    expect(await next({ evidence_sha256: 'x' })).toBe('obligation_proof_sha256_check');
    expect(await next({ ordinal: 0 })).toBe('obligation_proof_ordinal_check');
  });

  it('takes an obligation only for an asset whose list was written, and one of a kind', async () => {
    const bare = await rows.makeAsset(rows.people.maker);
    const row = { ordinal: 1, id: newId(), key: 'law:y', obligation: Buffer.from('{}') };
    expect(await written('asset_obligation', { asset_id: bare, ...row })).toMatch(/fkey/);
    const twice = { ...row, ordinal: 2, key: 'law:x' };
    expect(await written('asset_obligation', { asset_id: asset, ...twice })).toBe(
      'asset_obligation_key_unique',
    );
  });
});
