import { type Box } from '../iso-media-manifest-store.js';
import { type PlaceTest } from './media-places.js';
import { type ReadingBudget, sum64, type Table } from './table.js';

const FROM_THE_FILE = 0;

/** Where the items of HEIC and AVIF lie: `iloc` (ISO/IEC 14496-12 section 8.11.3). */
export function someItem(table: Table, test: PlaceTest, budget: ReadingBudget): boolean {
  const { version } = table.fullBoxHead();
  const sizes = table.number(2);
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = version === 0 ? 0 : sizes & 15;
  const idBytes = version < 2 ? 2 : 4;
  const extentBytes = indexBytes + offsetBytes + lengthBytes;
  const items = table.count(table.number(idBytes), idBytes + 4);
  for (let item = 0; item < items; item += 1) {
    budget.take();
    table.passOver(idBytes);
    const method = version === 0 ? FROM_THE_FILE : table.number(2) & 15;
    table.passOver(2);
    const base = table.offset(baseBytes);
    // An extent that says nothing begins at the base and reaches to the end of the file.
    const extents = table.number(2);
    const count = extentBytes === 0 ? Math.min(extents, 1) : table.count(extents, extentBytes);
    for (let extent = 0; extent < count; extent += 1) {
      budget.take();
      table.passOver(indexBytes);
      const start = sum64(base, table.offset(offsetBytes));
      const length = Number(table.offset(lengthBytes));
      if (method === FROM_THE_FILE && test(start, length === 0 ? Infinity : length)) return true;
    }
  }
  return false;
}

/** Where the segments of a film begin: `sidx` (section 8.16.3). Between them there may be anything. */
export function segmentStarts(table: Table, { offset, sizeBytes }: Box, budget: ReadingBudget): number[] {
  const wide = table.fullBoxHead().version === 0 ? 4 : 8;
  table.passOver(8 + wide);
  let next = sum64(BigInt(offset), BigInt(sizeBytes), table.offset(wide));
  table.passOver(2);
  const count = table.count(table.number(2), 12);
  budget.take(count);
  return Array.from({ length: count }, () => {
    const start = next;
    next += table.number(4) & 0x7fffffff;
    table.passOver(8);
    return start;
  });
}

/** Where the fragments of a film begin: `tfra` (section 8.8.10). Whoever wants to can write one behind a signed film. */
export function fragmentStarts(table: Table, budget: ReadingBudget): number[] {
  const wide = table.fullBoxHead().version === 0 ? 4 : 8;
  table.passOver(4);
  const lengths = table.number(4);
  const numberBytes = [lengths >> 4, lengths >> 2, lengths].reduce((sum, bits) => sum + (bits & 3) + 1, 0);
  const count = table.count(table.number(4), 2 * wide + numberBytes);
  budget.take(count);
  return Array.from({ length: count }, () => {
    table.passOver(wide);
    const start = Number(table.offset(wide));
    table.passOver(numberBytes);
    return start;
  });
}

/** Bytes of a sample where a fragment does not say: `trex` (section 8.8.3). */
export function defaultSize(table: Table): readonly [track: number, sampleBytes: number] {
  table.fullBoxHead();
  const track = table.number(4);
  table.passOver(8);
  return [track, table.number(4)];
}
