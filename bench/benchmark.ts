import { type RunningColophon } from '../src/launch.js';

export interface BenchmarkRow {
  readonly what: string;
  readonly [figure: string]: string | number;
}

export interface BenchmarkResult {
  readonly rows: readonly BenchmarkRow[];
  readonly notes: readonly string[];
}

/** The server below the instance, for references that go past it. */
export interface BenchmarkServer {
  readonly administratorUrl: string;
}

/** @param args further words of the command line */
export type Benchmark = (
  instance: RunningColophon,
  server: BenchmarkServer,
  args: readonly string[],
) => Promise<BenchmarkResult>;

/** Measures pure work: no instance is started for it. */
export interface StandaloneBenchmark {
  readonly needs: 'nothing';
  /** @param args further words of the command line */
  readonly run: (args: readonly string[]) => Promise<BenchmarkResult>;
}

/** Milliseconds that each call took, ascending. */
export async function timeEach(count: number, work: (round: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < count; round++) {
    const start = performance.now();
    await work(round);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

export function percentile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return Math.round(value * 100) / 100;
}

/** Runs `work` from `writers` loops at once until `total` calls are done; seconds of wall time. */
export async function inParallel(
  total: number,
  writers: number,
  work: (call: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (next < total) await work(next++);
    }),
  );
  return (performance.now() - start) / 1000;
}
