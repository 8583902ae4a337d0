import { join } from 'node:path';
import pg from 'pg';
import { composeSigningKeys } from '../../composition/signing-keys.js';
import { clock } from '../../composition/services-options.js';
import { type Configuration } from '../../config/configuration.js';
import { createDataSource } from '../../database/data-source.js';
import { OrganizationTx } from '../../database/organization-tx.js';
import { prepareDatabase } from '../../database/prepare-database.js';
import { QUEUES } from '../../database/queues.js';
import { reachDatabase } from '../../database/reach-database.js';
import { KeyGenerationRepository } from '../../provenance/adapters/keys/key-generations.repository.js';
import { AffectedAssets } from '../../provenance/application/keys/affected-assets.js';

const DATABASE_NAME = 'colophon';

export type KeyDesk = Awaited<ReturnType<typeof openKeyDesk>>;

/**
 * What a command about keys works with: the register in the database, and the places of keys by the same configuration
 * as the service. A running service takes up each change by itself, because it asks the register.
 */
export async function openKeyDesk(configuration: Configuration) {
  const database = await reachDatabase(configuration, DATABASE_NAME);
  const access = await prepareDatabase(
    database.administratorUrl,
    join(configuration.home, 'keys', 'database.json'),
    QUEUES,
  );
  const dataSource = createDataSource({
    url: access.applicationUrl,
    applicationName: 'colophon keys',
    poolSize: 2,
    entities: [],
  });
  await dataSource.initialize();
  const logs = new pg.Pool({
    connectionString: access.sequencerUrl,
    max: 1,
    options: '-c search_path=colophon',
    application_name: 'colophon keys',
  });
  const generations = new KeyGenerationRepository(
    dataSource,
    async (sql, parameters) => (await logs.query(sql, [...parameters])).rows as never,
    clock,
  );
  const { closeKeys, ...keys } = composeSigningKeys(configuration, generations);
  return {
    ...keys,
    configuration,
    generations,
    affected: new AffectedAssets(generations, new OrganizationTx(dataSource)),
    async close(): Promise<void> {
      closeKeys();
      await logs.end();
      await dataSource.destroy();
      await database.close();
    },
  };
}
