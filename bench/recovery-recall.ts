import { codesOf } from '../src/assets/domain/picture-fingerprint.js';
import { normalizePicture } from '../src/assets/adapters/normalize-picture.js';
import { fingerprintOf } from '../src/recovery/domain/picture-codes.js';
import { hammingDistance } from '../src/recovery/domain/iscc/image-code.js';
import { MAX_DISTANCE } from '../src/recovery/domain/similarity.js';
import {
  type BenchmarkResult,
  type BenchmarkRow,
  inParallel,
  type StandaloneBenchmark,
} from './benchmark.js';
import { familyOf, PICTURE_FAMILIES, syntheticPicture } from './recovery-pictures.js';
import { TRANSFORMATIONS } from './recovery-transformations.js';

/** One code of a picture, or two where it has an even border. */
type Codes = readonly Uint8Array[];

const PICTURES = 2_000;
/** Pictures in work at once: as many as libvips has threads to work on them. */
const IN_WORK = 4;
/** Thresholds that are compared; the one in use is printed with them. */
const THRESHOLDS = [...new Set([16, 24, 32, 40, 48, 56, 64, MAX_DISTANCE])].sort((a, b) => a - b);

/**
 * How often a transformed picture is still found by its fingerprint, and how often two distinct pictures are taken for
 * one another: 2,000 synthetic pictures, every pair of them.
 */
export const recoveryRecallBenchmark: StandaloneBenchmark = { needs: 'nothing', run: measure };

async function measure(): Promise<BenchmarkResult> {
  const codes: Codes[] = [];
  const distances = new Map<string, number[]>(Object.keys(TRANSFORMATIONS).map((name) => [name, []]));
  const started = performance.now();
  let done = 0;
  await inParallel(PICTURES, IN_WORK, async (number) => {
    const picture = await syntheticPicture(number);
    const own = codesOf(fingerprintOf(await normalizePicture(picture)));
    codes[number] = own;
    for (const [name, transform] of Object.entries(TRANSFORMATIONS))
      distances
        .get(name)
        ?.push(distance(own, codesOf(fingerprintOf(await normalizePicture(await transform(picture))))));
    done += 1;
    if (done % 200 === 0) console.error(`${String(done)} of ${String(PICTURES)} pictures`);
  });
  const seconds = (performance.now() - started) / 1000;
  return {
    rows: [
      ...[...distances].map(([name, found]) => recallRow(name, found)),
      falseRow('two distinct pictures', codes, () => true),
      ...PICTURE_FAMILIES.map((family) =>
        falseRow(`two of the family "${family}"`, codes, (number) => familyOf(number) === family),
      ),
    ],
    notes: [
      `${String(PICTURES)} synthetic pictures, ${String(Object.keys(TRANSFORMATIONS).length)} transformations, ${seconds.toFixed(0)} s`,
      'recall: share of pictures whose transformed copy differs from them in at most so many of 256 bits',
      'pairs of distinct pictures: share of all pairs that would be taken for one another',
      `in use: at most ${String(MAX_DISTANCE)} bits`,
    ],
  };
}

/** As the search does it: the nearest pair counts. */
function distance(a: Codes, b: Codes): number {
  return Math.min(...a.flatMap((one) => b.map((other) => hammingDistance(one, other))));
}

function recallRow(what: string, distances: number[]): BenchmarkRow {
  distances.sort((a, b) => a - b);
  const at = (share: number): number =>
    distances[Math.min(distances.length - 1, Math.floor(distances.length * share))] ?? 0;
  const figures = THRESHOLDS.map((limit) => {
    const found = distances.filter((distance) => distance <= limit).length;
    return [`<=${String(limit)}`, percent(found / distances.length)] as const;
  });
  return { what, median: at(0.5), p99: at(0.99), ...Object.fromEntries(figures) };
}

function falseRow(
  what: string,
  codes: readonly Codes[],
  takesPart: (number: number) => boolean,
): BenchmarkRow {
  const counts = new Array<number>(257).fill(0);
  let pairs = 0;
  const chosen = codes.filter((_, number) => takesPart(number));
  chosen.forEach((code, first) => {
    for (const other of chosen.slice(first + 1)) {
      const bits = distance(code, other);
      counts[bits] = (counts[bits] ?? 0) + 1;
      pairs += 1;
    }
  });
  const cumulated = (limit: number): number =>
    counts.slice(0, limit + 1).reduce((sum, count) => sum + count, 0);
  const quantile = (share: number): number => counts.findIndex((_, at) => cumulated(at) >= pairs * share);
  const figures = THRESHOLDS.map((limit) => {
    const found = cumulated(limit);
    return [`<=${String(limit)}`, `${String(found)} (${percent(found / pairs)})`] as const;
  });
  return { what, median: quantile(0.5), p99: quantile(0.01), ...Object.fromEntries(figures) };
}

function percent(share: number): string {
  const value = share * 100;
  if (value === 0 || value === 100) return `${String(value)} %`;
  return `${value < 0.1 ? value.toPrecision(2) : value.toFixed(1)} %`;
}
