import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { Unusable } from './exit-code.js';

/** One file of a folder or archive. */
export interface BatchFile {
  /** As it is shown: the path below the folder, or the name in the archive. Never used as a path for an archive. */
  readonly name: string;
  /** Where its bytes lie; `undefined` when they were not taken, and why. */
  readonly path: string | undefined;
  readonly refusedBecause: string | undefined;
  /** Gives back what was unpacked. */
  discard(): Promise<void>;
}

const MEBIBYTE = 1024 * 1024;
const MAX_DEPTH = 64;
const MAX_FILES = 1_000_000;
const MAX_ARCHIVE_FILES = 200_000;
const MAX_UNPACKED_FILE_BYTES = 1024 * MEBIBYTE;
const MAX_UNPACKED_BYTES = 256 * 1024 * MEBIBYTE;
/** Deflate packs at most about 1:1032; beyond that the archive lies about its sizes. */
const MAX_RATIO = 1100;

const nothingToDiscard = (): Promise<void> => Promise.resolve();

/** Every regular file below a folder, in order. Symbolic links are not followed: they may lead out of it. */
export async function* folderFiles(folder: string): AsyncGenerator<BatchFile> {
  let count = 0;
  for await (const name of walk(folder, '', 0)) {
    count += 1;
    if (count > MAX_FILES) throw new Unusable(`the folder holds more than ${MAX_FILES} files`);
    yield { name, path: join(folder, name), refusedBecause: undefined, discard: nothingToDiscard };
  }
}

async function* walk(folder: string, below: string, depth: number): AsyncGenerator<string> {
  if (depth > MAX_DEPTH) return;
  const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(() => []);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const name = join(below, entry.name);
    if (entry.isDirectory()) yield* walk(folder, name, depth + 1);
    else if (entry.isFile()) yield name;
  }
}

/**
 * Every regular file of a zip archive, unpacked one by one under names of ours. A name in the archive is shown and
 * nothing else, so it can lead nowhere; sizes are counted while unpacking, whatever the archive claims.
 * @throws Unusable when it is no archive that can be read
 */
export async function* archiveFiles(path: string): AsyncGenerator<BatchFile> {
  const scratch = await mkdtemp(join(tmpdir(), 'colophon-archive-'));
  const zip = await openZip(path);
  try {
    if (zip.entryCount > MAX_ARCHIVE_FILES)
      throw new Unusable(`the archive holds more than ${MAX_ARCHIVE_FILES} files`);
    const budget = { bytes: MAX_UNPACKED_BYTES };
    let serial = 0;
    for await (const entry of entriesOf(zip)) {
      serial += 1;
      if (entry.fileNameRaw.at(-1) === 0x2f) continue;
      yield await unpack(zip, entry, join(scratch, String(serial)), budget);
    }
  } finally {
    zip.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Whether the archive has a file of this name at its top: how an evidence bundle is told from a heap of pictures. */
export async function archiveHolds(path: string, wanted: string): Promise<boolean> {
  const zip = await openZip(path).catch(() => undefined);
  if (zip === undefined) return false;
  try {
    let seen = 0;
    for await (const entry of entriesOf(zip)) {
      if (entry.fileNameRaw.toString('latin1') === wanted) return true;
      if (++seen > MAX_ARCHIVE_FILES) return false;
    }
    return false;
  } catch {
    return false;
  } finally {
    zip.close();
  }
}

export async function isReadableArchive(path: string): Promise<boolean> {
  const zip = await openZip(path).catch(() => undefined);
  zip?.close();
  return zip !== undefined;
}

async function openZip(path: string): Promise<ZipFile> {
  try {
    // Names stay bytes: yauzl would end the walk at the first hostile one.
    return await openPromise(path, { lazyEntries: true, autoClose: false, decodeStrings: false });
  } catch {
    throw new Unusable('the file is not a zip file, or it is damaged or cut off');
  }
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  try {
    for await (const entry of zip.eachEntry()) yield entry;
  } catch (error) {
    if (error instanceof Unusable) throw error;
    throw new Unusable('the directory of the archive is damaged');
  }
}

async function unpack(
  zip: ZipFile,
  entry: Entry,
  path: string,
  budget: { bytes: number },
): Promise<BatchFile> {
  const name = entry.fileNameRaw.toString('utf8');
  const refused = (because: string): BatchFile => ({
    name,
    path: undefined,
    refusedBecause: because,
    discard: nothingToDiscard,
  });
  const fault = faultOf(entry, name);
  if (fault !== undefined) return refused(fault);
  try {
    const limit = Math.min(
      MAX_UNPACKED_FILE_BYTES,
      MEBIBYTE + entry.compressedSize * MAX_RATIO,
      budget.bytes,
    );
    const stream = await zip.openReadStreamPromise(entry);
    await pipeline(stream, atMost(limit), createWriteStream(path, { mode: 0o600, flags: 'wx' }));
  } catch {
    await rm(path, { force: true });
    return refused('it cannot be unpacked, or it is larger than the archive may hold');
  }
  budget.bytes -= (await stat(path)).size;
  return { name, path, refusedBecause: undefined, discard: () => rm(path, { force: true }) };
}

function faultOf(entry: Entry, name: string): string | undefined {
  // The upper half holds the Unix mode, where the archive has one: 0o12 is a symbolic link.
  const type = entry.externalFileAttributes >>> 28;
  if (type !== 0 && type !== 0o10) return 'it is a link or a special file';
  if (entry.isEncrypted()) return 'it is encrypted';
  if (name.split(/[\\/]/).includes('..') || /^([\\/]|[A-Za-z]:)/.test(name))
    return 'its name leads out of the archive, so it was not unpacked';
  return undefined;
}

function atMost(limit: number): Transform {
  let left = limit;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      if (left < 0) done(new Error('too large'));
      else done(null, chunk);
    },
  });
}
