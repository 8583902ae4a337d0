import type pg from 'pg';

/**
 * A connection of its own for work of several statements.
 *
 * One that breaks between two statements (the server was killed, the network is gone) says so by an event, and an
 * event that nobody listens to would end the whole process. The next statement fails and tells the caller.
 *
 * When `work` fails its connection is thrown away, and with it whatever it left behind: a statement without an answer,
 * an open transaction, a lock of the session.
 */
export async function withOwnConnection<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  const toldByNextStatement = (): void => undefined;
  client.on('error', toldByNextStatement);
  let failed = true;
  try {
    const result = await work(client);
    failed = false;
    return result;
  } finally {
    client.off('error', toldByNextStatement);
    client.release(failed);
  }
}
