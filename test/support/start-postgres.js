// Started once for all tests that need a database: a real PostgreSQL from the npm package, with one migrated
// template database. Each test file copies the template (test/support/test-database.ts).
// TEST_POSTGRES_URL names another server instead, of another version, as a superuser and with the word DATABASE in the
// place of the database: postgres://postgres@/DATABASE?host=/tmp/pg15
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default async function startPostgres() {
  const { startEmbeddedPostgres } = await import('../../dist/src/database/embedded-postgres.js');
  const { createDatabaseIfMissing, prepareDatabase } =
    await import('../../dist/src/database/prepare-database.js');
  const { QUEUES } = await import('../../dist/src/database/queues.js');
  const home = mkdtempSync(join(tmpdir(), 'colophon-test-'));
  const server = givenServer(process.env.TEST_POSTGRES_URL) ?? (await startEmbeddedPostgres(home));
  await createDatabaseIfMissing(server.urlOf('postgres'), 'template_colophon');
  const access = await prepareDatabase(
    server.urlOf('template_colophon'),
    join(home, 'database.json'),
    QUEUES,
  );
  process.env.TEST_POSTGRES = JSON.stringify({ home, administratorUrl: server.urlOf('DATABASE'), ...access });
  globalThis.__colophonTestPostgres = { server, home };
}

function givenServer(url) {
  if (!url) return undefined;
  return { urlOf: (name) => url.replace('/DATABASE?', `/${name}?`), stop: () => Promise.resolve() };
}
