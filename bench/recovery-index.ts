import pg from 'pg';
import { bitText, FingerprintRepository } from '../src/recovery/adapters/fingerprint.repository.js';
import { MAX_DISTANCE } from '../src/recovery/domain/similarity.js';
import { newId } from '../src/shared/ids.js';
import {
  type Benchmark,
  type BenchmarkResult,
  type BenchmarkRow,
  percentile,
  timeEach,
} from './benchmark.js';

const CODES = 1_000_000;
const BATCH = 20_000;
/** Series of pictures that look alike, as of one product: a fifth of all codes. */
const SERIES = 1_000;
const IN_SERIES_SHARE = 0.2;
const LOOKUPS = 500;
const SCANS = 60;
const INSERTS = 1_000;
const MAX_RESULTS = 50;
const SIDE = 9;

/**
 * Looking a fingerprint up among a million, with the index and by reading all of them, and what it costs to add one.
 * A number (`40000`) runs it with fewer.
 * The codes are drawn like those of pictures: 81 random signs of coefficients in four overlapping windows.
 */
export const recoveryIndexBenchmark: Benchmark = async ({ services }, { administratorUrl }, [count]) => {
  const codes = count === undefined ? CODES : Number(count);
  if (!Number.isInteger(codes) || codes < BATCH || codes % BATCH !== 0)
    throw new Error(`the number of codes must be a multiple of ${String(BATCH)}`);
  const client = new pg.Client({ connectionString: administratorUrl, options: '-c search_path=colophon' });
  await client.connect();
  try {
    const organizationId = newId();
    const signs = await fill(client, organizationId, codes);
    const repository = new FingerprintRepository(services.dataSource, { now: () => new Date() });
    const asked = Array.from({ length: LOOKUPS }, () => codeOf(changed(pick(signs))));
    const own = (code: Uint8Array) =>
      services.organizationTx.run(organizationId, (tx) => repository.findOwn(tx, code, MAX_RESULTS));
    const at = (round: number): Uint8Array => asked[round] ?? new Uint8Array(32);
    for (let warmUp = 0; warmUp < 20; warmUp += 1) await own(at(warmUp));
    const rows = [
      timed('own, by the index', await timeEach(LOOKUPS, (round) => own(at(round)))),
      timed(
        'released, by the index',
        await timeEach(LOOKUPS, (round) => repository.findReleased(at(round), MAX_RESULTS)),
      ),
      timed(
        'plain scan, one process of PostgreSQL',
        await timeEach(SCANS, (round) => scan(client, at(round))),
      ),
    ];
    const recall = await compare(asked.slice(0, SCANS), own, (code) => scan(client, code));
    const inserting = await insertCosts(client, organizationId);
    return result(codes, [...rows, ...inserting], await sizes(client), recall);
  } finally {
    await client.end();
  }
};

async function fill(client: pg.Client, organizationId: string, count: number): Promise<Uint8Array[]> {
  const series = Array.from({ length: SERIES }, randomSigns);
  const kept: Uint8Array[] = [];
  await client.query('DROP INDEX fingerprint_index_chunks');
  for (let from = 0; from < count; from += BATCH) {
    const codes = Array.from({ length: BATCH }, (_, at) => {
      const signs = Math.random() < IN_SERIES_SHARE ? changed(pick(series)) : randomSigns();
      if (at % 100 === 0) kept.push(signs);
      return bitText(codeOf(signs));
    });
    await client.query(
      `INSERT INTO fingerprint_index (organization_id, asset_id, border, code, chunks)
       SELECT $1, gen_random_uuid(), 'trimmed', code::bit(256), fingerprint_chunks(code::bit(256)) FROM unnest($2::text[]) AS code`,
      [organizationId, codes],
    );
    if ((from / BATCH) % 10 === 9) console.error(`${String(from + BATCH)} of ${String(count)} codes`);
  }
  await client.query(
    'CREATE INDEX fingerprint_index_chunks ON fingerprint_index USING gin (chunks) WITH (fastupdate = off)',
  );
  await client.query(
    `INSERT INTO released_manifest SELECT organization_id, asset_id, asset_id::text FROM fingerprint_index`,
  );
  await client.query('VACUUM ANALYZE fingerprint_index, released_manifest');
  return kept;
}

function randomSigns(): Uint8Array {
  return Uint8Array.from({ length: SIDE * SIDE }, (_, at) => (at === 0 || Math.random() < 0.5 ? 1 : 0));
}

