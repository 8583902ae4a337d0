import { CreateOrganization } from '../src/identity/application/create-organization.js';
import { systemClock } from '../src/shared/clock.js';
import { publicId } from '../src/shared/ids.js';
import { measure, plainEntry } from './append.js';
import { type Benchmark, type BenchmarkRow, percentile } from './benchmark.js';
import { fillLog } from './fill-log.js';

const SIZES = [100_000, 1_000_000, 10_000_000];
const WRITERS = 64;
const ROUNDS = 5;
const ROUND_MS = 3_000;

interface Log {
  readonly size: number;
  readonly organizationId: string;
  entries: number;
  seconds: number;
  times: number[];
}

/**
 * What an entry costs in a log that has many already: logs of several sizes in one database, appended to in turn, so
 * that whatever else the machine does falls on all of them alike. Sizes may be given: `-- growth 100000 1000000`.
 */
export const growthBenchmark: Benchmark = async ({ services }, { administratorUrl }) => {
  const { organizationTx, appendEntry, logWriter, logKeys, readLog } = services;
  const create = new CreateOrganization(organizationTx, logKeys, appendEntry, systemClock);
  const given = process.argv.slice(3).map(Number);
  const logs: Log[] = [];
  for (const size of given.length > 0 ? given : SIZES) {
    const { organizationId } = await create.create(`bench ${size}`, 'bench.example');
    await fillLog(administratorUrl, publicId('organization', organizationId), size);
    services.sequencer.wake();
    while ((await readLog.publishedSize(organizationId).catch(() => 0)) < size)
      await new Promise((resolve) => setTimeout(resolve, 200));
    console.error(`a log of ${size} entries is published`);
    logs.push({ size, organizationId, entries: 0, seconds: 0, times: [] });
  }
  for (let round = 0; round < ROUNDS; round++) for (const log of logs) await append(log);
  const [smallest] = logs;
  const rows = logs.map((log): BenchmarkRow => {
    const times = log.times.sort((a, b) => a - b);
    return {
      what: `${log.size.toLocaleString('en-US')} entries before`,
      perSecond: Math.round(perSecond(log)),
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
      ratio: smallest ? Math.round((perSecond(log) / perSecond(smallest)) * 1000) / 1000 : 1,
    };
  });
  return { rows, notes: [`${WRITERS} writers, ${ROUNDS} rounds of ${ROUND_MS / 1000} s each, in turn`] };

  async function append(log: Log): Promise<void> {
    const write = (): Promise<unknown> => logWriter.append(log.organizationId, plainEntry());
    const { times, perSecond: rate } = await measure(WRITERS, write, undefined, ROUND_MS);
    log.entries += times.length;
    log.seconds += times.length / rate;
    log.times.push(...times);
  }
};

function perSecond({ entries, seconds }: Log): number {
  return entries / seconds;
}
