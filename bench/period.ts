import { readFile } from 'node:fs/promises';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { startEmbeddedPostgres } from '../src/database/embedded-postgres.js';
import { createDatabaseIfMissing } from '../src/database/prepare-database.js';
import { runVerifyPeriod } from '../src/reports/verify/verify-period.js';
import { type BenchmarkResult, type BenchmarkRow, type StandaloneBenchmark } from './benchmark.js';
import { fillLog } from './fill-log.js';
import { makeReport, mebibytes } from './made-reports.js';
import { ServerProcess } from './server-process.js';

const DATABASE = 'bench';
const POLL_MS = 250;

/**
 * The export of a period of a million entries, as a zip and as CSV, from a server that is a process of its own: the time
 * until it is done, and the peak of its resident memory since its start; then the zip is verified in this process.
 * Several sizes show whether memory grows with the log: `-- period 100000 1000000`.
 */
export const periodBenchmark: StandaloneBenchmark = { needs: 'nothing', run };

async function run(args: readonly string[]): Promise<BenchmarkResult> {
  const sizes = args.map(Number).filter((size) => size > 0);
  const rows: BenchmarkRow[] = [];
  for (const entries of sizes.length > 0 ? sizes : [1_000_000]) rows.push(...(await measure(entries)));
  return {
    rows,
    notes: ['peak: VmHWM of the server since its start; a new server for each row, so idle is its own start'],
  };
}

async function measure(entries: number): Promise<BenchmarkRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'colophon-bench-'));
  mkdirSync(join(folder, 'server'));
  const postgres = await startEmbeddedPostgres(join(folder, 'server'));
  try {
    await createDatabaseIfMissing(postgres.urlOf('postgres'), DATABASE);
    const environment = { COLOPHON_HOME: join(folder, 'home'), DATABASE_URL: postgres.urlOf(DATABASE) };
    const server = await ServerProcess.start(environment);
    try {
      await fillLog(postgres.urlOf(DATABASE), server.organizationId, entries);
      await server.published(entries);
    } finally {
      await server.stop();
    }
    const rows: BenchmarkRow[] = [];
    for (const format of ['bundle', 'csv']) rows.push(await exported(environment, folder, format, entries));
    rows.push(await verified(folder, entries));
    return rows;
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function exported(
  environment: Record<string, string>,
  folder: string,
  format: string,
  entries: number,
): Promise<BenchmarkRow> {
  const server = await ServerProcess.start(environment);
  try {
    const idleMiB = Math.round(mebibytes(server.peakRssBytes()));
    const report = await makeReport(server, { kind: 'period', format }, POLL_MS);
    const madeMiB = Math.round(mebibytes(server.peakRssBytes()));
    const headers = { authorization: `Bearer ${server.key}` };
    const response = await fetch(`${server.url}/v1/reports/${report.id}/content`, { headers });
    if (!response.ok || response.body === null) throw new Error(`the content answered ${response.status}`);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(join(folder, format)));
    return {
      what: `${format}, ${entries.toLocaleString('en-US')} entries`,
      seconds: report.seconds,
      entriesPerSecond: Math.round(entries / report.seconds),
      sizeMiB: Math.round(mebibytes(report.sizeBytes)),
      idleRssMiB: idleMiB,
      peakRssMiB: madeMiB,
      peakWithDownloadMiB: Math.round(mebibytes(server.peakRssBytes())),
      percents: report.percents.join(' '),
    };
  } finally {
    await server.stop();
  }
}

async function verified(folder: string, entries: number): Promise<BenchmarkRow> {
  const instance = await readFile(join(folder, 'home', 'instance.json'), 'utf8');
  const { log } = JSON.parse(instance) as { log: { vkey: string } };
  const start = performance.now();
  const { verdict, findings } = await runVerifyPeriod(join(folder, 'bundle'), { expectedVkey: log.vkey });
  if (verdict !== 'valid') throw new Error(`the export is ${verdict}: ${JSON.stringify(findings[0])}`);
  const seconds = Math.round((performance.now() - start) / 10) / 100;
  return {
    what: `verified, ${entries.toLocaleString('en-US')} entries`,
    seconds,
    entriesPerSecond: Math.round(entries / seconds),
  };
}
