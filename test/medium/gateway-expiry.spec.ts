import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { newId } from '../../src/shared/ids.js';
import { Inspector } from '../support/inspector.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** What the gateway keeps beside runs goes after 30 days; what is open, owed or held does not. */

let database: TestDatabase;
let inspector: Inspector;
/** As the background removal is connected. */
let sequencer: pg.Client;
const organizationId = newId();
const person = newId();
const useCaseId = newId();

beforeAll(async () => {
  database = await createTestDatabase();
  inspector = await Inspector.open(database);
  sequencer = new pg.Client({
    connectionString: database.sequencerUrl,
    options: '-c search_path=colophon',
  });
  await sequencer.connect();
  const statements: [string, unknown[]][] = [
    [`INSERT INTO organization VALUES ($1, 'o', now())`, [organizationId]],
    [`INSERT INTO project VALUES ($1, $2, 'p', now())`, [organizationId, useCaseId]],
    [`INSERT INTO use_case VALUES ($1, $2, $2, 'u', now())`, [organizationId, useCaseId]],
    [`INSERT INTO clearance VALUES ($1, $2, 'allow', '', '', $2, now())`, [organizationId, useCaseId]],
    [
      `INSERT INTO principal (organization_id, id, kind, display_name, roles, created_at)
       VALUES ($1, $2, 'user', 'Ada', '{creator}', now())`,
      [organizationId, person],
    ],
  ];
  for (const [sql, values] of statements) await inspector.query(sql, values);
});
afterAll(async () => {
  await sequencer.end();
  await inspector.close();
  await database.drop();
});

interface Made {
  readonly ageDays: number;
  readonly finishedDaysAgo?: number;
  readonly state?: string;
  readonly delivery?: 'due' | 'delivered';
  readonly createdBy?: string;
}

async function newJob({ ageDays, finishedDaysAgo = ageDays, ...rest }: Made): Promise<string> {
  const { state = 'SUCCEEDED', delivery = 'delivered', createdBy = person } = rest;
  const id = newId();
  const isOver = state !== 'RUNNING' && state !== 'NEEDS_RECONCILIATION';
  await inspector.query(
    `INSERT INTO run (organization_id, id, project_id, use_case_id, pipeline_name, pipeline_version, definition,
                      sealed_inputs, mode, state, clearance_id, created_by, created_at, finished_at)
     VALUES ($1, $2, $3, $3, 'gateway-fal', 1, '', '', 'live', $4, $3, $5, now() - make_interval(days => $6),
             CASE WHEN $7 THEN now() - make_interval(days => $8) END)`,
    [organizationId, id, useCaseId, state, createdBy, ageDays, isOver, finishedDaysAgo],
  );
  await inspector.query(
    `INSERT INTO gateway_job VALUES ($1, $2, 'fal', 'm', 'http://x', 'sealed', '{completed}',
       now() - make_interval(days => $3))`,
    [organizationId, id, ageDays],
  );
  await inspector.query(
    `INSERT INTO gateway_delivery (organization_id, id, run_id, event, ordinal, state, attempts, created_at)
     VALUES ($1, $2, $3, 'completed', 0, $4, 1, now() - make_interval(days => $5))`,
    [organizationId, newId(), id, delivery, ageDays],
  );
  await inspector.query(
    `INSERT INTO gateway_request (organization_id, id, slot_mac, request_mac, is_keyed, claim_token, claimed_until,
                                  run_id, created_at)
     VALUES ($1, $2, $3, '', true, $2, now(), $4, now() - make_interval(days => $5))`,
    [organizationId, newId(), Buffer.from(id), id, ageDays],
  );
  return id;
}

const left = async (table: 'gateway_job' | 'gateway_delivery' | 'gateway_request'): Promise<string[]> =>
  (await inspector.query<{ run_id: string }>(`SELECT run_id FROM ${table} ORDER BY run_id`)).map(
    (row) => row.run_id,
  );

