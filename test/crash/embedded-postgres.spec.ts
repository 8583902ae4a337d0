import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';

let home: string;
let server: EmbeddedPostgres;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'colophon-embedded-'));
});
afterAll(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Busy without waiting for anything, a child does not notice for a while that its server was killed. */
const BUSY = 'SELECT count(*) FROM generate_series(1, 20000000)';

it('starts again on the data of a killed server, one of whose children is still at work', async () => {
  server = await startEmbeddedPostgres(home);
  const client = new pg.Client({ connectionString: server.urlOf('postgres') });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('CREATE TABLE kept AS SELECT 1 AS one');
  const cutOff = client.query(BUSY).catch(() => 'cut off');

  const [postmaster] = readFileSync(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n');
  process.kill(Number(postmaster), 'SIGKILL');
  await server.died;
  server = await startEmbeddedPostgres(home);

  const reader = new pg.Client({ connectionString: server.urlOf('postgres') });
  await reader.connect();
  expect((await reader.query('SELECT one FROM kept')).rows).toEqual([{ one: 1 }]);
  await reader.end();
  await cutOff;
  expect(readFileSync(join(home, 'postgres', 'server.log'), 'utf8')).toContain('still in use');
}, 90_000);
