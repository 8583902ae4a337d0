import { randomBytes } from 'node:crypto';
import pg from 'pg';

interface TestServer {
  readonly administratorUrl: string;
  readonly applicationUrl: string;
  readonly sequencerUrl: string;
  readonly logGuarded: boolean;
}

export interface TestDatabase {
  readonly name: string;
  /** Superuser of this database, for tests that play the attacker or look behind the curtain. */
  readonly administratorUrl: string;
  readonly applicationUrl: string;
  readonly sequencerUrl: string;
  readonly logGuarded: boolean;
  drop(): Promise<void>;
}

/**
 * A fresh database of this test file's own: a copy of the migrated template, about 100 ms. Another database may be
 * copied as well, to play a restored backup; nobody may be connected to it.
 */
export async function createTestDatabase(template = 'template_colophon'): Promise<TestDatabase> {
  const server = JSON.parse(process.env.TEST_POSTGRES ?? '{}') as TestServer;
  const name = `test_${randomBytes(6).toString('hex')}`;
  const onServer = async (sql: string): Promise<void> => {
    const client = new pg.Client({
      connectionString: server.administratorUrl.replace('/DATABASE?', '/postgres?'),
    });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    name,
    administratorUrl: server.administratorUrl.replace('/DATABASE?', `/${name}?`),
    applicationUrl: server.applicationUrl.replace('/template_colophon?', `/${name}?`),
    sequencerUrl: server.sequencerUrl.replace('/template_colophon?', `/${name}?`),
    logGuarded: server.logGuarded,
    drop: () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}
