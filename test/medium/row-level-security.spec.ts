import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { type DataSource } from 'typeorm';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import { sha256Hex } from '../../src/shared/bytes.js';
import { newId } from '../../src/shared/ids.js';
import { Inspector } from '../support/inspector.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Tables that tell, before any organization is known, which one a key, a step or a file belongs to. No other data. */
const DIRECTORIES = [
  'api_key_route',
  'released_manifest',
  'signed_claim',
  'signed_file',
  'step_route',
  'upstream_job',
];
/** Of the installation, not of an organization: which keys sign. Private keys are not in it. */
const INSTALLATION = ['signing_key', 'signing_key_event'];
/** Made for searching; the application has no right on it but to ask two functions. See recovery.spec.ts. */
const SEALED_INDEX = 'fingerprint_index';
const LOG_TABLES = [
  'audit_anchor_state',
  'audit_checkpoint',
  'audit_cosignature',
  'audit_entry',
  'audit_log',
  'audit_pending',
  'audit_time_stamp',
];
/** Partitions are reached through their table only: nobody has rights on them. See log-guards.spec.ts. */
const isPartition = (name: string): boolean => /^audit_entry_\d{6}$/.test(name);

let database: TestDatabase;
let inspector: Inspector;
let application: pg.Client;
let sequencer: pg.Client;
let owner: pg.Client;

async function connect(connectionString: string, role?: string): Promise<pg.Client> {
  const options = `-c search_path=colophon${role === undefined ? '' : ` -c role=${role}`}`;
  const client = new pg.Client({ connectionString, options });
  await client.connect();
  return client;
}

/** Runs one statement inside an organization and rolls back; answers the SQLSTATE of a refusal, or the row count. */
async function attempt(client: pg.Client, organization: string, sql: string): Promise<string | number> {
  await client.query('BEGIN');
  try {
    await client.query(`SELECT set_config('app.organization_id', $1, true)`, [organization]);
    return (await client.query(sql)).rowCount ?? 0;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.query('ROLLBACK');
  }
}

const DENIED = '42501'; // insufficient_privilege: no grant, a policy, or refuse_change()
const first = newId();
const second = newId();

beforeAll(async () => {
  database = await createTestDatabase();
  inspector = await Inspector.open(database);
  application = await connect(database.applicationUrl);
  sequencer = await connect(database.sequencerUrl);
  owner = await connect(database.administratorUrl, 'colophon_owner');
  for (const id of [first, second]) await fill(id);
});
afterAll(async () => {
  await Promise.all([application, sequencer, owner].map((client) => client.end()));
  await inspector.close();
  await database.drop();
});

/** One row in each table that an attacker would like to change. */
async function fill(id: string): Promise<void> {
  const insert = (table: string, columns: Record<string, unknown>) =>
    inspector.query(
      `INSERT INTO ${table} (organization_id, ${Object.keys(columns).join(', ')})
       VALUES ($1, ${Object.keys(columns)
         .map((_, i) => `$${i + 2}`)
         .join(', ')})`,
      [id, ...Object.values(columns)],
    );
  const now = new Date();
  const by = newId();
  const entry = {
    entry: Buffer.from('{}'),
    entry_type: 't',
    subject_kind: 's',
    subject_id: 'i',
    actor_id: 'a',
  };
  await insert('organization', { name: id, created_at: now });
  await insert('project', { id, name: 'p', created_at: now });
  await insert('principal', { id, kind: 'user', display_name: 'n', roles: ['admin'], created_at: now });
  await insert('api_key', {
    id: id.slice(-12),
    principal_id: id,
    mode: 'live',
    secret_sha256: Buffer.alloc(32),
    created_at: now,
  });
  await insert('audit_log', { origin: id, vkey: 'v', size: 0, edge: [], created_at: now });
  await insert('audit_pending', { entry_id: id, ...entry, recorded_at: now });
  await insert('audit_entry', {
    index: 0,
    entry_id: newId(),
    ...entry,
    recorded_at: now,
  });
  await insert('audit_checkpoint', { size: 1, edge: [], note: 'n', signed_at: now });
  const canonical = { input: Buffer.from('{}'), result: Buffer.from('{}') };
  await insert('clearance', { id, decision: 'review', ...canonical, created_by: by, created_at: now });
  await insert('outlook_archive', { sha256: sha256Hex('{}'), listing_id: 'l', outlook: Buffer.from('{}') });
  await insert('clearance_matrix', {
    id,
    input: Buffer.from('{}'),
    result_sha256: 'x',
    engine_version: '2.0.0',
    allowed: 1,
    reviewed: 0,
    denied: 0,
    registry_version: 0,
    created_by: id,
    created_at: now,
  });
  await insert('waiver', {
    id,
    clearance_id: id,
    reason: 'r',
    requested_by: by,
    approved_by: id,
    expires_at: now,
    created_at: now,
  });
  await insert('asset', {
    id,
    project_id: id,
    origin: 'upload',
    mode: 'live',
    title: 't',
    media_type: 'image/png',
    size_bytes: 1,
    width: 1,
    height: 1,
    sha256: 'x',
    original_sha256: 'x',
    original_media_type: 'image/png',
    claim_sha256: 'x',
    manifest_sha256: 'x',
    manifest_label: 'x',
    kind: 'image',
    manifest_placement: 'embedded',
    entry_id: id,
    created_by: by,
    created_at: now,
  });
  await insert('budget', { scope: 'organization', limit_micro_usd: 5 });
}