/** A copy of the picture: up to 10 coefficients on the other side of the median, up to 40 bits. */
function changed(signs: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(signs);
  for (let flips = Math.floor(Math.random() * 11); flips > 0; flips -= 1) {
    const place = 1 + Math.floor(Math.random() * (copy.length - 1));
    copy[place] = 1 - (copy[place] ?? 0);
  }
  return copy;
}

function codeOf(signs: Uint8Array): Uint8Array {
  const code = new Uint8Array(32);
  let at = 0;
  for (const [x, y] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ] as const)
    for (let row = y; row < y + 8; row += 1)
      for (let column = x; column < x + 8; column += 1) {
        if (signs[row * SIDE + column] === 1) code[at >> 3] = (code[at >> 3] ?? 0) | (0x80 >> (at & 7));
        at += 1;
      }
  return code;
}

function pick<T>(values: readonly T[]): T {
  const value = values[Math.floor(Math.random() * values.length)];
  if (value === undefined) throw new Error('nothing to pick');
  return value;
}

async function scan(client: pg.Client, code: Uint8Array): Promise<{ assetId: string; distance: number }[]> {
  await client.query('SET max_parallel_workers_per_gather = 0');
  const { rows } = await client.query<{ asset_id: string; distance: number }>(
    `SELECT asset_id, bit_count(code # $1::bit(256))::int AS distance FROM fingerprint_index
      WHERE bit_count(code # $1::bit(256)) <= $2 ORDER BY distance, asset_id LIMIT $3`,
    [bitText(code), MAX_DISTANCE, MAX_RESULTS],
  );
  return rows.map((row) => ({ assetId: row.asset_id, distance: row.distance }));
}

interface Found {
  readonly assetId: string;
  readonly distance: number;
}

/** Of what the scan finds among the nearest, how much does the index find? By distance. */
async function compare(
  asked: readonly Uint8Array[],
  byIndex: (code: Uint8Array) => Promise<Found[]>,
  byScan: (code: Uint8Array) => Promise<Found[]>,
): Promise<string[]> {
  const ranges = [
    [0, 31],
    [32, MAX_DISTANCE],
  ] as const;
  const counts = ranges.map(() => ({ found: 0, all: 0 }));
  for (const code of asked) {
    const indexed = new Set((await byIndex(code)).map(({ assetId }) => assetId));
    for (const { assetId, distance } of await byScan(code)) {
      const range = ranges.findIndex(([from, to]) => distance >= from && distance <= to);
      const count = counts[range];
      if (count === undefined) continue;
      count.all += 1;
      if (indexed.has(assetId)) count.found += 1;
    }
  }
  return ranges.map(([from, to], at) => {
    const { found = 0, all = 0 } = counts[at] ?? {};
    const share = all === 0 ? 'none' : `${((100 * found) / all).toFixed(2)} %`;
    return `${String(from)} to ${String(to)} bits: the index finds ${share} of ${String(all)} that the scan finds`;
  });
}

async function insertCosts(client: pg.Client, organizationId: string): Promise<BenchmarkRow[]> {
  const insert = () =>
    client.query(
      `INSERT INTO fingerprint_index (organization_id, asset_id, border, code, chunks)
       SELECT $1, gen_random_uuid(), 'trimmed', code, fingerprint_chunks(code) FROM (SELECT $2::bit(256) AS code) AS one`,
      [organizationId, bitText(codeOf(randomSigns()))],
    );
  const withIndex = timed('adding one, with the index', await inOneTransaction(client, insert));
  await client.query('DROP INDEX fingerprint_index_chunks');
  return [withIndex, timed('adding one, without it', await inOneTransaction(client, insert))];
}

/** The cost of committing is not that of the index. */
async function inOneTransaction(client: pg.Client, insert: () => Promise<unknown>): Promise<number[]> {
  await client.query('BEGIN');
  const times = await timeEach(INSERTS, insert);
  await client.query('COMMIT');
  return times;
}

async function sizes(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ size: string }>(
    `SELECT pg_size_pretty(pg_total_relation_size('fingerprint_index')) AS size`,
  );
  return rows[0]?.size ?? '';
}

function timed(what: string, times: readonly number[]): BenchmarkRow {
  return { what, p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99), calls: times.length };
}

function result(
  codes: number,
  rows: BenchmarkRow[],
  size: string,
  recall: readonly string[],
): BenchmarkResult {
  return {
    rows,
    notes: [
      `${String(codes)} codes; a fifth of them in ${String(SERIES)} series of similar ones; ${size} without the index on chunks`,
      `at most ${String(MAX_DISTANCE)} bits apart, ${String(MAX_RESULTS)} results`,
      ...recall,
    ],
  };
}
