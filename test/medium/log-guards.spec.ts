import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { newId } from '../../src/shared/ids.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/**
 * What the application, the sequencer, the owner of the tables and a superuser can do to the log. Prevention ends with
 * the superuser; what finds that one out is tested in log.spec.ts (fsck, and the comparison of rows with tiles).
 */

const PARTITION = 'audit_entry_000000';
const LOG_TABLES = ['audit_entry', PARTITION, 'audit_checkpoint', 'audit_cosignature', 'audit_time_stamp'];

let database: TestDatabase;
let superuser: pg.Client;
let owner: pg.Client;
let application: pg.Client;
let sequencer: pg.Client;
const organizationId = newId();

async function connect(url: string, options = ''): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    options: `-c search_path=colophon -c app.organization_id=${organizationId} ${options}`,
  });
  await client.connect();
  return client;
}

beforeAll(async () => {
  database = await createTestDatabase();
  superuser = await connect(database.administratorUrl);
  owner = await connect(database.administratorUrl, '-c role=colophon_owner');
  application = await connect(database.applicationUrl);
  sequencer = await connect(database.sequencerUrl);
  await superuser.query(
    'INSERT INTO organization (organization_id, name, created_at) VALUES ($1, $2, now())',
    [organizationId, 'o'],
  );
  await superuser.query(
    `INSERT INTO audit_log (organization_id, origin, vkey, size, edge, created_at) VALUES ($1, 'o', 'v', 3, '{}', now())`,
    [organizationId],
  );
  await insertEntry(0);
  await superuser.query(
    `INSERT INTO audit_checkpoint (organization_id, size, edge, note, signed_at) VALUES ($1, 1, '{}', 'n', now())`,
    [organizationId],
  );
  await superuser.query(
    `INSERT INTO audit_cosignature (organization_id, size, witness, cosignature, witnessed_at, received_at)
     VALUES ($1, 1, 'w', 'c', now(), now())`,
    [organizationId],
  );
  await superuser.query(
    `INSERT INTO audit_time_stamp (organization_id, size, authority, token, stamped_at, received_at)
     VALUES ($1, 1, 'a', '\\x00', now(), now())`,
    [organizationId],
  );
});
afterAll(async () => {
  await Promise.all([superuser.end(), owner.end(), application.end(), sequencer.end()]);
  await database.drop();
});

function insertEntry(index: number): Promise<unknown> {
  return superuser.query(
    `INSERT INTO audit_entry (organization_id, index, entry_id, entry, entry_type, subject_kind, subject_id, actor_id, recorded_at)
     VALUES ($1, $2, $3, 'x', 't', 's', 'i', 'a', now())`,
    [organizationId, index, newId()],
  );
}

/** `done`, or the SQLSTATE with which it was refused; nothing is kept. */
async function attempt(client: pg.Client, sql: string): Promise<string> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    return 'done';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    await client.query('ROLLBACK');
  }
}

const DENIED = '42501';

const changesTo = (table: string): string[] => [
  `UPDATE ${table} SET organization_id = organization_id`,
  `DELETE FROM ${table}`,
  `TRUNCATE ${table} CASCADE`,
];

