import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type DataSource } from 'typeorm';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx, sqlState, type Tx } from '../../src/database/organization-tx.js';
import { newId } from '../../src/shared/ids.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const UNIQUE_VIOLATION = '23505';
const ROW_LEVEL_SECURITY = '42501';

let database: TestDatabase;
let administrator: pg.Client;
let dataSource: DataSource;
let organizationTx: OrganizationTx;
let organization: string;

beforeAll(async () => {
  database = await createTestDatabase();
  administrator = new pg.Client({ connectionString: database.administratorUrl });
  await administrator.connect();
  dataSource = createDataSource({
    url: database.applicationUrl,
    applicationName: 'test',
    poolSize: 1,
    entities: [],
  });
  await dataSource.initialize();
  organizationTx = new OrganizationTx(dataSource);
  organization = newId();
  await administrator.query(
    'INSERT INTO colophon.organization (organization_id, name, created_at) VALUES ($1, $2, now())',
    [organization, 'One'],
  );
});
afterAll(async () => {
  await dataSource.destroy();
  await administrator.end();
  await database.drop();
});

function sendProject(tx: Tx, id: string, owner = organization): void {
  tx.send('INSERT INTO project (organization_id, id, name, created_at) VALUES ($1, $2, $3, now())', [
    owner,
    id,
    `project ${id}`,
  ]);
}

async function projects(): Promise<string[]> {
  const { rows } = await administrator.query<{ id: string }>(
    'SELECT id FROM colophon.project WHERE organization_id = $1',
    [organization],
  );
  return rows.map(({ id }) => id);
}

async function stateOf(work: (tx: Tx) => Promise<unknown>): Promise<string | undefined> {
  return organizationTx.run(organization, work).then(() => undefined, sqlState);
}

