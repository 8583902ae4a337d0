import { randomBytes } from 'node:crypto';
import pg from 'pg';
import PgBoss from 'pg-boss';
import { z } from 'zod';
import { readOrCreateSecretFile } from '../config/secret-file.js';
import { createDataSource, SCHEMA } from './data-source.js';
import { requireDurability } from './durability.js';
import { installLogGuards } from './log-guards.js';

export const JOB_SCHEMA = 'pgboss';

/** Connection strings of the two restricted roles. Neither owns anything. */
export interface DatabaseAccess {
  readonly applicationUrl: string;
  readonly sequencerUrl: string;
  /** Whether event triggers guard the definitions of the log's tables: not every server lets us make them. */
  readonly logGuarded: boolean;
}

const credentialsSchema = z.strictObject({
  instance: z.string().regex(/^[0-9a-f]{12}$/),
  applicationPassword: z.string().min(32),
  sequencerPassword: z.string().min(32),
});
type Credentials = z.infer<typeof credentialsSchema>;

/**
 * Brings a database to the current schema and gives this installation two login roles of its own.
 *
 * Roles belong to the whole server, databases do not. So the rights are granted to three group roles
 * (`colophon_owner`, `colophon_app`, `colophon_sequencer`), and each installation has its own members of the last two.
 *
 * @param administratorUrl a user that may create roles and schemas in this database
 * @param credentialsFile where this installation keeps its passwords (0600), created at the first start
 * @param queues names of the job queues; they need tables, which only the owner may create
 */
export async function prepareDatabase(
  administratorUrl: string,
  credentialsFile: string,
  queues: readonly string[],
): Promise<DatabaseAccess> {
  const credentials = readOrCreateCredentials(credentialsFile);
  const client = new pg.Client({ connectionString: administratorUrl });
  await client.connect();
  let logGuarded: boolean;
  try {
    await requireDurability(
      async (sql, values) => (await client.query<{ value: string }>(sql, values)).rows,
      'the user that installs',
    );
    // Two processes that start at once must not create the roles twice.
    await client.query(`SELECT pg_advisory_lock(hashtext('colophon.prepare'))`);
    await createRoles(client, credentials);
    await migrate(administratorUrl);
    logGuarded = await installLogGuards(client);
    await installQueues(client, administratorUrl, queues);
    await client.query(`
      GRANT USAGE ON SCHEMA ${SCHEMA} TO colophon_app, colophon_sequencer;
      GRANT USAGE ON SCHEMA ${JOB_SCHEMA} TO colophon_app;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${JOB_SCHEMA} TO colophon_app;
    `);
  } finally {
    await client.end();
  }
  return {
    applicationUrl: withLogin(
      administratorUrl,
      `colophon_${credentials.instance}_app`,
      credentials.applicationPassword,
    ),
    sequencerUrl: withLogin(
      administratorUrl,
      `colophon_${credentials.instance}_sequencer`,
      credentials.sequencerPassword,
    ),
    logGuarded,
  };
}

/** Creates a database on a server unless it is there. `name` is ours, never input. */
export async function createDatabaseIfMissing(serverUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    const existing = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (existing.rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

function readOrCreateCredentials(file: string): Credentials {
  const text = readOrCreateSecretFile(file, () =>
    JSON.stringify({
      instance: randomBytes(6).toString('hex'),
      applicationPassword: randomBytes(24).toString('hex'),
      sequencerPassword: randomBytes(24).toString('hex'),
    } satisfies Credentials),
  );
  return credentialsSchema.parse(JSON.parse(text));
}

async function createRoles(client: pg.Client, credentials: Credentials): Promise<void> {
  for (const role of ['colophon_owner', 'colophon_app', 'colophon_sequencer']) {
    await createRoleIfMissing(client, role, 'NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE');
  }
  const logins = [
    [`colophon_${credentials.instance}_app`, credentials.applicationPassword, 'colophon_app'],
    [`colophon_${credentials.instance}_sequencer`, credentials.sequencerPassword, 'colophon_sequencer'],
  ] as const;
  for (const [name, password, group] of logins) {
    await createRoleIfMissing(client, name, 'LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE');
    await client.query(`ALTER ROLE ${name} PASSWORD ${client.escapeLiteral(password)}`);
    await client.query(`GRANT ${group} TO ${name}`);
  }
  await client.query(`GRANT colophon_owner TO CURRENT_USER`);
  const database = await client.query<{ name: string }>('SELECT current_database() AS name');
  const databaseName = client.escapeIdentifier(database.rows[0]?.name ?? '');
  await client.query(`GRANT CREATE ON DATABASE ${databaseName} TO colophon_owner`);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA} AUTHORIZATION colophon_owner`);
}

async function createRoleIfMissing(client: pg.Client, name: string, attributes: string): Promise<void> {
  const existing = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
  if (existing.rowCount === 0) await client.query(`CREATE ROLE ${name} ${attributes}`);
}

async function migrate(administratorUrl: string): Promise<void> {
  const dataSource = createDataSource({
    url: administratorUrl,
    applicationName: 'colophon migrate',
    poolSize: 1,
    entities: [],
    role: 'colophon_owner',
  });
  await dataSource.initialize();
  try {
    await dataSource.runMigrations();
  } finally {
    await dataSource.destroy();
  }
}

/** pg-boss keeps one table per queue, so queues are made here, by the owner, and never at run time. */
async function installQueues(
  client: pg.Client,
  administratorUrl: string,
  queues: readonly string[],
): Promise<void> {
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${JOB_SCHEMA} AUTHORIZATION colophon_owner`);
  const owner = new pg.Client({ connectionString: administratorUrl, options: '-c role=colophon_owner' });
  await owner.connect();
  const boss = new PgBoss({
    schema: JOB_SCHEMA,
    db: { executeSql: (text: string, values: unknown[]) => owner.query(text, values) as never },
    supervise: false,
    schedule: false,
  });
  try {
    await boss.start();
    const existing = new Set((await boss.getQueues()).map((queue) => queue.name));
    for (const name of queues) {
      if (!existing.has(name)) await boss.createQueue(name);
    }
    await boss.stop({ graceful: false, close: false, wait: false });
  } finally {
    await owner.end();
  }
}

/** The same server and database, another user. Understands the socket form `postgres://user:pw@/db?host=/path`. */
function withLogin(url: string, user: string, password: string): string {
  return url.replace(/^(postgres(?:ql)?:\/\/)(?:[^@/]*@)?/, `$1${user}:${password}@`);
}
