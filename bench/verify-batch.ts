import { execFile } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { releaseSigners, SigningWorkshop } from '../src/provenance/testing/signing-workshop.js';
import { type BenchmarkResult, type BenchmarkRow } from './benchmark.js';

const FILES = 400;
const DISTINCT = 20;
const SIDE_PIXELS = 1024;
const run = promisify(execFile);
const COMMAND_LINE = fileURLToPath(new URL('../src/cli/colophon.js', import.meta.url));

/** A folder of signed pictures, verified by the command line: what an asset manager waits for. */
export const verifyBatchBenchmark = {
  needs: 'nothing' as const,
  async run(): Promise<BenchmarkResult> {
    const workshop = await SigningWorkshop.create();
    try {
      const folder = join(workshop.folder, 'batch');
      await mkdir(folder);
      for (let i = 0; i < DISTINCT; i++) {
        const { path } = await workshop.sign(await workshop.picture('image/jpeg', SIDE_PIXELS));
        for (let copy = i; copy < FILES; copy += DISTINCT) await copyFile(path, join(folder, `${copy}.jpg`));
      }
      const trust = await workshop.write(Buffer.from(workshop.keystore.caCertificatePem));
      const rows: BenchmarkRow[] = [];
      for (const jobs of new Set([1, availableParallelism()])) rows.push(await measure(folder, trust, jobs));
      return {
        rows,
        notes: [
          `${FILES} JPEG files of ${SIDE_PIXELS} x ${SIDE_PIXELS} pixels of noise, each signed; judged by the C2PA lists and one more.`,
          'The start of node and of the separate processes that parse the files is part of the time.',
        ],
      };
    } finally {
      await workshop.close();
      await releaseSigners();
    }
  },
};

async function measure(folder: string, trust: string, jobs: number): Promise<BenchmarkRow> {
  const argv = ['verify', folder, '--trust', trust, '--jobs', String(jobs), '--json'];
  const { stdout } = await run(process.execPath, [COMMAND_LINE, ...argv], { maxBuffer: 64 * 1024 * 1024 });
  const { summary } = JSON.parse(stdout) as {
    summary: { validAndTrusted: number; filesPerSecond: number; seconds: number };
  };
  if (summary.validAndTrusted !== FILES) throw new Error('not every file was valid and trusted');
  return { what: `${jobs} at once`, 'files per second': summary.filesPerSecond, seconds: summary.seconds };
}
