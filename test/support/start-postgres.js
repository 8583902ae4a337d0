// Started once for all tests that need a database: a real PostgreSQL from the npm package, with one migrated
// template database. Each test file copies the template (test/support/test-database.ts).
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default async function startPostgres() {
  const { startEmbeddedPostgres } = await import('../../dist/src/database/embedded-postgres.js');
  const { createDatabaseIfMissing, prepareDatabase } =
    await import('../../dist/src/database/prepare-database.js');
  const { QUEUES } = await import('../../dist/src/database/queues.js');
  const home = mkdtempSync(join(tmpdir(), 'colophon-test-'));
  const server = await startEmbeddedPostgres(home);
  await createDatabaseIfMissing(server.urlOf('postgres'), 'template_colophon');
  const access = await prepareDatabase(
    server.urlOf('template_colophon'),
    join(home, 'database.json'),
    QUEUES,
  );
  process.env.TEST_POSTGRES = JSON.stringify({ home, administratorUrl: server.urlOf('DATABASE'), ...access });
  globalThis.__colophonTestPostgres = { server, home };
}
