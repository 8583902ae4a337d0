import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/database/embedded-postgres.js';
import { createDatabaseIfMissing } from '../src/database/prepare-database.js';
import { sha256Hex } from '../src/shared/bytes.js';
import { parsePublicId } from '../src/shared/ids.js';
import {
  type BenchmarkResult,
  type BenchmarkRow,
  inParallel,
  percentile,
  type StandaloneBenchmark,
} from './benchmark.js';
import { parentOf, processorMs } from './processor-time.js';
import { ServerProcess } from './server-process.js';

const MODEL = 'gpt-image-bench';
const LISTING = 'bench-model@openai';
const DATABASE = 'bench';
/** `-- gateway 1:100 16:320`: these clients and calls only. */
const given = process.argv.slice(3).flatMap((argument) => {
  const [clients = 0, calls = 0] = argument.split(':').map(Number);
  return clients > 0 && calls > 0 ? [{ clients, calls }] : [];
});
const ROUNDS =
  given.length > 0
    ? given
    : [
        { clients: 1, calls: 100 },
        { clients: 16, calls: 320 },
        { clients: 64, calls: 384 },
      ];
const WARM_UP = 60;
/** `profile=DIR`: a profile of the server is written there. */
const profileFolder = process.argv.find((argument) => argument.startsWith('profile='));

/**
 * What the gateway adds to a vendor's call: a picture of a megapixel as JPEG, from a vendor that answers at once. Beside
 * it, in the same run, a bare proxy that forwards and checks nothing. The server, the vendor with the proxy and the
 * client are processes of their own.
 */
export const gatewayBenchmark: StandaloneBenchmark = { needs: 'nothing', run };

