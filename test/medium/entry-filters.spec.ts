import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type EntryPage, type LoggedEntry, ReadLog } from '../../src/audit/application/read-log.js';
import { type AnchoredCheckpoints } from '../../src/audit/application/anchored-checkpoints.js';
import { FileLogKeys } from '../../src/audit/adapters/file-log-keys.js';
import { FileTileStores } from '../../src/audit/adapters/file-tile-store.js';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import { newId } from '../../src/shared/ids.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/**
 * Filters of the log read what they show and little more, wherever in the log it lies. Counted are the pages of the
 * server that a query touches (EXPLAIN BUFFERS): unlike times they do not depend on the machine.
 */

const ENTRIES = Number(process.env.FILTER_ENTRIES ?? 60_000);
const START_MS = Date.parse('2026-01-01T00:00:00Z');
const STEP_MS = 1_000;
const at = (index: number): Date => new Date(START_MS + index * STEP_MS);
/** A page of 50 rows, its index and the way down; a scan from the first row would be thousands. */
const MAX_BUFFERS = 600;

let database: TestDatabase;
let superuser: pg.Client;
let log: ReadLog;
let explained: string[];
let stop: () => Promise<void>;
const organizationId = newId();
const projectId = newId();

beforeAll(async () => {
  database = await createTestDatabase();
  superuser = new pg.Client({
    connectionString: database.administratorUrl,
    options: '-c search_path=colophon -c colophon.break_glass=on',
  });
  await superuser.connect();
  await superuser.query(
    `INSERT INTO organization (organization_id, name, created_at) VALUES ($1, 'o', now())`,
    [organizationId],
  );
  await superuser.query(
    `INSERT INTO audit_entry (organization_id, index, entry_id, entry, entry_type, subject_kind, subject_id, actor_id,
                              project_id, recorded_at, integrated_at)
     SELECT $1, i, gen_random_uuid(), decode(repeat('7b', 400), 'hex'), 'type.' || i % 20, 'asset', 'ast_' || i / 5,
            CASE WHEN i % 1000 = 7 THEN 'rare' ELSE 'key_' || i % 40 END,
            CASE WHEN i % 3 = 0 THEN $2::uuid END, time, time + interval '30 milliseconds'
       FROM generate_series(0, $3::bigint - 1) AS i,
            LATERAL (SELECT $4::timestamptz + i * interval '1 second' AS time) AS t`,
    [organizationId, projectId, ENTRIES, new Date(START_MS)],
  );
  await superuser.query('ANALYZE audit_entry');
  const dataSource = createDataSource({
    url: database.applicationUrl,
    applicationName: 'test',
    poolSize: 2,
    entities: [],
  });
  await dataSource.initialize();
  const organizationTx = new OrganizationTx(dataSource);
  // What the program sends is what is explained: the statements are written down on their way.
  const run = organizationTx.run.bind(organizationTx);
  organizationTx.run = (organization, work) =>
    run(organization, (tx) =>
      work({
        ...tx,
        query: async <Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> => {
          const plan = await tx.query<{ 'QUERY PLAN': string }>(
            `EXPLAIN (ANALYZE, BUFFERS) ${sql}`,
            parameters,
          );
          explained.push(plan.map((line) => line['QUERY PLAN']).join('\n'));
          return tx.query<Row>(sql, parameters);
        },
      }),
    );
  const nowhere = new FileTileStores('/nowhere');
  log = new ReadLog(organizationTx, nowhere, new FileLogKeys('/nowhere'), {} as AnchoredCheckpoints);
  stop = () => dataSource.destroy();
});
afterAll(async () => {
  await stop();
  await superuser.end();
  await database.drop();
});

async function list(
  filter: Partial<EntryPage>,
): Promise<{ found: LoggedEntry[]; buffers: number; plan: string }> {
  explained = [];
  const found = await log.list(organizationId, { fromIndex: 0, limit: 50, ...filter });
  const buffers = explained.map((plan) => {
    const [, hit = '0', read = '0'] = /Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?/.exec(plan) ?? [];
    return Number(hit) + Number(read);
  });
  return { found, buffers: buffers.reduce((sum, count) => sum + count, 0), plan: explained.join('\n\n') };
}

