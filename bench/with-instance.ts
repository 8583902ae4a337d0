import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfiguration } from '../src/config/configuration.js';
import { startEmbeddedPostgres } from '../src/database/embedded-postgres.js';
import { createDatabaseIfMissing } from '../src/database/prepare-database.js';
import { launch } from '../src/launch.js';
import { type Benchmark, type BenchmarkResult } from './benchmark.js';

const DATABASE = 'bench';

/** A fresh instance on a fresh PostgreSQL of its own, stopped and removed afterwards. */
export async function withInstance(benchmark: Benchmark, args: readonly string[]): Promise<BenchmarkResult> {
  const folder = mkdtempSync(join(tmpdir(), 'colophon-bench-'));
  const serverHome = join(folder, 'server');
  mkdirSync(serverHome);
  const server = await startEmbeddedPostgres(serverHome);
  try {
    await createDatabaseIfMissing(server.urlOf('postgres'), DATABASE);
    const configuration = readConfiguration({
      COLOPHON_HOME: join(folder, 'home'),
      DATABASE_URL: server.urlOf(DATABASE),
      PORT: '0',
      LOG_LEVEL: 'error',
      COLOPHON_REQUESTS_PER_MINUTE: '1000000',
    });
    const instance = await launch(configuration);
    try {
      return await benchmark(instance, { administratorUrl: server.urlOf(DATABASE) }, args);
    } finally {
      await instance.stop();
    }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
