import { createHash } from 'node:crypto';
import { type Entry } from 'yauzl';
import { type CompactRange } from '../../audit/core/compact-range.js';
import { type EntryEnvelope, parseEntry } from '../../audit/core/entry.js';
import { MAX_ENTRY_BYTES } from '../../audit/core/entry-bundle.js';
import { leafHash } from '../../audit/core/merkle.js';
import { TlogError } from '../../audit/core/tlog-error.js';
import { PERIOD_PATHS } from '../domain/period-format.js';
import { type BundleReader } from './bundle-reader.js';
import { type Checklist } from './checklist.js';

/** Leaf hashes that are appended at once. */
const BATCH = 256;

/** What the entries add up to. */
export interface ReadEntries {
  readonly sha256: string;
  readonly range: CompactRange;
  readonly count: number;
  /** Time of the last one; `undefined` when there is none. */
  readonly lastAt: string | undefined;
  /** Those about keys that sign reports. */
  readonly keys: readonly EntryEnvelope[];
}

/** Reads them in a stream; `undefined`, with a finding, when they cannot be read. */
export async function readPeriodEntries(
  reader: BundleReader,
  file: Entry,
  before: CompactRange,
  checklist: Checklist,
): Promise<ReadEntries | undefined> {
  const hash = createHash('sha256');
  let range = before;
  let leaves: Uint8Array[] = [];
  let count = 0;
  let rest = Buffer.alloc(0);
  const keys: EntryEnvelope[] = [];
  let lastAt: string | undefined;
  const path = PERIOD_PATHS.entries;
  const take = (line: Buffer): void => {
    const entry = entryOf(line);
    if (entry === undefined) checklist.fault(path, `Line ${count + 1} is not an entry of a log.`);
    else if (entry.type.startsWith('report_key.')) keys.push(entry);
    lastAt = entry?.at;
    leaves.push(leafHash(line));
    count += 1;
    if (leaves.length < BATCH) return;
    range = range.append(leaves);
    leaves = [];
  };
  try {
    for await (const chunk of reader.chunks(file)) {
      hash.update(chunk);
      let data = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
      for (let end = data.indexOf(0x0a); end >= 0; end = data.indexOf(0x0a)) {
        take(data.subarray(0, end));
        data = data.subarray(end + 1);
      }
      if (data.length > MAX_ENTRY_BYTES) {
        checklist.fault(path, `Line ${count + 1} is longer than any entry.`);
        return undefined;
      }
      rest = data;
    }
  } catch {
    checklist.fault(path, 'The entries cannot be read: the zip file is damaged.');
    return undefined;
  }
  if (rest.length > 0) checklist.fault(path, 'The last line is cut off.');
  return { sha256: hash.digest('hex'), range: range.append(leaves), count, keys, lastAt };
}

/** Whatever its type: entries of a later version are entries. */
function entryOf(line: Buffer): EntryEnvelope | undefined {
  try {
    return parseEntry(line).entry;
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    return undefined;
  }
}
