import { type ByteSource } from '../byte-source.js';
import { type Box, boxesWithin } from '../iso-media-manifest-store.js';
import { type PlaceTest } from './media-places.js';
import { MAX_SAMPLE_TABLE_BYTES, type ReadingBudget, sum64, Table } from './table.js';

/** Bytes of a sample where a fragment does not say, by track. */
export type DefaultSizes = ReadonlyMap<number, number>;

const [BASE_OFFSET, DESCRIPTION, DURATION, SIZE, BASE_IS_MOOF] = [0x1, 0x2, 0x8, 0x10, 0x20000] as const;
const [DATA_OFFSET, FIRST_FLAGS, SAMPLE_SIZE] = [0x1, 0x4, 0x200] as const;
/** What each sample of a run may say: duration, size, flags, time offset. */
const PER_SAMPLE = [0x100, SAMPLE_SIZE, 0x400, 0x800] as const;

/** Where the samples of a movie fragment lie (ISO/IEC 14496-12 section 8.8). */
export async function someRun(
  file: ByteSource,
  moof: Box,
  defaults: DefaultSizes,
  test: PlaceTest,
  budget: ReadingBudget,
): Promise<boolean> {
  let end = BigInt(moof.offset);
  for await (const box of boxesWithin(file, moof.offset + moof.headerBytes, moof.offset + moof.sizeBytes)) {
    budget.take();
    if (box.type !== 'traf') continue;
    const track = new TrackFragment(BigInt(moof.offset), end, defaults);
    const { offset, headerBytes, sizeBytes } = box;
    for await (const part of boxesWithin(file, offset + headerBytes, offset + sizeBytes)) {
      budget.take();
      if (part.type === 'tfhd') track.begin(await Table.of(file, part));
      if (part.type !== 'trun') continue;
      if (track.takesRun(await Table.of(file, part, MAX_SAMPLE_TABLE_BYTES), test, budget)) return true;
      await budget.turn();
    }
    end = track.end;
  }
  return false;
}

class TrackFragment {
  /** Where the next run begins that does not say. */
  end: bigint;
  private base: bigint;
  private sampleBytes = 0;

  constructor(
    private readonly moofOffset: bigint,
    endBefore: bigint,
    private readonly defaults: DefaultSizes,
  ) {
    this.base = endBefore;
    this.end = endBefore;
  }

  begin(header: Table): void {
    const { flags } = header.fullBoxHead();
    this.sampleBytes = this.defaults.get(header.number(4)) ?? 0;
    if (flags & BASE_OFFSET) this.base = header.offset(8);
    else if (flags & BASE_IS_MOOF) this.base = this.moofOffset;
    header.passOver((flags & DESCRIPTION ? 4 : 0) + (flags & DURATION ? 4 : 0));
    if (flags & SIZE) this.sampleBytes = header.number(4);
    this.end = this.base;
  }

  takesRun(run: Table, test: PlaceTest, budget: ReadingBudget): boolean {
    const { flags } = run.fullBoxHead();
    const declared = run.number(4);
    const start = flags & DATA_OFFSET ? this.base + BigInt(run.signed32()) : this.end;
    run.passOver(flags & FIRST_FLAGS ? 4 : 0);
    const sizeBytes = this.sizeOf(run, flags, declared, budget);
    this.end = start + BigInt(sizeBytes);
    return test(sum64(start), sizeBytes);
  }

  private sizeOf(run: Table, flags: number, declared: number, budget: ReadingBudget): number {
    if (!(flags & SAMPLE_SIZE)) return declared * this.sampleBytes;
    const entryBytes = 4 * PER_SAMPLE.filter((flag) => flags & flag).length;
    const sizeAt = flags & PER_SAMPLE[0] ? 4 : 0;
    const count = run.count(declared, entryBytes);
    budget.take(count);
    let sum = 0;
    for (let i = 0; i < count; i += 1) {
      run.passOver(sizeAt);
      sum += run.number(4);
      run.passOver(entryBytes - sizeAt - 4);
    }
    return sum;
  }
}
