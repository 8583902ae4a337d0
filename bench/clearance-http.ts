import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import pg from 'pg';
import { seedListings } from '../src/licenses/registry/seed.js';
import { type RunningColophon } from '../src/launch.js';
import { parsePublicId } from '../src/shared/ids.js';
import { type Asking } from './asking-process.js';
import { type Benchmark, type BenchmarkRow, percentile } from './benchmark.js';
import { CLEAN, lineageOf, LORA_CONTRACT, MIXED, withLoras } from './license-lineage.js';

const WARM_UP = 100;
const REQUESTS = 400;
const FACTS = {
  purpose: 'commercial',
  organizationRevenueUsd: 500_000,
  organizationRevenueWithAffiliatesUsd: 500_000,
  monthlyActiveUsers: 1_000,
  hosting: 'own-use',
  processingCountries: ['US'],
  humanReviewPlanned: 'yes',
  labelPlanned: 'yes',
  attributionPlanned: 'yes',
  editsPlanned: 'no',
  generatedOn: '2026-11-25',
};

/**
 * `POST /v1/clearances`, one request after the other: the time until the answer is read by a client in a process of its
 * own, and the CPU of the process that serves. Beside it, on the same server, a bare transaction with as many statements
 * that writes as many bytes; and once the same with client and server in one process.
 */
export const clearanceHttpBenchmark: Benchmark = async (instance, { administratorUrl }) => {
  const listings = withLoras(seedListings());
  const loras = listings.all.map(({ listing }) => listing).filter(({ id }) => id.startsWith('lora-'));
  const text = { licenseKey: 'LicenseRef-Bench', text: LORA_CONTRACT, readOn: '2026-11-22' };
  await asked(instance, '/v1/license-texts', text);
  for (const listing of loras) await asked(instance, '/v1/models', { listing });
  const bare = new pg.Client({ connectionString: administratorUrl });
  await bare.connect();
  await bare.query('CREATE TABLE bare_clearance (id bigserial PRIMARY KEY, bytes bytea NOT NULL)');
  const rows: BenchmarkRow[] = [];
  const client = fork(new URL('./asking-process.js', import.meta.url), { stdio: 'inherit' });
  for (const [what, models, countries] of [
    ['little open', CLEAN, ['US']],
    ['much open', MIXED, ['US']],
    ['denied in the EU', MIXED, ['DE', 'FR']],
  ] as const) {
    const lineage = lineageOf(models, listings);
    const body = (round: number) => ({
      lineage,
      facts: { ...FACTS, audienceCountries: countries, organizationRevenueUsd: 400_000 + round },
    });
    const { id } = await asked<{ id: string }>(instance, '/v1/clearances', body(0));
    const statements = await countStatements(() => asked(instance, '/v1/clearances', body(0)));
    const sizeBytes = await sizeOf(bare, id);
    rows.push(
      row(`${what}: bare transaction`, await measure(() => transaction(bare, statements, sizeBytes))),
      {
        ...row(
          `${what}: POST /v1/clearances`,
          await measureFrom(client, instance, (round) => JSON.stringify(body(round))),
        ),
        statements,
        sizeBytes,
      },
    );
    if (what === 'much open')
      rows.push(
        row(
          `${what}: client in the same process`,
          await measure((round) => asked(instance, '/v1/clearances', body(round))),
        ),
      );
  }
  client.kill();
  await bare.end();
  return {
    rows,
    notes: [
      `14 models and tools with 3 LoRAs; ${WARM_UP} requests before, ${REQUESTS} measured, one after the other`,
      'CPU: user time of the process that serves; the database and the client are others',
      'statements: those of one request and of the sequencer during it, counted at the driver; a bare transaction has as many, with the bytes in one of them',
    ],
  };
};

interface Times {
  readonly sortedMs: readonly number[];
  readonly userCpuMs: number;
}

async function measure(work: (round: number) => Promise<unknown>): Promise<Times> {
  for (let round = 0; round < WARM_UP; round += 1) await work(round);
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let round = 0; round < REQUESTS; round += 1) {
    const start = performance.now();
    await work(round);
    times.push(performance.now() - start);
  }
  const userCpuMs = process.cpuUsage(cpu).user / 1_000 / REQUESTS;
  return { sortedMs: times.sort((a, b) => a - b), userCpuMs };
}

/** The same, asked by a process of its own. */
async function measureFrom(
  client: ChildProcess,
  { instance }: RunningColophon,
  bodyOf: (round: number) => string,
): Promise<Times> {
  const asking: Asking = {
    url: `${instance.url}/v1/clearances`,
    key: instance.keys.live,
    warmUp: Array.from({ length: WARM_UP }, (_, round) => bodyOf(round)),
    measured: Array.from({ length: REQUESTS }, (_, round) => bodyOf(round)),
  };
  const warm = once(client, 'message');
  client.send(asking);
  const [begun] = (await warm) as [unknown];
  const cpu = process.cpuUsage();
  const [done] = (await once(client, 'message')) as [{ sortedMs?: number[]; error?: string }];
  if (begun !== 'warm' || done.sortedMs === undefined) throw new Error(JSON.stringify([begun, done]));
  return { sortedMs: done.sortedMs, userCpuMs: process.cpuUsage(cpu).user / 1_000 / REQUESTS };
}

function row(what: string, { sortedMs, userCpuMs }: Times): BenchmarkRow {
  return {
    what,
    p50Ms: percentile(sortedMs, 0.5),
    p99Ms: percentile(sortedMs, 0.99),
    userCpuMs: Math.round(userCpuMs * 100) / 100,
  };
}

async function asked<T>({ instance }: RunningColophon, path: string, body: unknown): Promise<T> {
  const response = await fetch(`${instance.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${instance.keys.live}`,
      'content-type': 'application/json',
      'idempotency-key': randomBytes(16).toString('hex'),
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

/** At the driver: what the request sends to the database, its BEGIN and COMMIT among them. */
async function countStatements(work: () => Promise<unknown>): Promise<number> {
  const prototype = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown };
  const { query } = prototype;
  let count = 0;
  prototype.query = function counted(this: unknown, ...args: unknown[]) {
    count += 1;
    return query.apply(this, args);
  };
  try {
    await work();
  } finally {
    prototype.query = query;
  }
  return count;
}

async function sizeOf(administrator: pg.Client, id: string): Promise<number> {
  const { rows } = await administrator.query<{ size: number }>(
    'SELECT octet_length(input) + octet_length(coalesce(outcome, result)) AS size FROM colophon.clearance WHERE id = $1',
    [parsePublicId('clearance', id)],
  );
  return rows[0]?.size ?? 0;
}

async function transaction(client: pg.Client, statements: number, sizeBytes: number): Promise<void> {
  await client.query('BEGIN');
  for (let at = 3; at < statements; at += 1) await client.query('SELECT $1::int', [at]);
  await client.query('INSERT INTO bare_clearance (bytes) VALUES ($1)', [randomBytes(sizeBytes)]);
  await client.query('COMMIT');
}
