import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENTITIES } from '../entities.js';
import { createDataSource } from './data-source.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { createDatabaseIfMissing, prepareDatabase } from './prepare-database.js';
import { QUEUES } from './queues.js';

/**
 * Compares the entities with what the migrations make, in a fresh database. Tables without an entity are not
 * compared, nor are triggers, policies and grants: tests in test/medium look at those.
 */
async function findDrift(): Promise<string[]> {
  const home = mkdtempSync(join(tmpdir(), 'colophon-drift-'));
  const server = await startEmbeddedPostgres(home);
  try {
    await createDatabaseIfMissing(server.urlOf('postgres'), 'drift');
    await prepareDatabase(server.urlOf('drift'), join(home, 'database.json'), QUEUES);
    const dataSource = createDataSource({
      url: server.urlOf('drift'),
      applicationName: 'colophon drift',
      poolSize: 1,
      entities: ENTITIES,
    });
    await dataSource.initialize();
    try {
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      return upQueries.map(({ query }) => query).filter(isDrift);
    } finally {
      await dataSource.destroy();
    }
  } finally {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** Foreign keys live in the migrations only: entities hold ids, and nothing is cascaded. */
function isDrift(query: string): boolean {
  return !/DROP CONSTRAINT "[a-z_]+_fkey\d*"/.test(query);
}

const drift = await findDrift();
if (drift.length > 0) {
  process.stderr.write(
    `Entities and migrations differ. To make the database follow the entities:\n${drift.join('\n')}\n`,
  );
  process.exit(1);
}
process.stdout.write('Entities and migrations agree.\n');
process.exit(0);