describe('statements that are sent without waiting', () => {
  it('are done before what is asked after them, and are there after the commit', async () => {
    const ids = [newId(), newId(), newId()];
    const seen = await organizationTx.run(organization, async (tx) => {
      for (const id of ids) sendProject(tx, id);
      return tx.query<{ id: string }>('SELECT id FROM project WHERE id = ANY($1::uuid[])', [ids]);
    });
    expect(seen.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(await projects()).toEqual(expect.arrayContaining(ids));
  });

  it('commit nothing when the last of them fails, though its answer comes after the commit was sent', async () => {
    const [first, second] = [newId(), newId()];
    let isDone = false;
    const failed = await stateOf((tx) => {
      sendProject(tx, first);
      sendProject(tx, second);
      sendProject(tx, second);
      tx.afterCommit(() => (isDone = true));
      return Promise.resolve();
    });
    expect(failed).toBe(UNIQUE_VIOLATION);
    expect(isDone).toBe(false);
    expect(await projects()).not.toEqual(expect.arrayContaining([first]));
  });

  it('tell what failed first, not that the transaction has failed', async () => {
    const id = newId();
    const failed = await stateOf(async (tx) => {
      sendProject(tx, id);
      sendProject(tx, id);
      await tx.query('SELECT 1 FROM project WHERE id = $1', [id]);
    });
    expect(failed).toBe(UNIQUE_VIOLATION);
  });

  it('tell it when the work goes on after an answer that says no more than that', async () => {
    const id = newId();
    const failed = await stateOf(async (tx) => {
      sendProject(tx, id);
      sendProject(tx, id);
      await tx.query('SELECT 1').catch(() => undefined);
      sendProject(tx, newId());
    });
    expect(failed).toBe(UNIQUE_VIOLATION);
  });

  it('throw the error that explains theirs', async () => {
    const id = newId();
    const failed = organizationTx.run(organization, (tx) => {
      sendProject(tx, id);
      tx.send('SELECT 1 / $1::int', [0], (error) => new Error(`it was ${sqlState(error)}`));
      return Promise.resolve();
    });
    await expect(failed).rejects.toThrow('it was 22012');
    expect(await projects()).not.toEqual(expect.arrayContaining([id]));
  });

  it('are held by row-level security, and leave the connection as it was', async () => {
    const stranger = newId();
    expect(
      await stateOf((tx) => {
        sendProject(tx, stranger, newId());
        return Promise.resolve();
      }),
    ).toBe(ROW_LEVEL_SECURITY);
    const id = newId();
    await organizationTx.run(organization, (tx) => {
      sendProject(tx, id);
      return Promise.resolve();
    });
    expect(await projects()).toEqual(expect.arrayContaining([id]));
    const { rows } = await administrator.query('SELECT 1 FROM colophon.project WHERE id = $1', [stranger]);
    expect(rows).toEqual([]);
  });

  it('are refused after the end of their transaction', async () => {
    let ended: Tx | undefined;
    await organizationTx.run(organization, (tx) => {
      ended = tx;
      return Promise.resolve();
    });
    const id = newId();
    if (ended !== undefined) sendProject(ended, id);
    await organizationTx.run(organization, (tx) => tx.query('SELECT 1'));
    expect(await projects()).not.toEqual(expect.arrayContaining([id]));
  });
});

describe('statements of which all are sent at once', () => {
  const byId = 'SELECT id FROM project WHERE id = ANY($1::uuid[])';
  const insert = 'INSERT INTO project (organization_id, id, name, created_at) VALUES ($1, $2, $3, now())';

  it('are one transaction, which is over when the work is', async () => {
    const [first, second] = [newId(), newId()];
    const [, , seen] = await organizationTx.runAtOnce(organization, (tx) =>
      Promise.all([
        tx.query(insert, [organization, first, 'first of two']),
        tx.query(insert, [organization, second, 'second of two']),
        tx.query<{ id: string }>(byId, [[first, second]]),
      ]),
    );
    expect(seen.map(({ id }) => id).sort()).toEqual([first, second].sort());
    expect(await projects()).toEqual(expect.arrayContaining([first, second]));
  });

  it('leave nothing when one of them fails, and say what failed', async () => {
    const id = newId();
    const failed = organizationTx.runAtOnce(organization, (tx) =>
      Promise.all([
        tx.query(insert, [organization, id, 'once']),
        tx.query(insert, [organization, id, 'twice']),
        tx.query(byId, [[id]]),
      ]),
    );
    expect(await failed.then(() => undefined, sqlState)).toBe(UNIQUE_VIOLATION);
    expect(await projects()).not.toEqual(expect.arrayContaining([id]));
    // The connection is as good as before.
    expect(await organizationTx.run(organization, (tx) => tx.query(byId, [[id]]))).toEqual([]);
  });

  it('are held by row-level security', async () => {
    const failed = organizationTx.runAtOnce(organization, (tx) =>
      tx.query(insert, [newId(), newId(), 'of a stranger']),
    );
    expect(await failed.then(() => undefined, sqlState)).toBe(ROW_LEVEL_SECURITY);
  });

  it('are not said to be there when the server has rolled back, whoever caught the error', async () => {
    const id = newId();
    const twice = (tx: Tx) =>
      Promise.allSettled([
        tx.query(insert, [organization, id, 'once']),
        tx.query(insert, [organization, id, 'twice']),
      ]);
    let isDone = false;
    for (const way of ['run', 'runAtOnce'] as const) {
      const failed = organizationTx[way](organization, (tx) => {
        tx.afterCommit(() => (isDone = true));
        return twice(tx);
      });
      await expect(failed).rejects.toThrow('rolled the transaction back');
    }
    expect(isDone).toBe(false);
    expect(await projects()).not.toEqual(expect.arrayContaining([id]));
    expect(await organizationTx.run(organization, (tx) => tx.query(byId, [[id]]))).toEqual([]);
  });

  it('do not come after an answer, nor from an entity manager', async () => {
    const id = newId();
    const late = organizationTx.runAtOnce(organization, async (tx) => {
      await tx.query(byId, [[]]);
      await tx.query(insert, [organization, id, 'late']);
    });
    await expect(late).rejects.toThrow('after the end of its transaction');
    const managed = organizationTx.runAtOnce(organization, (tx) => tx.manager.query('SELECT 1'));
    await expect(managed).rejects.toThrow('no entity manager');
    expect(await projects()).not.toEqual(expect.arrayContaining([id]));
  });
});
