import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { ColophonError } from '../../shared/errors.js';

/** A part of the store and where it lies in the file. */
interface Run {
  readonly storeOffset: number;
  readonly fileOffset: number;
  readonly length: number;
}

const WINDOW_BYTES = 1024 * 1024;
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
 * @throws ColophonError `unsupported_media` when the file holds the store neither as it is nor as base64
 */
export async function replaceStore(path: string, from: Buffer, to: Buffer): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    const runs = await locate(handle, from);
    if (runs === undefined) {
      await replaceText(handle, from.toString('base64'), to.toString('base64'));
      return;
    }
    for (const { storeOffset, fileOffset, length } of runs) {
      const bytes = to.subarray(storeOffset, storeOffset + length);
      if (bytes.equals(from.subarray(storeOffset, storeOffset + length))) continue;
      await handle.write(bytes, 0, length, fileOffset);
    }
    const head = Buffer.alloc(PNG_SIGNATURE.length);
    await handle.read(head, 0, head.length, 0);
    const end = (runs[0]?.fileOffset ?? 0) + to.length;
    if (head.toString('latin1') === PNG_SIGNATURE) await handle.write(pngChecksum(to), 0, 4, end);
  } finally {
    await handle.close();
  }
}

/** PNG 3rd edition section 5.3: over type and data of the chunk. */
function pngChecksum(store: Buffer): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(store, crc32('caBX')));
  return checksum;
}

/** SVG holds the store as base64, in one piece (C2PA 2.4 annex A.3.3). */
async function replaceText(handle: FileHandle, from: string, to: string): Promise<void> {
  const fileOffset = await find(handle, Buffer.from(from.slice(0, ANCHOR_BYTES), 'latin1'));
  if (fileOffset === undefined) throw notThere();
  const expected = Buffer.from(from, 'latin1');
  if ((await commonLength(handle, fileOffset, expected)) !== expected.length) throw notThere();
  await handle.write(to, fileOffset, 'latin1');
}

/** @returns `undefined` when the file holds the bytes of the store nowhere */
async function locate(handle: FileHandle, store: Buffer): Promise<Run[] | undefined> {
  const runs: Run[] = [];
  let storeOffset = 0;
  let fileOffset = await find(handle, store.subarray(0, ANCHOR_BYTES));
  if (fileOffset === undefined) return undefined;
  while (fileOffset !== undefined && storeOffset < store.length) {
    if (runs.length >= MAX_RUNS) throw notThere();
    const length = await commonLength(handle, fileOffset, store.subarray(storeOffset));
    const next = await resume(handle, store, { storeOffset, fileOffset, length });
    runs.push({ storeOffset, fileOffset, length: next.storeOffset - storeOffset });
    ({ storeOffset, fileOffset } = next);
  }
  if (storeOffset < store.length) throw notThere();
  return runs;
}

async function find(handle: FileHandle, wanted: Buffer): Promise<number | undefined> {
  const window = Buffer.alloc(WINDOW_BYTES + wanted.length);
  for (let at = 0; ; at += WINDOW_BYTES) {
    const { bytesRead } = await handle.read(window, 0, window.length, at);
    const found = window.subarray(0, bytesRead).indexOf(wanted);
    if (found >= 0) return at + found;
    if (bytesRead < window.length) return undefined;
  }
}

/** How many bytes of `expected` stand in the file at `at`. */
async function commonLength(handle: FileHandle, at: number, expected: Buffer): Promise<number> {
  const window = Buffer.alloc(Math.min(WINDOW_BYTES, expected.length));
  let same = 0;
  while (same < expected.length) {
    const { bytesRead } = await handle.read(window, 0, window.length, at + same);
    const end = Math.min(bytesRead, expected.length - same);
    let i = 0;
    while (i < end && window[i] === expected[same + i]) i += 1;
    same += i;
    if (i < window.length || end === 0) break;
  }
  return same;
}

/**
 * Where the store goes on behind what the container put in between. That may begin with bytes which the store has at
 * this place, too: then the run ended a little earlier than it looked.
 */
async function resume(
  handle: FileHandle,
  store: Buffer,
  { storeOffset, fileOffset, length }: Run,
): Promise<{ storeOffset: number; fileOffset: number | undefined }> {
  if (storeOffset + length === store.length) return { storeOffset: store.length, fileOffset };
  const back = Math.min(MAX_GAP_BYTES, length - 1);
  const window = Buffer.alloc(back + MAX_GAP_BYTES + ANCHOR_BYTES);
  const { bytesRead } = await handle.read(window, 0, window.length, fileOffset + length - back);
  for (let shift = 0; shift <= back; shift += 1) {
    const goesOnAt = storeOffset + length - shift;
    const wanted = store.subarray(goesOnAt, goesOnAt + ANCHOR_BYTES);
    const found = window.subarray(0, bytesRead).indexOf(wanted, back - shift + 1);
    if (found >= 0) return { storeOffset: goesOnAt, fileOffset: fileOffset + length - back + found };
  }
  return { storeOffset: storeOffset + length, fileOffset: undefined };
}

function notThere(): ColophonError {
  return new ColophonError('unsupported_media', 'The manifest of this kind of file cannot be completed.');
}
