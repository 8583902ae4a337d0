import { type ByteSource } from '../../byte-source.js';
import { type Edit } from '../../edited-content.js';
import { type ManifestRemoval } from './removal.js';

const C2PA_TAG = 52_545;
const ENTRY_BYTES = 12;
/** A scan of a thousand pages has as many directories, of a few hundred bytes each. */
const MAX_DIRECTORIES = 10_000;
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;

interface Directory {
  readonly offset: number;
  /** Of the file: the number of entries, the entries, the offset of the next directory. */
  readonly bytes: Buffer;
  readonly kept: readonly Buffer[];
  readonly removed: number;
}

/**
 * TIFF 6.0: the entries of manifests go out of their directories, where the others move up; a directory with nothing
 * else is passed over by the one before. Nothing else moves, for offsets count from the beginning of the file. The value
 * of an entry is left where it is, and nothing refers to it any more: where an entry is damaged, it may name the place of
 * the picture. The library copies only what is referred to.
 */
export async function fromTiff(file: ByteSource): Promise<ManifestRemoval | undefined> {
  const header = Buffer.from(await file.read(0, 8));
  if (header.length < 8) return undefined;
  const isLittle = header[0] === 0x49;
  const directories = await directoriesFrom(file, u32(header, 4, isLittle), isLittle);
  // The header is not changed: the first directory is that of the picture.
  if (directories?.[0]?.kept.length === 0) return undefined;
  const linked = directories?.filter(({ kept }) => kept.length > 0) ?? [];
  const edits = linked
    .map((directory, i): Edit => {
      const insert = rewritten(directory, linked[i + 1]?.offset ?? 0, isLittle);
      return { offset: directory.offset, remove: insert.length, insert };
    })
    .filter(({ insert }, i) => linked[i]?.bytes.equals(insert) === false)
    .sort((a, b) => a.offset - b.offset);
  const manifests = directories?.reduce((sum, { removed }) => sum + removed, 0) ?? 0;
  return directories && { edits, manifests };
}

/** Of directories that lie in each other, or follow each other in a circle, none is believed. */
async function directoriesFrom(
  file: ByteSource,
  first: number,
  isLittle: boolean,
): Promise<Directory[] | undefined> {
  const directories: Directory[] = [];
  let sizeBytes = 0;
  for (let offset = first; offset !== 0;) {
    const directory = await directoryAt(file, offset, isLittle);
    sizeBytes += directory?.bytes.length ?? 0;
    if (directory === undefined || sizeBytes > MAX_DIRECTORY_BYTES) return undefined;
    if (directories.push(directory) > MAX_DIRECTORIES) return undefined;
    offset = u32(directory.bytes, directory.bytes.length - 4, isLittle);
  }
  const sorted = [...directories].sort((a, b) => a.offset - b.offset);
  const overlap = sorted.some(({ offset, bytes }, i) => {
    const next = sorted[i + 1];
    return next !== undefined && offset + bytes.length > next.offset;
  });
  return overlap ? undefined : directories;
}

async function directoryAt(
  file: ByteSource,
  offset: number,
  isLittle: boolean,
): Promise<Directory | undefined> {
  const head = await file.read(offset, 2);
  if (head.length < 2) return undefined;
  const count = u16(head, 0, isLittle);
  const sizeBytes = 2 + count * ENTRY_BYTES + 4;
  const bytes = Buffer.from(await file.read(offset, sizeBytes));
  if (bytes.length < sizeBytes) return undefined;
  const entries = Array.from({ length: count }, (_, i) =>
    bytes.subarray(2 + i * ENTRY_BYTES, 2 + (i + 1) * ENTRY_BYTES),
  );
  const kept = entries.filter((entry) => u16(entry, 0, isLittle) !== C2PA_TAG);
  return { offset, bytes, kept, removed: count - kept.length };
}

/** As long as it was. */
function rewritten({ bytes, kept }: Directory, next: number, isLittle: boolean): Buffer {
  const [count, nextOffset] = [Buffer.alloc(2), Buffer.alloc(4)];
  if (isLittle) {
    count.writeUInt16LE(kept.length);
    nextOffset.writeUInt32LE(next);
  } else {
    count.writeUInt16BE(kept.length);
    nextOffset.writeUInt32BE(next);
  }
  return Buffer.concat([count, ...kept, nextOffset, Buffer.alloc(bytes.length)], bytes.length);
}

function u16(bytes: Buffer, at: number, isLittle: boolean): number {
  return isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
}

function u32(bytes: Buffer, at: number, isLittle: boolean): number {
  return isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}