const DEFINITIONS = [
  'ALTER SCHEMA colophon RENAME TO elsewhere',
  'DROP POLICY sequencer_sees_all ON audit_entry',
  `ALTER TABLE audit_entry ALTER COLUMN entry TYPE bytea USING 'y'::bytea`,
  `ALTER TABLE audit_checkpoint ALTER COLUMN note TYPE varchar(3) USING 'y'`,
  `ALTER TABLE audit_entry DETACH PARTITION ${PARTITION}`,
  `DROP TABLE ${PARTITION}`,
  'DROP TABLE audit_entry CASCADE',
  'ALTER TABLE audit_entry DISABLE TRIGGER append_only_row',
  `ALTER TABLE ${PARTITION} DISABLE TRIGGER ALL`,
  'ALTER TABLE audit_checkpoint ENABLE TRIGGER append_only_row',
  'ALTER TABLE audit_checkpoint ENABLE REPLICA TRIGGER append_only_truncate',
  'DROP TRIGGER append_only_row ON audit_entry',
  `DROP TRIGGER append_only_truncate ON ${PARTITION}`,
  'DROP TRIGGER head_only_grows ON audit_log',
  'ALTER TABLE audit_entry DROP COLUMN actor_id',
  'ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY',
  'ALTER TABLE audit_entry RENAME TO audit_entry_old',
  `ALTER TABLE ${PARTITION} RENAME TO audit_entry_999999x`,
  'ALTER TABLE audit_entry SET SCHEMA public',
  'ALTER TRIGGER append_only_row ON audit_checkpoint RENAME TO x',
  'DROP FUNCTION refuse_change() CASCADE',
  `CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
  'DROP EVENT TRIGGER colophon_log_guards',
  `CREATE OR REPLACE FUNCTION colophon_guard.glass_is_broken() RETURNS boolean LANGUAGE sql AS 'SELECT true'`,
];

describe('the application', () => {
  it.each(LOG_TABLES.flatMap(changesTo))('cannot: %s', async (sql) => {
    expect(await attempt(application, sql)).toBe(DENIED);
  });

  it.each([
    `SET LOCAL session_replication_role = replica`,
    `INSERT INTO audit_entry SELECT * FROM audit_entry`,
    `INSERT INTO audit_checkpoint SELECT * FROM audit_checkpoint`,
    `SELECT * FROM ${PARTITION}`,
    `SELECT open_entry_partition(99999999)`,
    `UPDATE audit_log SET size = 9`,
    ...DEFINITIONS,
  ])('cannot: %s', async (sql) => {
    expect(await attempt(application, sql)).toBe(DENIED);
  });
});

describe('the sequencer', () => {
  it.each([
    ...LOG_TABLES.flatMap(changesTo),
    ...DEFINITIONS,
    `UPDATE audit_log SET origin = 'x'`,
    `UPDATE audit_log SET size = 2`,
    `UPDATE audit_log SET edge = ARRAY['\\x00'::bytea]`,
    'DELETE FROM audit_log',
  ])('cannot: %s', async (sql) => {
    expect(await attempt(sequencer, sql)).toBe(DENIED);
  });

  it('can open the next partition, which is guarded like the first one', async () => {
    await sequencer.query('SELECT open_entry_partition(16777216)');
    await sequencer.query('SELECT open_entry_partition(33554431)');
    await insertEntry(16_777_216);
    for (const sql of changesTo('audit_entry_000001')) expect(await attempt(owner, sql)).toBe(DENIED);
    expect(await attempt(owner, 'ALTER TABLE audit_entry_000001 DISABLE TRIGGER ALL')).toBe(DENIED);
    const { rows } = await superuser.query<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'audit_entry'::regclass ORDER BY 1`,
    );
    expect(rows.map(({ name }) => name)).toEqual([PARTITION, 'audit_entry_000001']);
  });
});

describe('the owner of the tables, who runs the migrations', () => {
  it.each([...LOG_TABLES.flatMap(changesTo), ...DEFINITIONS])('cannot: %s', async (sql) => {
    expect(await attempt(owner, sql)).toBe(DENIED);
  });

  it('cannot break the glass: that is for a superuser', async () => {
    await owner.query(`SET colophon.break_glass = 'on'`);
    try {
      for (const sql of DEFINITIONS) expect(await attempt(owner, sql)).toBe(DENIED);
    } finally {
      await owner.query('RESET colophon.break_glass');
    }
  });

  it('can add what does not touch the log: a table, a column with no value, an index', async () => {
    for (const sql of [
      'CREATE TABLE something (id int)',
      'ALTER TABLE audit_entry ADD COLUMN remark text',
      'CREATE INDEX another ON audit_entry (organization_id, recorded_at)',
    ])
      expect(await attempt(owner, sql)).toBe('done');
  });
});

describe('a superuser', () => {
  it.each([...LOG_TABLES.flatMap(changesTo), ...DEFINITIONS.slice(0, 21)])(
    'is refused by mistake-proof guards: %s',
    async (sql) => {
      expect(await attempt(superuser, sql)).toBe(DENIED);
    },
  );

  it.each(LOG_TABLES.flatMap(changesTo))('is refused also as a replica: %s', async (sql) => {
    expect(await attempt(superuser, `SET LOCAL session_replication_role = replica; ${sql}`)).toBe(DENIED);
  });

  it('can do all of it when saying so: signed checkpoints find it, nothing prevents it', async () => {
    const sql = `SET LOCAL colophon.break_glass = 'on'; ALTER TABLE audit_entry DISABLE TRIGGER append_only_row;
                 UPDATE audit_entry SET entry = 'y'`;
    expect(await attempt(superuser, sql)).toBe('done');
  });
});
