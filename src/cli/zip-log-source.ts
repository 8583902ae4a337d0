import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { parseTilePath } from '../audit/core/tiles.js';
import { type LogSource } from '../audit/verify/log-report.js';
import { Unusable } from './exit-code.js';
import { maxLogFileBytes } from './log-file-limits.js';

export type OpenedLogSource = LogSource & { close(): void };

/** 100 million entries. Beyond it the directory of the zip alone would fill the memory. */
const MAX_FILES = 1_000_000;
const SMALL_FILES: readonly string[] = ['checkpoint', 'vkey', 'policy'];

/**
 * The files of a log in a zip, as `GET /v1/audit/archive` gives them. A zip is a stranger's file: names are looked up
 * and never used as paths, sizes are bounded before anything is read, and only stored files are accepted, so that none
 * can unpack to more than it is.
 */
export async function zipLogSource(file: string): Promise<OpenedLogSource> {
  const zip = await openPromise(file, { lazyEntries: true, autoClose: false, decodeStrings: false }).catch(
    () => {
      throw new Unusable(`${file} is not a zip file, or it is damaged or cut off`);
    },
  );
  try {
    const entries = await directoryOf(zip, file);
    return {
      read: (path) => readEntry(zip, entries.get(path), path),
      list: () => Promise.resolve([...entries.keys()].filter((path) => path.startsWith('tile/'))),
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function directoryOf(zip: ZipFile, file: string): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  if (zip.entryCount > MAX_FILES) throw new Unusable(`${file} has more than ${MAX_FILES} files`);
  try {
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileNameRaw.toString('latin1');
      if (!SMALL_FILES.includes(name) && parseTilePath(name) === undefined) continue;
      if (entries.has(name)) throw new Unusable(`${file} has two files with the name ${name}`);
      if (entry.isEncrypted() || entry.compressionMethod !== 0)
        throw new Unusable(`${file} was packed again: the files of an archive are stored as they are`);
      entries.set(name, entry);
      if (entries.size > MAX_FILES) throw new Unusable(`${file} has more than ${MAX_FILES} files`);
    }
  } catch (error) {
    throw error instanceof Unusable ? error : new Unusable(`the directory of ${file} is damaged`);
  }
  return entries;
}

async function readEntry(
  zip: ZipFile,
  entry: Entry | undefined,
  path: string,
): Promise<Uint8Array | undefined> {
  if (entry === undefined) return undefined;
  const limit = maxLogFileBytes(path);
  // One byte too many is enough for the verifier to call the file malformed.
  if (entry.uncompressedSize > limit) return new Uint8Array(limit + 1);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } catch {
    // Sizes and offsets that contradict each other: the file is not readable as what it says it is.
    throw new Unusable(`the zip file is damaged at ${path}`);
  }
}
