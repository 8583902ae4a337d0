import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type DataSource } from 'typeorm';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import { newId } from '../../src/shared/ids.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
let administrator: pg.Client;
let dataSource: DataSource;
let organizationTx: OrganizationTx;

beforeAll(async () => {
  database = await createTestDatabase();
  administrator = new pg.Client({ connectionString: database.administratorUrl });
  await administrator.connect();
  // One connection: every statement of this file meets what those before it have prepared.
  dataSource = createDataSource({
    url: database.applicationUrl,
    applicationName: 'test',
    poolSize: 1,
    entities: [],
  });
  await dataSource.initialize();
  organizationTx = new OrganizationTx(dataSource);
});
afterAll(async () => {
  await dataSource.destroy();
  await administrator.end();
  await database.drop();
});

async function newOrganization(name: string): Promise<string> {
  const id = newId();
  await administrator.query(
    'INSERT INTO colophon.organization (organization_id, name, created_at) VALUES ($1, $2, now())',
    [id, name],
  );
  return id;
}

describe('statements that are prepared once', () => {
  it('are sent by name from then on', async () => {
    const text = 'SELECT $1::int + 20 AS sum';
    const sums: number[] = [];
    for (const number of [1, 2, 3])
      await organizationTx.run(newId(), async (tx) => {
        const [row] = await tx.query<{ sum: number }>(text, [number]);
        sums.push(row?.sum ?? 0);
      });
    expect(sums).toEqual([21, 22, 23]);
    const prepared = await dataSource.query<{ count: string }[]>(
      `SELECT count(*) FROM pg_prepared_statements WHERE statement = '${text}'`,
    );
    expect(Number(prepared[0]?.count)).toBe(1);
  });

  it('show each organization its own rows, also when the server plans them only once', async () => {
    const ids = [await newOrganization('First'), await newOrganization('Second')];
    // Without a condition of its own, so that nothing but row-level security keeps the two apart.
    const seen = new Map<string, Set<string>>(ids.map((id) => [id, new Set()]));
    for (let round = 0; round < 20; round++)
      for (const id of ids)
        await organizationTx.run(id, async (tx) => {
          const rows = await tx.query<{ id: string }>(
            'SELECT organization_id AS id FROM organization WHERE name <> $1',
            [''],
          );
          for (const row of rows) seen.get(id)?.add(row.id);
        });
    expect(ids.map((id) => [...(seen.get(id) ?? [])])).toEqual(ids.map((id) => [id]));
  });

  it('are prepared anew when a migration changes what they give back', async () => {
    await administrator.query('CREATE TABLE colophon.shelf (book text NOT NULL)');
    await administrator.query(`INSERT INTO colophon.shelf VALUES ('Colophon')`);
    await administrator.query('GRANT SELECT ON colophon.shelf TO PUBLIC');
    const books = () =>
      organizationTx.run(newId(), (tx) => tx.query('SELECT * FROM shelf WHERE book <> $1', ['']));
    await expect(books()).resolves.toEqual([{ book: 'Colophon' }]);
    await administrator.query(`ALTER TABLE colophon.shelf ADD COLUMN pages int NOT NULL DEFAULT 1`);
    await expect(books()).resolves.toEqual([{ book: 'Colophon', pages: 1 }]);
    await expect(books()).resolves.toEqual([{ book: 'Colophon', pages: 1 }]);
  });
});
