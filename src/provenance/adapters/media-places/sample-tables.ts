import { type PlaceTest } from './media-places.js';
import { type NumberBits, type Numbers, type ReadingBudget, type Table } from './table.js';

/** The tables of one track (ISO/IEC 14496-12 sections 8.7.2 to 8.7.5). One of each is allowed; what there is, is tried. */
export interface TrackTables {
  readonly chunkOffsets: Numbers[];
  readonly samplesPerChunk: SampleRuns[];
  readonly sampleSizes: SampleSizes[];
}

/** Three numbers for each run: from which chunk on (they count from 1), so many samples in each, described by which entry. */
type SampleRuns = Numbers;
const NUMBERS_PER_RUN = 3;

/** All of one size, or each of its own. */
interface SampleSizes {
  readonly every: number;
  readonly each: Numbers | undefined;
}

const COMPACT_BITS: readonly number[] = [4, 8, 16] satisfies readonly NumberBits[];

export function noTables(): TrackTables {
  return { chunkOffsets: [], samplesPerChunk: [], sampleSizes: [] };
}

/** Takes a table in if the box is one. */
export function takeTable(tables: TrackTables, type: string, table: Table, budget: ReadingBudget): void {
  table.fullBoxHead();
  switch (type) {
    case 'stco':
    case 'co64':
      tables.chunkOffsets.push(numbers(table, type === 'co64' ? 64 : 32, budget));
      return;
    case 'stsc':
      tables.samplesPerChunk.push(numbers(table, 32, budget, NUMBERS_PER_RUN));
      return;
    case 'stsz': {
      const every = table.number(4);
      const each = every === 0 ? numbers(table, 32, budget) : undefined;
      tables.sampleSizes.push({ every, each });
      return;
    }
    case 'stz2': {
      table.passOver(3);
      const bits = table.number(1);
      if (isCompact(bits)) tables.sampleSizes.push({ every: 0, each: numbers(table, bits, budget) });
    }
  }
}

function isCompact(bits: number): bits is NumberBits {
  return COMPACT_BITS.includes(bits);
}

function numbers(table: Table, bits: NumberBits, budget: ReadingBudget, perEntry = 1): Numbers {
  const found = table.numbers(table.number(4) * perEntry, bits);
  budget.take(found.length);
  return found;
}

/** Without sizes or counts, a chunk is known by where it begins. */
export async function someChunk(
  { chunkOffsets, samplesPerChunk, sampleSizes }: TrackTables,
  test: PlaceTest,
  budget: ReadingBudget,
): Promise<boolean> {
  const sizesTried = sampleSizes.length > 0 ? sampleSizes : [{ every: 1, each: undefined }];
  const runsTried = samplesPerChunk.length > 0 ? samplesPerChunk : [undefined];
  for (const offsets of chunkOffsets)
    for (const runs of runsTried)
      for (const sizes of sizesTried) if (await someOf(offsets, runs, sizes, test, budget)) return true;
  return false;
}

async function someOf(
  offsets: Numbers,
  runs: SampleRuns | undefined,
  { every, each }: SampleSizes,
  test: PlaceTest,
  budget: ReadingBudget,
): Promise<boolean> {
  const sampleCount = each?.length ?? 0;
  const runCount = Math.floor((runs?.length ?? 0) / NUMBERS_PER_RUN);
  let run = 0;
  let sample = 0;
  for (let chunk = 0; chunk < offsets.length; chunk += 1) {
    const [firstRun, first] = [run, sample];
    while (run + 1 < runCount && firstChunk(runs, run + 1) <= chunk + 1) run += 1;
    const samples = runCount === 0 ? 1 : (runs?.at(NUMBERS_PER_RUN * run + 1) ?? 0);
    let sizeBytes = samples * every;
    const end = Math.min(sample + samples, sampleCount);
    for (; sample < end; sample += 1) sizeBytes += each?.at(sample) ?? 0;
    budget.take(1 + run - firstRun + sample - first);
    const turn = budget.turn();
    if (turn) await turn;
    if (test(offsets.at(chunk), sizeBytes)) return true;
  }
  return false;
}

function firstChunk(runs: SampleRuns | undefined, run: number): number {
  return runs?.at(NUMBERS_PER_RUN * run) ?? 0;
}