const FILTERS: readonly [string, Partial<EntryPage>, (index: number) => boolean][] = [
  ['nothing', {}, () => true],
  ['type', { type: 'type.3' }, (index) => index % 20 === 3],
  ['a rare actor', { actorId: 'rare' }, (index) => index % 1000 === 7],
  ['actor', { actorId: 'key_5' }, (index) => index % 40 === 5 && index % 1000 !== 7],
  ['project', { projectId }, (index) => index % 3 === 0],
];
const TIMES: readonly [string, number, number][] = [
  ['the start', 0, 0.1],
  ['the middle', 0.5, 0.6],
  ['the middle to the end', 0.5, 1],
  ['the end', 0.999, 1],
  ['all', 0, 1],
  ['a moment', 0.7, 0.7002],
  ['after the end', 1.5, 2],
];

describe('filters of the log', () => {
  it.each(FILTERS)('%s: at the start, in the middle and at the end', async (_name, filter, meets) => {
    for (const share of [0, 0.5, 0.98]) {
      const fromIndex = Math.floor(ENTRIES * share);
      const { found, buffers, plan } = await list({ ...filter, fromIndex });
      const expected: number[] = [];
      for (let index = fromIndex; index < ENTRIES && expected.length < 50; index++)
        if (meets(index)) expected.push(index);
      expect(found.map(({ index }) => index)).toEqual(expected);
      if (buffers > MAX_BUFFERS) throw new Error(`${buffers} pages\n${plan}`);
    }
  });

  it.each(TIMES)('time, %s: alone and with every other filter', async (_name, from, until) => {
    const [first, end] = [Math.floor(ENTRIES * from), Math.floor(ENTRIES * until)];
    const times = { recordedFrom: at(first), recordedUntil: at(end) };
    for (const [, filter, meets] of FILTERS) {
      const { found, buffers, plan } = await list({ ...filter, ...times });
      const expected: number[] = [];
      for (let index = first; index < Math.min(end, ENTRIES) && expected.length < 50; index++)
        if (meets(index)) expected.push(index);
      expect(found.map(({ index }) => index)).toEqual(expected);
      if (buffers > MAX_BUFFERS) throw new Error(`${buffers} pages\n${plan}`);
    }
  });

  it.each([
    ['type and actor', { type: 'type.5', actorId: 'key_5' }, 50],
    ['type and a rare actor', { type: 'type.7', actorId: 'rare' }, Math.ceil(ENTRIES / 1000)],
    ['type and project', { type: 'type.3', projectId }, 50],
    ['subject and type', { subjectId: 'ast_100', type: 'type.1' }, 1],
    ['actor and project', { actorId: 'key_6', projectId }, 50],
  ])('%s', async (_name, filter, count) => {
    const { found, buffers, plan } = await list(filter);
    expect(found).toHaveLength(Math.min(count, 50));
    if (buffers > MAX_BUFFERS) throw new Error(`${buffers} pages\n${plan}`);
  });

  it('finds what was integrated hours late, or by a clock that was wrong, exactly once', async () => {
    const late = [
      [ENTRIES, at(10), at(ENTRIES)],
      [ENTRIES + 1, at(ENTRIES + 90_000), at(ENTRIES)],
      [ENTRIES + 2, at(ENTRIES), at(ENTRIES)],
    ] as const;
    for (const [index, recordedAt, integratedAt] of late)
      await superuser.query(
        `INSERT INTO audit_entry (organization_id, index, entry_id, entry, entry_type, subject_kind, subject_id, actor_id,
                                  recorded_at, integrated_at)
         VALUES ($1, $2, gen_random_uuid(), 'x', 'late', 's', 'i', 'a', $3, $4)`,
        [organizationId, index, recordedAt, integratedAt],
      );
    const found = async (from: number, until: number, filter: Partial<EntryPage> = {}): Promise<unknown[]> =>
      (await list({ recordedFrom: at(from), recordedUntil: at(until), ...filter })).found.map(
        ({ index }) => index,
      );
    expect(await found(9, 12)).toEqual([9, 10, 11, ENTRIES]);
    expect(await found(9, 12, { fromIndex: 11 })).toEqual([11, ENTRIES]);
    expect(await found(9, 12, { limit: 2 })).toEqual([9, 10]);
    expect(await found(ENTRIES + 1, ENTRIES + 100_000)).toEqual([ENTRIES + 1]);
    expect(await found(ENTRIES - 1, ENTRIES + 1)).toEqual([ENTRIES - 1, ENTRIES + 2]);
    expect(await found(0, ENTRIES + 100_000, { type: 'late' })).toEqual([ENTRIES, ENTRIES + 1, ENTRIES + 2]);
  });
});
