import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfiguration } from '../src/config/configuration.js';
import { launch } from '../src/launch.js';
import { type Benchmark, type BenchmarkResult } from './benchmark.js';

/** A fresh instance in a temporary home, stopped and removed afterwards. */
export async function withInstance(benchmark: Benchmark): Promise<BenchmarkResult> {
  const home = mkdtempSync(join(tmpdir(), 'colophon-bench-'));
  const configuration = readConfiguration({
    COLOPHON_HOME: home,
    PORT: '0',
    LOG_LEVEL: 'error',
    COLOPHON_REQUESTS_PER_MINUTE: '1000000',
  });
  const instance = await launch(configuration);
  try {
    return await benchmark(instance);
  } finally {
    await instance.stop();
    rmSync(home, { recursive: true, force: true });
  }
}
