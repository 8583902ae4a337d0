import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { verifyLog } from '../src/audit/verify/verify-log.js';
import { httpLogSource } from '../src/cli/http-log-source.js';
import { LogFolder } from '../src/cli/log-folder.js';
import { trustOf } from '../src/cli/log-key.js';
import { mirrorLog } from '../src/cli/mirror-log.js';
import { zipLogSource } from '../src/cli/zip-log-source.js';
import { startEmbeddedPostgres } from '../src/database/embedded-postgres.js';
import { createDatabaseIfMissing } from '../src/database/prepare-database.js';
import { type BenchmarkResult, type BenchmarkRow, type StandaloneBenchmark } from './benchmark.js';
import { fillLog } from './fill-log.js';
import { ServerProcess } from './server-process.js';

/** Rows that can be measured alone: `-- export ndjson checks`. A number is that of the entries, `-- export 200000`. */
const ROWS = ['ndjson', 'csv', 'archive', 'checks', 'mirror', 'fsck'];
const given = process.argv.slice(3);
const ENTRIES = given.map(Number).find((count) => count > 0) ?? 1_000_000;
const chosen = new Set(given.some((row) => ROWS.includes(row)) ? given : ROWS);
const DATABASE = 'bench';
const MEBIBYTE = 2 ** 20;

/**
 * A log of a million entries as NDJSON, as CSV, as archive and as mirror, and the check of its rows, over HTTP from a
 * server that is a process of its own: entries per second, and the peak of its resident memory since its start. The
 * entries are written behind the back of the writer and published by a server that is stopped before anything is
 * measured.
 */
export const exportBenchmark: StandaloneBenchmark = { needs: 'nothing', run };

async function run(): Promise<BenchmarkResult> {
  const folder = mkdtempSync(join(tmpdir(), 'colophon-bench-'));
  mkdirSync(join(folder, 'server'));
  const postgres = await startEmbeddedPostgres(join(folder, 'server'));
  try {
    await createDatabaseIfMissing(postgres.urlOf('postgres'), DATABASE);
    const environment = { COLOPHON_HOME: join(folder, 'home'), DATABASE_URL: postgres.urlOf(DATABASE) };
    await prepare(environment, postgres.urlOf(DATABASE));
    const rows = await measure(environment, folder);
    return { rows, notes: [`${ENTRIES} entries; peak: VmHWM of the server since its start`] };
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prepare(environment: Record<string, string>, administratorUrl: string): Promise<void> {
  const server = await ServerProcess.start(environment);
  try {
    await fillLog(administratorUrl, server.organizationId, ENTRIES);
    await server.published(ENTRIES);
  } finally {
    await server.stop();
  }
}

async function measure(environment: Record<string, string>, folder: string): Promise<BenchmarkRow[]> {
  const rows: BenchmarkRow[] = [];
  const archive = join(folder, 'log.zip');
  const step = async (
    row: string,
    what: string,
    work: (server: ServerProcess) => Promise<number>,
  ): Promise<void> => {
    // The archive is what fsck reads.
    if (!chosen.has(row) && !(row === 'archive' && chosen.has('fsck'))) return;
    // A new process for each: a peak is not taken back.
    const server = await ServerProcess.start(environment);
    try {
      const idleMiB = server.peakRssBytes() / MEBIBYTE;
      const start = performance.now();
      const sizeBytes = await work(server);
      const seconds = (performance.now() - start) / 1000;
      rows.push({
        what,
        seconds: round(seconds),
        entriesPerSecond: Math.round(ENTRIES / seconds),
        sizeMiB: Math.round(sizeBytes / MEBIBYTE),
        idleRssMiB: Math.round(idleMiB),
        peakRssMiB: Math.round(server.peakRssBytes() / MEBIBYTE),
      });
    } finally {
      await server.stop();
    }
  };
  for (const format of ['ndjson', 'csv'])
    await step(format, `GET /v1/audit/export, ${format}`, (server) =>
      download(server, `/v1/audit/export?format=${format}`, join(folder, format)),
    );
  await step('archive', 'GET /v1/audit/archive', (server) => download(server, '/v1/audit/archive', archive));
  await step('checks', 'POST /v1/audit/checks', async (server) => {
    const file = join(folder, 'check');
    await download(server, '/v1/audit/checks', file, 'POST');
    await requireClean(file);
    return 0;
  });
  await step('mirror', 'colophon log mirror', (server) => mirror(server, join(folder, 'mirror')));
  if (chosen.has('fsck')) rows.push(await fsck(archive, environment.COLOPHON_HOME ?? ''));
  return rows;
}

async function download(server: ServerProcess, path: string, file: string, method = 'GET'): Promise<number> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${server.key}` },
  });
  if (!response.ok || response.body === null) throw new Error(`${path} answered ${response.status}`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
  return statSync(file).size;
}

async function requireClean(file: string): Promise<void> {
  let last = '';
  for await (const line of createInterface({ input: createReadStream(file) })) last = line;
  const { result } = JSON.parse(last) as { result?: { outcome: string } };
  if (result?.outcome !== 'clean') throw new Error(`the rows are not clean: ${last.slice(0, 1000)}`);
}

async function mirror(server: ServerProcess, path: string): Promise<number> {
  const source = httpLogSource(`${server.url}/logs/${server.organizationId}`, { apiKey: server.key });
  const copy = await LogFolder.open(path);
  try {
    await mirrorLog(source, copy, trustOf(server.vkey, undefined));
  } finally {
    await copy.close();
  }
  return 0;
}

/** In this process: nothing but the file and the key is needed. */
async function fsck(archive: string, home: string): Promise<BenchmarkRow> {
  const { log } = JSON.parse(readFileSync(join(home, 'instance.json'), 'utf8')) as { log: { vkey: string } };
  const start = performance.now();
  const source = await zipLogSource(archive);
  const { ok, findings } = await verifyLog(source, trustOf(log.vkey, undefined));
  source.close();
  if (!ok) throw new Error(`the archive is not clean: ${JSON.stringify(findings[0])}`);
  const seconds = (performance.now() - start) / 1000;
  return {
    what: 'fsck of the archive',
    seconds: round(seconds),
    entriesPerSecond: Math.round(ENTRIES / seconds),
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;
