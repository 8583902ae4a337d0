import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DataSource } from 'typeorm';
import { createDataSource } from '../../src/database/data-source.js';
import { sha256Hex } from '../../src/shared/bytes.js';
import { newId } from '../../src/shared/ids.js';
import { HumanWorkRows } from '../support/human-work-rows.js';

const HASH = 'ab'.repeat(32);
const NOW = new Date();

let rows: HumanWorkRows;
let owner: DataSource;
let asset: string;
let claim: string;
const [listed, later] = [newId(), newId()];
const step = newId();
const [firstDecision, secondDecision] = [newId(), newId()];

beforeAll(async () => {
  rows = await HumanWorkRows.create();
  asset = await rows.makeAsset(rows.people.maker);
  claim = newId();
  const sealed = { sealed_text: 'x', entry_id: newId(), created_at: NOW };
  await rows.insert('asset_claim', {
    ...{ id: claim, asset_id: asset, kind: 'copyright', received_on: '2026-11-30' },
    ...{ ...sealed, sealed_claimant: 'x', recorded_by: rows.people.reviewer },
  });
  await answerClaim(1);
  await rows.insert('asset_obligation_list', {
    ...{ asset_id: asset, sha256: HASH, calendar_sha256: HASH, calendar_read_on: '2026-11-23' },
    ...{ entry_id: newId(), created_at: NOW },
  });
  const obligation = { asset_id: asset, obligation: Buffer.from('{}') };
  await rows.insert('asset_obligation', { ...obligation, ordinal: 1, id: listed, key: 'law:x' });
  await prove(listed, {});
  await insertLater();
  await insertDecisions();
  await insertSteps();
  owner = createDataSource({
    ...{ url: rows.database.administratorUrl, role: 'colophon_owner' },
    ...{ applicationName: 'migrations', poolSize: 1, entities: [] },
  });
  await owner.initialize();
});
afterAll(async () => {
  await owner.destroy();
  await rows.drop();
});

/** Two steps that had the same jobs, one of them in an earlier attempt. */
async function insertSteps(): Promise<void> {
  const run = await rows.startRun(rows.people.maker);
  for (const [ordinal, id] of [step, newId()].entries()) {
    await rows.insert('step_run', {
      ...{ id, run_id: run, key: `k${ordinal}`, ordinal, operation: 'generate', provider: 'fal' },
      ...{ listing_id: 'l', endpoint: 'e', depends_on: [], state: 'FAILED', reserved_micro_usd: 0 },
      ...{ created_at: NOW, updated_at: NOW, upstream_id: 'job-2', former_upstream_ids: ['job-1'] },
    });
  }
}

/** What a listing says, one decision that is the first to rest on it, and another one; both refer to its words. */
async function insertDecisions(): Promise<void> {
  const outlook = JSON.stringify({
    findings: [{ fact: { name: 'f', value: 1 }, howToFix: 'h', message: 'm', ruleId: 'r', term: null }],
    listingId: 'a@b',
    obligations: [{ kind: 'attribution', text: 'Name them.' }],
    terms: [{ id: 't' }],
  });
  const outcome = {
    decision: 'review',
    findings: [
      { listingId: 'a@b', message: 'own', said: 0, severity: 'review' },
      { ruleId: 'whole' },
      { cites: 0, listingId: 'a@b' },
    ],
    obligations: [{ listingId: 'a@b', said: 0 }],
  };
  const decision = {
    ...{ decision: 'review', input: Buffer.from('{}'), outcome: Buffer.from(JSON.stringify(outcome)) },
    ...{ created_by: rows.people.maker, created_at: NOW },
  };
  const stored = { sha256: sha256Hex(outlook), outlook: Buffer.from(outlook) };
  await rows.insert('outlook_archive', { ...stored, listing_id: 'a@b' });
  await rows.insert('clearance', { ...decision, id: firstDecision, basis_sha256: HASH });
  await rows.insert('clearance_listing', {
    ...{ clearance_id: firstDecision, listing_id: 'a@b', sha256: HASH, decisive_sha256: HASH },
    ...{ license_key: 'MIT', outlook_sha256: stored.sha256 },
  });
  await rows.insert('clearance', { ...decision, id: secondDecision, basis_id: firstDecision });
}

async function insertLater(): Promise<void> {
  await rows.insert('later_obligation', {
    ...{ asset_id: asset, id: later, key: 'law:y', since: 'added', as_of: '2026-11-30' },
    ...{ obligation: Buffer.from('{}'), created_at: NOW },
  });
  await prove(later, { is_later: true });
}

function answerClaim(ordinal: number): Promise<void> {
  return rows.insert('claim_answer', {
    ...{ claim_id: claim, ordinal, id: newId(), outcome: 'rejected', sealed_text: 'x' },
    ...{ answered_by: rows.people.reviewer, entry_id: newId(), created_at: NOW },
  });
}

function prove(obligation: string, more: Record<string, unknown>): Promise<void> {
  return rows.insert('obligation_proof', {
    ...{ asset_id: asset, obligation_id: obligation, ordinal: 1, id: newId(), outcome: 'done' },
    ...{ proved_by: rows.people.reviewer, sealed_text: 'x', entry_id: newId(), created_at: NOW },
    ...more,
  });
}