const forget = async (what: string, atMost = 1000): Promise<number> => {
  const sql = `SELECT delete_expired_gateway_${what}($1) AS deleted`;
  return (await sequencer.query<{ deleted: number }>(sql, [atMost])).rows[0]?.deleted ?? -1;
};

async function clear(): Promise<void> {
  await inspector.query('ALTER TABLE gateway_job DISABLE TRIGGER guard_gateway_job');
  for (const table of ['gateway_delivery', 'gateway_job', 'gateway_request', 'legal_hold'])
    await inspector
      .query(`ALTER TABLE ${table} DISABLE TRIGGER USER`)
      .then(() =>
        inspector
          .query(`DELETE FROM ${table}`)
          .then(() => inspector.query(`ALTER TABLE ${table} ENABLE TRIGGER USER`)),
      );
  await inspector.query('ALTER TABLE gateway_job ENABLE ALWAYS TRIGGER guard_gateway_job');
}

describe('jobs of the gateway', () => {
  it('go with what was told about them when they are old and over, and nothing else goes', async () => {
    const old = await newJob({ ageDays: 31 });
    const kept = [
      await newJob({ ageDays: 29 }),
      await newJob({ ageDays: 40, finishedDaysAgo: 10 }),
      await newJob({ ageDays: 40, state: 'RUNNING' }),
      await newJob({ ageDays: 40, state: 'NEEDS_RECONCILIATION' }),
      await newJob({ ageDays: 40, delivery: 'due' }),
    ].sort();
    expect(await forget('jobs')).toBe(1);
    expect(await left('gateway_job')).toEqual(kept);
    expect(await left('gateway_delivery')).toEqual(kept);
    expect(await inspector.query('SELECT 1 FROM run WHERE id = $1', [old])).toHaveLength(1);
    expect(await forget('jobs')).toBe(0);
    await clear();
  });

  it('go in bounded steps, of whichever organization', async () => {
    for (let job = 0; job < 5; job++) await newJob({ ageDays: 31 + job });
    expect([await forget('jobs', 2), await forget('jobs', 2), await forget('jobs', 2)]).toEqual([2, 2, 1]);
    await clear();
  });

  it.each([
    ['the organization', 'organization', () => null],
    ['the person', 'data_subject', () => person],
    ['the project', 'project', () => useCaseId],
    ['the run', 'run', (run: string) => run],
  ])('stay while a legal hold is on %s', async (_, kind, scope) => {
    const run = await newJob({ ageDays: 31 });
    const hold = newId();
    await inspector.query(
      `INSERT INTO legal_hold (organization_id, id, scope_kind, scope_id, placed_by, placed_entry_id, placed_at)
       VALUES ($1, $2, $3, $4, $5, $2, now())`,
      [organizationId, hold, kind, scope(run), person],
    );
    expect(await forget('jobs')).toBe(0);
    expect(await left('gateway_job')).toEqual([run]);
    await inspector.query(
      'UPDATE legal_hold SET lifted_by = $2, lifted_entry_id = id, lifted_at = now() WHERE id = $1',
      [hold, person],
    );
    expect(await forget('jobs')).toBe(1);
    await clear();
  });

  it('are changed by nobody, and removed before their time by nobody', async () => {
    await newJob({ ageDays: 29 });
    for (const sql of ['DELETE FROM gateway_job', `UPDATE gateway_job SET model = 'x'`])
      await expect(inspector.query(sql)).rejects.toThrow('append-only');
    await expect(inspector.query('TRUNCATE gateway_job CASCADE')).rejects.toThrow('append-only');
    await clear();
  });
});

describe('requests of the gateway', () => {
  it('stay as long as the run that they became is open: it is charged once', async () => {
    const open = await newJob({ ageDays: 40, state: 'NEEDS_RECONCILIATION' });
    await newJob({ ageDays: 40 });
    expect(await forget('requests')).toBe(1);
    expect(await left('gateway_request')).toEqual([open]);
    await clear();
  });
});