interface Call {
  readonly runId: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

async function run(): Promise<BenchmarkResult> {
  const folder = mkdtempSync(join(tmpdir(), 'colophon-bench-'));
  mkdirSync(join(folder, 'server'));
  const upstream = fork(new URL('./gateway-upstream.js', import.meta.url), { stdio: 'inherit' });
  const [ports] = (await once(upstream, 'message')) as [{ vendorPort: number; proxyPort: number }];
  const postgres = await startEmbeddedPostgres(join(folder, 'server'));
  try {
    await createDatabaseIfMissing(postgres.urlOf('postgres'), DATABASE);
    const server = await ServerProcess.start(
      {
        COLOPHON_HOME: join(folder, 'home'),
        DATABASE_URL: postgres.urlOf(DATABASE),
        OPENAI_API_KEY: 'sk-bench',
        COLOPHON_SHARED_PROVIDER_KEYS: 'on',
        OPENAI_BASE_URL: `http://127.0.0.1:${ports.vendorPort}/v1`,
        COLOPHON_SERVERS_FILE: serversFile(folder),
      },
      profileFolder === undefined
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${profileFolder.slice('profile='.length)}`],
    );
    const database = new pg.Client({
      connectionString: postgres.urlOf(DATABASE),
      options: '-c search_path=colophon',
    });
    await database.connect();
    try {
      const root = await openGateway(server);
      return { rows: await measure(root, server, ports.proxyPort, database), notes: NOTES };
    } finally {
      await database.end();
      await server.stop();
    }
  } finally {
    upstream.kill();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const NOTES = [
  `JPEG of 1024 x 1024; ${WARM_UP} calls before; milliseconds are medians`,
  'clear: until the run is accepted; begin: until the request leaves; vendor: request, answer and storage of the answer; sign: manifest, reading back, entries, settlement; answer: until the client has read it',
  'serverCpuMs, databaseCpuMs: processor time for each picture, of the server with the processes that it starts, and of PostgreSQL',
];

async function measure(
  root: string,
  server: ServerProcess,
  proxyPort: number,
  database: pg.Client,
): Promise<BenchmarkRow[]> {
  const { rows: backends } = await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const postgresPid = parentOf(backends[0]?.pid ?? 0);
  const proxied = (): Promise<Call> => call(`http://127.0.0.1:${proxyPort}/v1`, 'none');
  const gateway = (): Promise<Call> => call(root, server.key);
  await inParallel(WARM_UP, 4, proxied);
  await inParallel(WARM_UP, 4, gateway);
  const rows: BenchmarkRow[] = [];
  for (const { clients, calls } of ROUNDS) {
    const bare = await timed(calls, clients, proxied);
    const used = { server: server.processorMs(), database: processorMs(postgresPid) };
    const ours = await timed(calls, clients, gateway);
    const added = percentile(ours.sortedMs, 0.5) - percentile(bare.sortedMs, 0.5);
    rows.push(
      { what: `${clients} clients: bare proxy`, ...figures(bare) },
      {
        what: `${clients} clients: gateway`,
        ...figures(ours),
        addedMs: Math.round(added * 10) / 10,
        serverCpuMs: Math.round((server.processorMs() - used.server) / calls),
        databaseCpuMs: Math.round((processorMs(postgresPid) - used.database) / calls),
        ...(await parts(database, ours.calls)),
      },
    );
  }
  return rows;
}

interface Timed {
  readonly calls: readonly Call[];
  readonly sortedMs: readonly number[];
  readonly perSecond: number;
}

async function timed(total: number, clients: number, work: () => Promise<Call>): Promise<Timed> {
  const calls: Call[] = [];
  const seconds = await inParallel(total, clients, async () => void calls.push(await work()));
  const sortedMs = calls.map(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs).sort((a, b) => a - b);
  return { calls, sortedMs, perSecond: Math.round((total / seconds) * 10) / 10 };
}

function figures({ sortedMs, perSecond }: Timed) {
  return { p50Ms: percentile(sortedMs, 0.5), p99Ms: percentile(sortedMs, 0.99), perSecond };
}

async function call(root: string, key: string): Promise<Call> {
  const startedAtMs = Date.now();
  const response = await fetch(`${root}/images/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: MODEL,
      prompt: `a bottle ${startedAtMs} ${Math.random()}`,
      size: '1024x1024',
      output_format: 'jpeg',
    }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text.slice(0, 500)}`);
  const runId = parsePublicId('run', response.headers.get('x-colophon-run-id') ?? '') ?? '';
  return { runId, startedAtMs, endedAtMs: Date.now() };
}

/** Medians of what lies between the events of each run, on the clock that all processes share. */
async function parts(database: pg.Client, calls: readonly Call[]): Promise<Record<string, number>> {
  const { rows } = await database.query<{ run_id: string; at: Date; state: string; type: string }>(
    `SELECT run_id, at, event::jsonb ->> 'state' AS state, event::jsonb ->> 'type' AS type
       FROM run_event WHERE run_id = ANY($1)`,
    [calls.map(({ runId }) => runId)],
  );
  const atOf = new Map(
    rows.map(({ run_id, type, state, at }) => [`${run_id} ${type} ${state}`, at.getTime()]),
  );
  const medianOf = (from: (call: Call) => number | undefined, to: (call: Call) => number | undefined) => {
    const times = calls.flatMap((each) => {
      const [start, end] = [from(each), to(each)];
      return start === undefined || end === undefined ? [] : [end - start];
    });
    return percentile(
      times.sort((a, b) => a - b),
      0.5,
    );
  };
  const at = (what: string) => (each: Call) => atOf.get(`${each.runId} ${what}`);
  return {
    clear: medianOf((each) => each.startedAtMs, at('run RUNNING')),
    begin: medianOf(at('run RUNNING'), at('step SUBMITTING')),
    vendor: medianOf(at('step SUBMITTING'), at('step CAPTURED')),
    sign: medianOf(at('step CAPTURED'), at('run SUCCEEDED')),
    answer: medianOf(at('run SUCCEEDED'), (each) => each.endedAtMs),
  };
}

function serversFile(folder: string): string {
  const read = { source: 'bench', dateRead: '2026-11-30', verified: true };
  const file = join(folder, 'servers.json');
  const offering = { listingId: LISTING, provider: 'openai', endpoint: MODEL, operations: ['generate'] };
  const sameFor = { traits: ['size'], source: read.source };
  const price = { family: 'per-image', tiers: [{ microUsd: 1 }], sameFor, ...read };
  const prices = [{ provider: 'openai', endpoint: MODEL, price }];
  writeFileSync(file, JSON.stringify({ offerings: [offering], prices }), { mode: 0o600 });
  return file;
}

/** @returns the root that an SDK of OpenAI is given */
async function openGateway(server: ServerProcess): Promise<string> {
  const ask = async (path: string, method: string, body: unknown, key = server.key) => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'idempotency-key': path + method,
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text) as { id: string; key: string };
  };
  const { id: principalId } = await ask('/v1/principals', 'POST', {
    displayName: 'Counsel',
    roles: ['legal'],
  });
  const { key: legal } = await ask('/v1/api-keys', 'POST', { principalId, mode: 'live' });
  await ask('/v1/license-texts', 'POST', {
    licenseKey: 'LicenseRef-Contract',
    text: CONTRACT,
    readOn: '2026-11-20',
  });
  await ask('/v1/models', 'POST', { listing: ownListing() });
  const facts = { purpose: 'commercial', audienceCountries: ['US'], organizationRevenueUsd: 5_000_000 };
  const path = `/v1/projects/${server.projectId}/use-cases/hero-image/gateway`;
  await ask(path, 'PUT', { open: true, facts, inputRights: null }, legal);
  return `${server.url}/gateway/openai/p/${server.projectId}/hero-image/v1`;
}

/** The text behind the facts of the listing. */
const CONTRACT = 'The contract of the benchmark.';

function ownListing() {
  const term = (kind: string) => ({
    id: kind,
    kind,
    value: 'yes',
    source: 'contract',
    clause: '2',
    paraphrase: 'The customer owns the model and what it makes.',
    verified: 'primary',
  });
  return {
    id: LISTING,
    name: 'A model of the benchmark',
    vendor: 'The benchmark',
    modalities: ['image'],
    roles: ['generator'],
    channel: 'openai',
    access: 'open-weights',
    endpoints: [],
    license: {
      spdxOrRef: 'LicenseRef-Contract',
      name: 'Contract',
      url: null,
      textSha256: sha256Hex(CONTRACT),
      version: null,
      dateRead: '2026-11-20',
      status: 'current',
      statusReason: '',
      conflictingTexts: [],
    },
    history: [],
    terms: [term('commercial-use-of-weights'), term('commercial-use-of-outputs')],
    components: [],
    base: null,
    datasetManifestSha256: null,
    trainingData: {
      disclosure: 'full',
      summary: 'Pictures of the customer.',
      source: 'contract',
      verified: 'primary',
      rightsBasis: { value: 'owned', source: 'contract', clause: null, verified: 'primary' },
    },
    indemnity: { offered: 'no', conditions: [], voidedBy: [], source: null, verified: 'primary' },
    sources: [
      {
        id: 'contract',
        title: 'Contract',
        url: null,
        commit: null,
        section: null,
        dateRead: '2026-11-20',
        verified: 'primary',
      },
    ],
  };
}