/** Everything that migrations make, in an order of its own. */
async function schema(): Promise<string[]> {
  const found = await rows.inspector.query<{ line: string }>(
    `SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
              || coalesce(column_default, '') || ' ' || coalesce(generation_expression, '') AS line
       FROM information_schema.columns WHERE table_schema = 'colophon'
     UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
       FROM pg_constraint WHERE connamespace = 'colophon'::regnamespace
     UNION ALL SELECT 'trigger ' || tgrelid::regclass || ' ' || pg_get_triggerdef(oid) || ' ' || tgenabled::text
       FROM pg_trigger WHERE NOT tgisinternal
     UNION ALL SELECT 'function ' || pg_get_functiondef(oid) || ' ' || coalesce(proacl::text, '')
       FROM pg_proc WHERE pronamespace = 'colophon'::regnamespace
     UNION ALL SELECT 'table ' || relname || ' ' || relrowsecurity || relforcerowsecurity || ' ' || coalesce(relacl::text, '')
       FROM pg_class WHERE relnamespace = 'colophon'::regnamespace AND relkind IN ('r', 'p')
     UNION ALL SELECT 'policy ' || tablename || ' ' || policyname || ' ' || qual FROM pg_policies
     UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'colophon'
     ORDER BY line`,
  );
  return found.map(({ line }) => line);
}

async function count(table: string): Promise<number> {
  const [row] = await rows.inspector.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
  return row?.n ?? 0;
}

describe('the last migrations, on a database with rows', () => {
  it('go back one by one, and forward again to the same schema, and keep what the older one has room for', async () => {
    const newest = await schema();
    expect(newest.some((line) => line.includes('later_obligation'))).toBe(true);

    // 0049: decisions have no salt, and no tool is erased; a record changes in nothing again.
    await owner.undoLastMigration({ transaction: 'each' });
    expect((await schema()).join('\n')).not.toMatch(/input_salt|erase_named_tools|guard_contribution\(\)/);

    // 0048: what was found out about human work goes, as long as nothing was.
    await owner.undoLastMigration({ transaction: 'each' });
    expect((await schema()).join('\n')).not.toContain('contribution_signature_unique');

    // 0046: the directory of jobs goes; what is in it stands in the steps.
    await owner.undoLastMigration({ transaction: 'each' });
    expect((await schema()).join('\n')).not.toContain('upstream_job');

    // 0045: each decision says all of it by itself again, and has rows of its own.
    await owner.undoLastMigration({ transaction: 'each' });
    expect((await schema()).join('\n')).not.toMatch(/outlook|basis_sha256|basis_id/);
    const said = {
      decision: 'review',
      findings: [
        {
          ...{ listingId: 'a@b', severity: 'review', fact: { name: 'f', value: 1 }, howToFix: 'h' },
          ...{ message: 'own', ruleId: 'r', term: null },
        },
        { ruleId: 'whole' },
        { listingId: 'a@b', term: { id: 't' } },
      ],
      obligations: [{ kind: 'attribution', text: 'Name them.' }],
    };
    for (const id of [firstDecision, secondDecision]) {
      const [row] = await rows.inspector.query<{ result: Buffer; listings: number }>(
        `SELECT result, (SELECT count(*)::int FROM clearance_listing WHERE clearance_id = c.id) AS listings
           FROM clearance c WHERE id = $1`,
        [id],
      );
      expect([JSON.parse(String(row?.result)), row?.listings]).toEqual([said, 1]);
    }
    await expect(rows.inspector.query('DELETE FROM clearance')).rejects.toThrow(/append-only/);

    // 0044: proofs of the list stay, and are of the list alone again.
    await owner.undoLastMigration({ transaction: 'each' });
    expect(await count('obligation_proof')).toBe(1);
    expect((await schema()).join('\n')).not.toMatch(/later_obligation|is_later/);
    await expect(prove(later, {})).rejects.toThrow(/foreign key/);
    await expect(rows.inspector.query('DELETE FROM obligation_proof')).rejects.toThrow(/append-only|never/i);

    // 0043: claims and their answers stay; a removal asks holds alone, and nothing waits for it.
    await owner.undoLastMigration({ transaction: 'each' });
    expect([await count('asset_claim'), await count('claim_answer')]).toEqual([1, 1]);
    const older = (await schema()).join('\n');
    expect(older).not.toContain('wait_for_removals');
    const claims =
      /FUNCTION colophon\.claim_removed_files[\s\S]*?\$function\$[\s\S]*?\$function\$/.exec(older)?.[0] ?? '';
    expect(claims).toContain('held_assets');
    expect(claims).not.toContain('disputed_assets');
    await answerClaim(2);

    await owner.runMigrations({ transaction: 'each' });
    expect(await schema()).toEqual(newest);
    expect([await count('obligation_proof'), await count('claim_answer')]).toEqual([1, 2]);
    await insertLater();
    await answerClaim(3);
    const jobs = await rows.inspector.query<{ job_sha256: string; step_run_id: string }>(
      'SELECT job_sha256, step_run_id FROM upstream_job ORDER BY job_sha256',
    );
    const known = ['fal\njob-1', 'fal\njob-2'].map((job) => sha256Hex(Buffer.from(job))).sort();
    expect(jobs).toEqual(known.map((hash) => ({ job_sha256: hash, step_run_id: step })));
  });
});
