import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { type Benchmark, type BenchmarkResult, type StandaloneBenchmark } from './benchmark.js';
import { appendBenchmark } from './append.js';
import { campaignBenchmark } from './campaign.js';
import { clearanceHttpBenchmark } from './clearance-http.js';
import { dossierBenchmark } from './dossier.js';
import { exportBenchmark } from './export.js';
import { gatewayBenchmark } from './gateway.js';
import { growthBenchmark } from './growth.js';
import { licenseEngineBenchmark } from './license-engine.js';
import { signMediaBenchmark } from './sign-media.js';
import { periodBenchmark } from './period.js';
import { recoveryIndexBenchmark } from './recovery-index.js';
import { recoveryRecallBenchmark } from './recovery-recall.js';
import { signingBenchmark } from './signing.js';
import { studioStepBenchmark } from './studio-step.js';
import { tamperingBenchmark } from './tampering.js';
import { verifyBatchBenchmark } from './verify-batch.js';
import { verifyBundleBenchmark } from './verify-bundle.js';
import { withInstance } from './with-instance.js';

const BENCHMARKS: Readonly<Record<string, Benchmark | StandaloneBenchmark>> = {
  'studio-step': studioStepBenchmark,
  append: appendBenchmark,
  growth: growthBenchmark,
  gateway: gatewayBenchmark,
  'clearance-http': clearanceHttpBenchmark,
  export: exportBenchmark,
  'license-engine': licenseEngineBenchmark,
  'verify-batch': verifyBatchBenchmark,
  signing: signingBenchmark,
  'sign-media': signMediaBenchmark,
  'recovery-index': recoveryIndexBenchmark,
  'recovery-recall': recoveryRecallBenchmark,
  'verify-bundle': verifyBundleBenchmark,
  dossier: dossierBenchmark,
  campaign: campaignBenchmark,
  period: periodBenchmark,
  tampering: tamperingBenchmark,
};

/** `npm run bench -- NAME`: runs against a fresh embedded instance, where it needs one, and prints a table and JSON. */
async function main(): Promise<number> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const name = positionals[0] ?? '';
  const benchmark = BENCHMARKS[name];
  if (!benchmark) {
    console.error(`usage: npm run bench -- ${Object.keys(BENCHMARKS).join('|')}`);
    return 2;
  }
  const args = positionals.slice(1);
  const result = await ('needs' in benchmark ? benchmark.run(args) : withInstance(benchmark, args));
  print(name, result);
  return 0;
}

function print(name: string, result: BenchmarkResult): void {
  console.table(Object.fromEntries(result.rows.map(({ what, ...values }) => [what, values])));
  for (const note of result.notes) console.log(note);
  console.log(JSON.stringify({ name, at: new Date().toISOString(), machine: machine(), ...result }));
}

function machine(): Record<string, string | number> {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