async function tenantTables(): Promise<string[]> {
  const rows = await inspector.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'colophon' AND column_name = 'organization_id' ORDER BY table_name`,
  );
  return rows
    .map(({ name }) => name)
    .filter((name) => ![...DIRECTORIES, ...INSTALLATION, SEALED_INDEX].includes(name) && !isPartition(name));
}

describe('every table of an organization', () => {
  it('has forced row-level security and a policy, and organization_id leads its primary key', async () => {
    const rows = await inspector.query<Record<string, unknown>>(
      `SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
              (SELECT count(*)::int FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'organization_isolation'
                 AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL AND p.polcmd = '*' AND p.polroles = '{0}') AS policies,
              (SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
                WHERE i.indrelid = c.oid AND i.indisprimary) AS leads
         FROM pg_class c WHERE c.relnamespace = 'colophon'::regnamespace AND c.relkind IN ('r', 'p')
          AND c.relname <> ALL($1) ORDER BY c.relname`,
      [['migration', ...DIRECTORIES, ...INSTALLATION, SEALED_INDEX].sort()],
    );
    expect(rows.map(({ name }) => String(name)).filter((name) => !isPartition(name))).toEqual(
      await tenantTables(),
    );
    for (const row of rows) {
      expect(row).toEqual({ name: row.name, forced: true, policies: 1, leads: 'organization_id' });
    }
  });

  it('shows nothing and takes nothing when no organization is set, or another one', async () => {
    for (const table of await tenantTables()) {
      const count = `SELECT * FROM ${table}`;
      expect([table, (await application.query(count)).rowCount]).toEqual([table, 0]);
      expect([table, await attempt(application, '', count)]).toEqual([table, 0]);
      expect([table, await attempt(application, newId(), count)]).toEqual([table, 0]);
    }
  });

  it('shows only the rows of the organization that is set', async () => {
    for (const table of await tenantTables()) {
      const foreign = `SELECT 1 FROM ${table} WHERE organization_id <> '${first}'`;
      expect([table, await attempt(application, first, foreign)]).toEqual([table, 0]);
    }
    for (const table of ['asset', 'outlook_archive'])
      expect(await attempt(application, first, `SELECT 1 FROM ${table}`)).toBe(1);
  });

  it('refuses a row for another organization', async () => {
    for (const sql of [
      `INSERT INTO project (organization_id, id, name, created_at) VALUES ('${second}', '${newId()}', 'x', now())`,
      `INSERT INTO budget (organization_id, scope, limit_micro_usd) VALUES ('${second}', 'x', 1)`,
      `INSERT INTO audit_pending (organization_id, entry_id, entry, entry_type, subject_kind, subject_id, actor_id, recorded_at)
       VALUES ('${second}', '${newId()}', '', 't', 's', 'i', 'a', now())`,
    ]) {
      expect(await attempt(application, first, sql)).toBe(DENIED);
    }
    // Rows cannot be given away or taken either: they are not seen, and would not be let through.
    expect(
      await attempt(
        application,
        first,
        `UPDATE budget SET limit_micro_usd = 9 WHERE organization_id = '${second}'`,
      ),
    ).toBe(0);
    expect(
      await attempt(application, first, `UPDATE budget SET organization_id = '${second}', scope = 'y'`),
    ).toBe(DENIED);
  });
});

describe('the roles', () => {
  it('own nothing, are no superusers and cannot go round row-level security or become somebody who can', async () => {
    for (const url of [database.applicationUrl, database.sequencerUrl]) {
      const client = await connect(url);
      const { rows } = await client.query<Record<string, unknown>>(`
        SELECT r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolreplication,
               pg_has_role(current_user, 'colophon_owner', 'MEMBER') AS is_owner,
               has_schema_privilege('colophon', 'CREATE') AS may_create,
               has_database_privilege(current_database(), 'CREATE') AS may_create_schema,
               (SELECT count(*)::int FROM pg_class WHERE relowner = r.oid) AS owns,
               (SELECT count(*)::int FROM pg_proc WHERE proowner = r.oid) AS owns_functions
          FROM pg_roles r WHERE r.rolname = current_user`);
      await client.end();
      expect(rows[0]).toEqual({
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolreplication: false,
        is_owner: false,
        may_create: false,
        may_create_schema: false,
        owns: 0,
        owns_functions: 0,
      });
    }
  });

  it('let the sequencer see the tables of the log and nothing else', async () => {
    const { rows } = await sequencer.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('colophon', 'pgboss', 'public') AND c.relkind IN ('r', 'p', 'v')
          AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE')
               OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
        ORDER BY 1`,
    );
    expect(rows.map(({ name }) => name)).toEqual(LOG_TABLES);
    for (const sql of [
      'UPDATE audit_entry SET entry = entry',
      'DELETE FROM audit_entry',
      'DELETE FROM audit_checkpoint',
      `UPDATE audit_log SET origin = 'x'`,
      'INSERT INTO audit_pending (organization_id, entry_id) SELECT organization_id, entry_id FROM audit_pending',
      'TRUNCATE audit_pending',
    ]) {
      expect([sql, await attempt(sequencer, first, sql)]).toEqual([sql, DENIED]);
    }
  });

  it('let the application neither change nor remove what is recorded', async () => {
    const appendOnly = [
      'audit_entry',
      'audit_pending',
      'audit_checkpoint',
      'audit_log',
      'clearance',
      'clearance_matrix',
      'waiver',
      'asset',
      'asset_parent',
      'pipeline',
      'run_event',
      'money_movement',
      'contribution',
      'review',
      'asset_release',
      'signed_claim',
      'signed_file',
      'upstream_job',
      'released_manifest',
      'fingerprint_index',
      'asset_fingerprint',
      'manifest_publication',
      'step_route',
      'api_key_route',
      'audit_opening',
      'data_subject_key',
      'legal_hold',
      'erasure',
      'report_data_subject',
      'retention_rule',
      'content_removal',
      'removed_file',
      'run_input',
      'listing_version',
      'license_text',
      'license_text_reading',
      'curation',
      'listing_archive',
      'seed_seen',
      'clearance_listing',
      'outlook_archive',
      'organization',
      'signing_key_event',
      'signing_key_log_entry',
    ];
    for (const table of appendOnly) {
      const [column] = await inspector.query<{ name: string }>(
        `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'colophon' AND table_name = $1 AND is_identity = 'NO' ORDER BY ordinal_position LIMIT 1`,
        [table],
      );
      for (const sql of [
        `UPDATE ${table} SET ${column?.name} = ${column?.name}`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table} CASCADE`,
        `ALTER TABLE ${table} DISABLE TRIGGER ALL`,
        `ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`,
        `DROP TABLE ${table} CASCADE`,
      ]) {
        expect([sql, await attempt(application, first, sql)]).toEqual([sql, DENIED]);
      }
    }
    expect(await attempt(application, first, `SET session_replication_role = replica`)).toBe(DENIED);
    expect(await attempt(application, first, `INSERT INTO audit_entry SELECT * FROM audit_entry`)).toBe(
      DENIED,
    );
    expect(await attempt(application, first, `UPDATE api_key SET secret_sha256 = ''`)).toBe(DENIED);
    expect(await attempt(application, first, `UPDATE principal SET id = id`)).toBe(DENIED);
  });
});

describe('triggers', () => {
  const TABLES = ['audit_entry', 'audit_checkpoint', 'clearance', 'outlook_archive', 'waiver', 'asset'];

  it.each(TABLES)('refuse the owner of %s to update, delete and truncate', async (table) => {
    for (const sql of [
      `UPDATE ${table} SET organization_id = organization_id`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table} CASCADE`,
    ]) {
      expect([sql, await attempt(owner, first, sql)]).toEqual([sql, DENIED]);
    }
    // Without an organization the owner does not even see the rows.
    expect(await attempt(owner, '', `DELETE FROM ${table}`)).toBe(0);
  });

  it.each(TABLES)(
    'refuse a superuser too, with the triggers of %s "switched off" for replication',
    async (table) => {
      const superuser = await connect(database.administratorUrl);
      await superuser.query('SET session_replication_role = replica');
      for (const sql of [
        `UPDATE ${table} SET organization_id = organization_id`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table} CASCADE`,
      ]) {
        expect([sql, await attempt(superuser, first, sql)]).toEqual([sql, DENIED]);
      }
      await superuser.end();
    },
  );

  it('do not hold a superuser who disables or drops them: the signed checkpoints tell (see log.spec.ts)', async () => {
    const sql = `SET LOCAL colophon.break_glass = 'on'; ALTER TABLE audit_entry DISABLE TRIGGER append_only_row;
      DELETE FROM audit_entry; SELECT 1`;
    const superuser = await connect(database.administratorUrl);
    await superuser.query('BEGIN');
    await superuser.query(sql);
    expect((await superuser.query('SELECT 1 FROM audit_entry')).rowCount).toBe(0);
    await superuser.query('ROLLBACK');
    await superuser.end();
  });
});

describe('OrganizationTx', () => {
  it('never leaks an organization through a pooled connection: 100 transactions over 2 connections', async () => {
    const dataSource = createDataSource({
      url: database.applicationUrl,
      applicationName: 'leak test',
      poolSize: 2,
      entities: [],
    });
    await dataSource.initialize();
    const organizationTx = new OrganizationTx(dataSource);
    try {
      const seen = await Promise.all(
        Array.from({ length: 100 }, async (_, i) => {
          const organizationId = i % 2 === 0 ? first : second;
          const work = organizationTx.run(organizationId, async (tx) => {
            const rows = await tx.query<{ organization_id: string }>('SELECT organization_id FROM asset');
            // Every fifth one fails: the setting must go with a rollback as well as with a commit.
            if (i % 5 === 0) throw new Error('on purpose');
            return rows.map((row) => row.organization_id);
          });
          const ids = await work.catch(() => [organizationId]);
          // Between transactions the same connections belong to nobody.
          const loose: unknown[] = await dataSource.query('SELECT organization_id FROM asset');
          return { expected: [organizationId], ids, loose: loose.length };
        }),
      );
      for (const { expected, ids, loose } of seen)
        expect({ ids, loose }).toEqual({ ids: expected, loose: 0 });
    } finally {
      await dataSource.destroy();
    }
  });

  it('refuses a statement that comes after the end: the connection may serve another organization by then', async () => {
    await withPool(async (dataSource) => {
      const organizationTx = new OrganizationTx(dataSource);
      const late: (() => Promise<unknown>)[] = [];
      await organizationTx.run(first, async (tx) => {
        late.push(() => tx.query('SELECT 1'));
        await tx.query('SELECT 1');
      });
      const failing = organizationTx.run(first, async (tx) => {
        late.push(() => tx.query('SELECT 1'));
        await tx.query('SELECT 1');
        throw new Error('given up');
      });
      await expect(failing).rejects.toThrow('given up');
      await organizationTx.run(second, async () => {
        for (const statement of late) await expect(statement()).rejects.toThrow('after the end');
      });
    });
  });

  it('lets no id but a UUID into the statement that begins', async () => {
    await withPool(async (dataSource) => {
      const organizationTx = new OrganizationTx(dataSource);
      for (const id of [`${first}', true); SELECT ('x`, '', 'organization', `${first}\n`]) {
        const work = jest.fn(() => Promise.resolve());
        await expect(organizationTx.run(id, work)).rejects.toThrow('not a UUID');
        expect(work).not.toHaveBeenCalled();
      }
      expect(await organizationTx.run(first, (tx) => tx.query('SELECT 1 FROM asset'))).toHaveLength(1);
    });
  });

  it('is one transaction for TypeORM, too: a nested one is a savepoint, and nothing is committed before the end', async () => {
    await withPool(async (dataSource) => {
      const organizationTx = new OrganizationTx(dataSource);
      const name = newId();
      const insert = (id: string) =>
        `INSERT INTO project (organization_id, id, name, created_at) VALUES ('${first}', '${id}', '${id}', now())`;
      const seen = () => inspector.query(`SELECT 1 FROM project WHERE name = '${name}'`);
      const failed = organizationTx.run(first, async (tx) => {
        await tx.manager.transaction((nested) => nested.query(insert(name)));
        expect(await tx.query(`SELECT 1 FROM project WHERE name = '${name}'`)).toHaveLength(1);
        expect(await seen()).toEqual([]);
        throw new Error('on purpose');
      });
      await expect(failed).rejects.toThrow('on purpose');
      expect(await seen()).toEqual([]);
      await organizationTx.run(first, async (tx) => {
        const lost = tx.manager.transaction(async (nested) => {
          await nested.query(insert(newId()));
          throw new Error('only the nested one');
        });
        await expect(lost).rejects.toThrow('only the nested one');
        await tx.query(insert(name));
      });
      expect(await seen()).toHaveLength(1);
    });
  });
});

describe('the look-up of a presented key', () => {
  const keyOf = (id: string) => id.slice(-12);
  const organizationsOf = async (client: pg.Client, keyId: string) =>
    (
      await client.query<{ organization_id: string }>('SELECT * FROM api_key_for_authentication($1)', [keyId])
    ).rows.map((row) => row.organization_id);
  beforeAll(async () => {
    for (const id of [first, second])
      await inspector.query(
        `INSERT INTO api_key_route (key_id, organization_id) VALUES ('${keyOf(id)}', '${id}') ON CONFLICT DO NOTHING`,
      );
  });

  it('finds the key of each organization, and leaves the organization again', async () => {
    expect(await organizationsOf(application, keyOf(first))).toEqual([first]);
    expect(await organizationsOf(application, keyOf(second))).toEqual([second]);
    expect(await organizationsOf(application, 'nobody')).toEqual([]);
    expect((await application.query('SELECT 1 FROM api_key')).rowCount).toBe(0);
    const setting = await application.query(`SELECT current_setting('app.organization_id', true) AS id`);
    expect([null, '']).toContain((setting.rows[0] as { id: string | null }).id);
  });

  it('shows nothing more inside a transaction, and takes no organization over into it', async () => {
    await application.query('BEGIN');
    try {
      expect(await organizationsOf(application, keyOf(second))).toEqual([second]);
      expect((await application.query('SELECT 1 FROM asset')).rowCount).toBe(0);
    } finally {
      await application.query('ROLLBACK');
    }
  });

  it('believes no directory that names another organization than that of the key', async () => {
    await inspector.query(
      `INSERT INTO api_key_route (key_id, organization_id) VALUES ('forged-route', '${second}') ON CONFLICT DO NOTHING`,
    );
    expect(await organizationsOf(application, 'forged-route')).toEqual([]);
  });
});

async function withPool(work: (dataSource: DataSource) => Promise<void>): Promise<void> {
  const dataSource = createDataSource({
    url: database.applicationUrl,
    applicationName: 'transaction test',
    poolSize: 2,
    entities: [],
  });
  await dataSource.initialize();
  try {
    await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
