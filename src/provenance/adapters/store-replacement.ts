import { crc32 } from 'node:zlib';
import { ColophonError } from '../../shared/errors.js';
import { ByteSource } from './byte-source.js';
import { type OpenFile } from './media-content.js';

/** A part of the store and where it lies in the file. */
interface Run {
  readonly storeOffset: number;
  readonly fileOffset: number;
  readonly length: number;
}

/** What one reading of a {@link ByteSource} takes at least. */
const WINDOW_BYTES = 128 * 1024;
/** Enough of the store that nothing else in a file looks like it: it begins with box headers and the label "c2pa". */
const ANCHOR_BYTES = 48;
/**
 * What containers put between two parts of a store: JPEG 20 bytes (marker, length, "JP", box instance, sequence number,
 * and the header of the box again, ISO/IEC 19566-5 annex D), GIF the length of the next sub-block, one byte.
 */
const MAX_GAP_BYTES = 32;
const PNG_SIGNATURE = '\x89PNG\r\n\x1a\n';
const MAX_RUNS = 262_144;

/**
 * Writes a changed manifest store over the one in a file; both have the same length. The places are found by the old
 * bytes themselves, whatever the container: the caller reads the file back and compares the store, so a place that was
 * found wrongly cannot go unnoticed. PNG protects each chunk by a checksum, which is written anew.
 *
 * @param opened for reading and writing
 * @throws ColophonError `unsupported_media` when the file holds the store neither as it is nor as base64
 */
export async function replaceStore(
  { handle, sizeBytes }: Pick<OpenFile, 'handle' | 'sizeBytes'>,
  from: Buffer,
  to: Buffer,
  searchFrom = 0,
): Promise<void> {
  const file = ByteSource.over(handle, sizeBytes);
  const runs = await locate(file, from, searchFrom);
  if (runs === undefined) {
    await handle.write(to.toString('base64'), await findText(file, from), 'latin1');
    return;
  }
  const isPng = (await file.read(0, PNG_SIGNATURE.length)).toString('latin1') === PNG_SIGNATURE;
  for (const { storeOffset, fileOffset, length } of runs) {
    const bytes = to.subarray(storeOffset, storeOffset + length);
    if (bytes.equals(from.subarray(storeOffset, storeOffset + length))) continue;
    await handle.write(bytes, 0, length, fileOffset);
  }
  const end = (runs[0]?.fileOffset ?? 0) + to.length;
  if (isPng) await handle.write(pngChecksum(to), 0, 4, end);
}

/** PNG 3rd edition section 5.3: over type and data of the chunk. */
function pngChecksum(store: Buffer): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(store, crc32('caBX')));
  return checksum;
}

/** SVG holds the store as base64, in one piece (C2PA 2.4 annex A.3.3). */
async function findText(file: ByteSource, store: Buffer): Promise<number> {
  const text = Buffer.from(store.toString('base64'), 'latin1');
  const offset = await find(file, text.subarray(0, ANCHOR_BYTES));
  if (offset === undefined || (await commonLength(file, offset, text)) !== text.length) throw notThere();
  return offset;
}

/** @returns `undefined` when the file holds the bytes of the store nowhere */
async function locate(file: ByteSource, store: Buffer, searchFrom: number): Promise<Run[] | undefined> {
  const runs: Run[] = [];
  let storeOffset = 0;
  let fileOffset = await find(file, store.subarray(0, ANCHOR_BYTES), searchFrom);
  if (fileOffset === undefined) return undefined;
  while (fileOffset !== undefined && storeOffset < store.length) {
    if (runs.length >= MAX_RUNS) throw notThere();
    const length = await commonLength(file, fileOffset, store.subarray(storeOffset));
    const next = await resume(file, store, { storeOffset, fileOffset, length });
    runs.push({ storeOffset, fileOffset, length: next.storeOffset - storeOffset });
    ({ storeOffset, fileOffset } = next);
  }
  if (storeOffset < store.length) throw notThere();
  return runs;
}

async function find(file: ByteSource, wanted: Buffer, from = 0): Promise<number | undefined> {
  for (let at = from; at < file.sizeBytes; at += WINDOW_BYTES) {
    const found = (await file.read(at, WINDOW_BYTES + wanted.length)).indexOf(wanted);
    if (found >= 0) return at + found;
  }
  return undefined;
}

/** How many bytes of `expected` stand in the file at `at`. */
async function commonLength(file: ByteSource, at: number, expected: Buffer): Promise<number> {
  let same = 0;
  while (same < expected.length) {
    const window = await file.read(at + same, Math.min(WINDOW_BYTES, expected.length - same));
    const rest = expected.subarray(same);
    const end = Math.min(window.length, rest.length);
    const common = commonPrefix(window.subarray(0, end), rest);
    same += common;
    if (common < end || end === 0) break;
  }
  return same;
}

function commonPrefix(bytes: Buffer, others: Buffer): number {
  if (bytes.equals(others.subarray(0, bytes.length))) return bytes.length;
  let length = 0;
  while (bytes[length] === others[length]) length += 1;
  return length;
}

/**
 * Where the store goes on behind what the container put in between. That may begin with bytes which the store has at
 * this place, too: then the run ended a little earlier than it looked.
 */
async function resume(
  file: ByteSource,
  store: Buffer,
  { storeOffset, fileOffset, length }: Run,
): Promise<{ storeOffset: number; fileOffset: number | undefined }> {
  if (storeOffset + length === store.length) return { storeOffset: store.length, fileOffset };
  const back = Math.min(MAX_GAP_BYTES, length - 1);
  const window = await file.read(fileOffset + length - back, back + MAX_GAP_BYTES + ANCHOR_BYTES);
  for (let shift = 0; shift <= back; shift += 1) {
    const goesOnAt = storeOffset + length - shift;
    const wanted = store.subarray(goesOnAt, goesOnAt + ANCHOR_BYTES);
    const found = window.indexOf(wanted, back - shift + 1);
    if (found >= 0) return { storeOffset: goesOnAt, fileOffset: fileOffset + length - back + found };
  }
  return { storeOffset: storeOffset + length, fileOffset: undefined };
}

function notThere(): ColophonError {
  return new ColophonError('unsupported_media', 'The manifest of this kind of file cannot be completed.');
}
