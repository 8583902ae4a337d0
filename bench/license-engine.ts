import {
  decide,
  decidePrepared,
  type DecisionResult,
  prepareLineage,
} from '../src/licenses/domain/engine.js';
import { ENGINE_VERSION } from '../src/licenses/domain/engine-version.js';
import { type Lineage } from '../src/licenses/domain/lineage.js';
import { type ListingIndex } from '../src/licenses/domain/listing-index.js';
import { type RunFacts, runFactsSchema } from '../src/licenses/domain/run-facts.js';
import { seedListings } from '../src/licenses/registry/seed.js';
import { type BenchmarkResult, type BenchmarkRow, type StandaloneBenchmark } from './benchmark.js';
import { CLEAN, lineageOf, MIXED, withLoras } from './license-lineage.js';

const WARM_UP_MS = 1_500;
const MEASURE_MS = 4_000;
const BATCH = 200;

const AUDIENCES = [['US'], ['US', 'CA', 'JP'], ['CH', 'NO', 'IS'], ['BR', 'AR', 'CL', 'UY'], ['AU', 'NZ']];

/**
 * Decisions per second on one core. Every decision gets facts of its own (another revenue, other countries), as in a
 * matrix of countries; nothing is kept from one decision to the next but what depends on the registry alone.
 */
export const licenseEngineBenchmark: StandaloneBenchmark = {
  needs: 'nothing',
  run: () => Promise.resolve(measureAll()),
};

function measureAll(): BenchmarkResult {
  const listings = withLoras(seedListings());
  const clean = lineageOf(CLEAN, listings);
  const mixed = lineageOf(MIXED, listings);
  return {
    rows: [
      measure('little open', AUDIENCES, eachAnew(clean, listings)),
      measure('much open', AUDIENCES, eachAnew(mixed, listings)),
      measure('denied in the EU', [['DE', 'FR']], eachAnew(mixed, listings)),
      measure('little open, one pipeline in a matrix', AUDIENCES, preparedOnce(clean, listings)),
      measure('much open, one pipeline in a matrix', AUDIENCES, preparedOnce(mixed, listings)),
      measure('denied in the EU, one pipeline in a matrix', [['DE', 'FR']], preparedOnce(mixed, listings)),
    ],
    notes: [
      '14 models and tools with 3 LoRAs; "in a matrix": one pipeline under many facts, its lineage prepared once',
      `each row: ${String(WARM_UP_MS / 1000)} s warm-up, ${String(MEASURE_MS / 1000)} s measured, one thread`,
      'per second of CPU: user and system time of the whole process, its garbage collector included',
      'a decision: expand, decide, findings, obligations, indemnity, canonical input and both hashes',
    ],
  };
}

type Decide = (facts: RunFacts) => DecisionResult;

function eachAnew(lineage: Lineage, listings: ListingIndex): Decide {
  return (facts) => decide({ lineage, facts, listings, engineVersion: ENGINE_VERSION });
}

function preparedOnce(lineage: Lineage, listings: ListingIndex): Decide {
  const prepared = prepareLineage(lineage, listings);
  return (facts) => decidePrepared(prepared, facts);
}

function measure(what: string, audiences: readonly (readonly string[])[], decideOn: Decide): BenchmarkRow {
  const facts = audiences.flatMap((countries) => manyFacts(countries));
  const [first] = facts;
  if (!first) throw new Error('no facts');
  let last = decideOn(first);
  let next = 0;
  const during = (durationMs: number) => {
    const cpu = process.cpuUsage();
    const start = performance.now();
    let count = 0;
    while (performance.now() - start < durationMs) {
      for (let round = 0; round < BATCH; round += 1) {
        last = decideOn(facts[next++ % facts.length] ?? first);
      }
      count += BATCH;
    }
    const { user, system } = process.cpuUsage(cpu);
    return {
      perCore: count / ((user + system) / 1_000_000),
      perSecond: (count * 1000) / (performance.now() - start),
    };
  };
  during(WARM_UP_MS);
  const { perCore, perSecond } = during(MEASURE_MS);
  return {
    what,
    perSecondOfCpu: Math.round(perCore),
    perSecondOfClock: Math.round(perSecond),
    cpuMicroseconds: Math.round((1_000_000 / perCore) * 10) / 10,
    decision: last.decision,
    listings: last.input.listings.length,
    findings: last.findings.length,
    obligations: last.obligations.length,
  };
}

function manyFacts(audienceCountries: readonly string[]): RunFacts[] {
  return Array.from({ length: 50 }, (_, at) =>
    runFactsSchema.parse({
      purpose: 'commercial',
      audienceCountries,
      organizationRevenueUsd: 500_000 + at,
      organizationRevenueWithAffiliatesUsd: 500_000 + at,
      monthlyActiveUsers: 1_000,
      monthlyActiveUsersWithAffiliates: 1_000,
      monthlyVisits: 1_000,
      hosting: 'own-use',
      processingCountries: ['US'],
      humanReviewPlanned: 'yes',
      labelPlanned: 'yes',
      attributionPlanned: 'yes',
      editsPlanned: 'no',
      generatedOn: '2026-11-25',
      campaignStart: '2026-12-01',
      campaignEnd: '2026-12-31',
    }),
  );
}
