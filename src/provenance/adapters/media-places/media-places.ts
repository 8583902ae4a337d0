import { type ByteSource } from '../byte-source.js';
import { type Box, boxesWithin } from '../iso-media-manifest-store.js';
import { someRun } from './fragment-runs.js';
import { defaultSize, fragmentStarts, segmentStarts, someItem } from './other-tables.js';
import { noTables, someChunk, takeTable, type TrackTables } from './sample-tables.js';
import { MAX_SAMPLE_TABLE_BYTES, ReadingBudget, Table, TooMuchToRead } from './table.js';

/** Asked for each stretch of the file that holds media; no more are looked for once the answer is yes. */
export type PlaceTest = (offset: number, sizeBytes: number) => boolean;

const MAX_ENTRIES = 32 * 1024 * 1024;
const MAX_DEPTH = 12;
/** Players descend into them wherever they stand. */
const CONTAINERS: ReadonlySet<string> = new Set(
  'moov trak mdia minf stbl mvex meta mfra udta wide'.split(' '),
);
/** With these a segment or a fragment may begin. */
const FRAGMENT_PARTS: ReadonlySet<string> = new Set('styp sidx ssix prft emsg moof free skip'.split(' '));
const TABLES: ReadonlySet<string> = new Set('stco co64 stsc stsz stz2'.split(' '));

/**
 * Whether the test holds for one of the places at which a file of ISO base media says that its media lie: by sample tables,
 * movie fragments, item locations and indexes. What lies in other files, or is told in compressed form, is not seen.
 * Where there is more than can be read, media may lie anywhere, and the answer is yes.
 */
export async function someMediaPlace(file: ByteSource, test: PlaceTest): Promise<boolean> {
  try {
    return await new MediaPlaces(file, test).some();
  } catch (error) {
    if (error instanceof TooMuchToRead) return true;
    throw error;
  }
}

class MediaPlaces {
  private readonly budget = new ReadingBudget(MAX_ENTRIES);
  private readonly defaults = new Map<number, number>();
  private readonly fragments: Box[] = [];

  constructor(
    private readonly file: ByteSource,
    private readonly test: PlaceTest,
  ) {}

  async some(): Promise<boolean> {
    if (await this.someIn(0, this.file.sizeBytes, 0, undefined)) return true;
    // Sizes that fragments leave out may stand behind them.
    for (const moof of this.fragments)
      if (await someRun(this.file, moof, this.defaults, this.test, this.budget)) return true;
    return false;
  }

  /** @param track whose tables are gathered; those outside of tracks belong together */
  private async someIn(
    start: number,
    end: number,
    depth: number,
    track: TrackTables | undefined,
  ): Promise<boolean> {
    if (depth > MAX_DEPTH) throw new TooMuchToRead();
    const tables = track ?? noTables();
    for await (const box of boxesWithin(this.file, start, end)) {
      this.budget.take();
      if (CONTAINERS.has(box.type)) {
        const inner = box.type === 'trak' ? undefined : tables;
        const boxEnd = Math.min(box.offset + box.sizeBytes, end);
        if (await this.someIn(contentOf(box), boxEnd, depth + 1, inner)) return true;
      } else if (await this.someAt(box, tables)) return true;
    }
    return track === undefined && (await someChunk(tables, this.test, this.budget));
  }

  private async someAt(box: Box, tables: TrackTables): Promise<boolean> {
    const { file, test, budget } = this;
    if (TABLES.has(box.type))
      takeTable(tables, box.type, await Table.of(file, box, MAX_SAMPLE_TABLE_BYTES), budget);
    switch (box.type) {
      case 'moof':
        this.fragments.push({ ...box, head: Buffer.alloc(0) });
        return false;
      case 'trex':
        this.defaults.set(...defaultSize(await Table.of(file, box)));
        return false;
      case 'iloc':
        return someItem(await Table.of(file, box), test, budget);
      case 'sidx':
        return this.someStart(segmentStarts(await Table.of(file, box), box, budget));
      case 'tfra':
        return this.someStart(fragmentStarts(await Table.of(file, box), budget));
      default:
        return false;
    }
  }

  /** Programs that add a manifest do not mend every index: one that leads to no part of a film says nothing. */
  private async someStart(starts: readonly number[]): Promise<boolean> {
    for (const start of starts) {
      if (!this.test(start, 1)) continue;
      const head = await this.file.read(start, 8);
      if (FRAGMENT_PARTS.has(head.toString('latin1', 4))) return true;
    }
    return false;
  }
}

/** `meta` has version and flags in ISO base media and has none in QuickTime, where its first box follows at once. */
function contentOf({ type, offset, headerBytes, head }: Box): number {
  const isFull = type === 'meta' && head.toString('latin1', headerBytes + 4, headerBytes + 8) !== 'hdlr';
  return offset + headerBytes + (isFull ? 4 : 0);
}
