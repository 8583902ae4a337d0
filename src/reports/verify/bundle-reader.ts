import { createHash, randomUUID } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from 'yauzl';
import { MAX_ENTRY_BYTES } from '../../audit/core/entry-bundle.js';
import { MAX_NOTE_BYTES } from '../../audit/core/signed-note.js';
import { MAX_TLOG_PROOF_BYTES } from '../../audit/core/tlog-proof.js';
import { MAX_TIME_STAMP_TOKEN_BYTES } from '../../audit/verify/time-stamp-structure.js';
import { BUNDLE_PATHS, SAFE_PATH } from '../domain/bundle-format.js';
import { BufferedFile } from './buffered-file.js';
import { type Checklist } from './checklist.js';

const MEBIBYTE = 1024 * 1024;

/** APPNOTE.TXT section 4.3.7: signature, ..., length of the name at 26, of the extra field at 28. */
const LOCAL_HEADER_BYTES = 30;
const LOCAL_HEADER_SIGNATURE = 0x04034b50;

/** Contents are stored, so a bundle is as large as what is in it. */
export const MAX_BUNDLE_BYTES = 16 * 1024 * MEBIBYTE;
export const MAX_BUNDLE_FILES = 10_000;
/** All files that are kept in memory, together. */
const MAX_KEPT_BYTES = 256 * MEBIBYTE;

/** This is not a bundle that can be read; the message says why, in plain words. */
export class UnusableBundle extends Error {}

export interface BundleContent {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** For the small files; `undefined` for media files and the PDF. */
  readonly bytes: Buffer | undefined;
  /** For media files: where they lie unpacked, under a name of ours. */
  readonly scratchPath: string | undefined;
}

/** Where contents go while they are hashed. The limit is in bytes, 0 for "nowhere". */
interface Keeping {
  readonly in: 'memory' | 'scratch' | 'nowhere';
  readonly maxBytes: number;
}

/**
 * A zip file of a stranger, opened for reading. Nothing in it chooses where anything is written: names are checked and
 * looked up, never used as paths.
 */
export class BundleReader {
  private keptBytes = 0;

  private constructor(
    private readonly zip: ZipFile,
    private readonly file: BufferedFile,
    private readonly scratchFolder: string,
    private readonly checklist: Checklist,
  ) {}

  /** @throws UnusableBundle */
  static async open(path: string, scratchFolder: string, checklist: Checklist): Promise<BundleReader> {
    const status = await stat(path).catch(() => undefined);
    if (!status?.isFile()) throw new UnusableBundle('There is no file to read.');
    if (status.size > MAX_BUNDLE_BYTES) throw new UnusableBundle('The file is larger than 16 GiB.');
    const file = await BufferedFile.open(path);
    const options = { lazyEntries: true, autoClose: false, decodeStrings: false };
    const zip = await fromRandomAccessReaderPromise(file, file.sizeBytes, options).catch(() => {
      file.close(() => undefined);
      throw new UnusableBundle('The file is not a zip file, or it is damaged or cut off.');
    });
    return new BundleReader(zip, file, scratchFolder, checklist);
  }

  get sizeBytes(): number {
    return this.file.sizeBytes;
  }

  /** Bytes of the container itself. */
  rawBytes(position: number, length: number): Promise<Buffer> {
    return this.file.bytesAt(position, length);
  }

  close(): void {
    this.zip.close();
  }

  /**
   * The regular files, in the order of the directory; hostile ones become findings and are left out.
   * @throws UnusableBundle for what cannot or should not be read at all
   */
  async entries(): Promise<Map<string, Entry>> {
    if (this.zip.entryCount > MAX_BUNDLE_FILES) {
      throw new UnusableBundle(`The zip file has more than ${MAX_BUNDLE_FILES} files.`);
    }
    const entries = new Map<string, Entry>();
    const taken = new Set<string>();
    let declaredBytes = 0;
    for (const entry of await this.directory()) {
      declaredBytes += entry.compressedSize;
      // Overlapping files are how a small zip unpacks to a huge one although nothing is compressed.
      if (declaredBytes > this.sizeBytes) {
        throw new UnusableBundle('The zip file claims to hold more than it has: it was built to explode.');
      }
      const path = this.acceptedPath(entry);
      if (path === undefined) continue;
      if (taken.has(path.toLowerCase())) this.checklist.fault(path, 'Two files have this name.');
      else entries.set(path, entry);
      taken.add(path.toLowerCase());
    }
    return entries;
  }

  private async directory(): Promise<Entry[]> {
    const entries: Entry[] = [];
    try {
      for await (const entry of this.zip.eachEntry()) {
        entries.push(entry);
        if (entries.length > MAX_BUNDLE_FILES) break;
      }
    } catch {
      throw new UnusableBundle('The directory of the zip file is damaged.');
    }
    return entries;
  }

  private acceptedPath(entry: Entry): string | undefined {
    if (entry.isEncrypted()) throw new UnusableBundle('The zip file is encrypted.');
    if (entry.compressionMethod !== 0 || entry.compressedSize !== entry.uncompressedSize) {
      throw new UnusableBundle(
        'The zip file is compressed. Bundles are not, so it was packed again; unpack it and ask for the original.',
      );
    }
    const name = entry.fileNameRaw.toString('latin1');
    if (!SAFE_PATH.test(name)) {
      this.checklist.fault(name, 'The name of this file is not one that a bundle has; it was not read.');
      return undefined;
    }
    // The upper half holds the Unix mode: 0o10 is a regular file, 0o12 a symbolic link.
    if (entry.externalFileAttributes >>> 28 !== 0o10) {
      this.checklist.fault(name, 'This is a link or a special file, not a regular one; it was not read.');
      return undefined;
    }
    return name;
  }

  /** Reads and hashes one file; `undefined`, with a finding, when it cannot be read. */
  async read(path: string, entry: Entry): Promise<BundleContent | undefined> {
    const keeping = keepingOf(path);
    const kept = keeping.in === 'memory';
    if (kept) this.keptBytes += entry.uncompressedSize;
    if (keeping.in !== 'nowhere' && entry.uncompressedSize > keeping.maxBytes) {
      this.checklist.fault(path, 'The file is larger than a bundle may hold; it was not read.');
      return undefined;
    }
    if (this.keptBytes > MAX_KEPT_BYTES) throw new UnusableBundle('The records are larger than 256 MiB.');
    const hash = createHash('sha256');
    const chunks: Buffer[] = [];
    const scratchPath = keeping.in === 'scratch' ? join(this.scratchFolder, randomUUID()) : undefined;
    const scratch = scratchPath === undefined ? undefined : await open(scratchPath, 'wx', 0o600);
    try {
      for await (const chunk of this.chunks(entry)) {
        hash.update(chunk);
        if (kept) chunks.push(Buffer.from(chunk));
        await scratch?.appendFile(chunk);
      }
    } catch (error) {
      if (isDiskTrouble(error)) throw error;
      this.checklist.fault(path, 'The file cannot be read out of the zip file: it is damaged.');
      return undefined;
    } finally {
      await scratch?.close();
    }
    return {
      path,
      sizeBytes: entry.uncompressedSize,
      sha256: hash.digest('hex'),
      bytes: kept ? Buffer.concat(chunks) : undefined,
      scratchPath,
    };
  }

  /** The content of a file in pieces. @throws Error when it is not where the directory says */
  async *chunks(entry: Entry): AsyncGenerator<Buffer, void> {
    const header = await this.file.bytesAt(entry.relativeOffsetOfLocalHeader, LOCAL_HEADER_BYTES);
    if (header.length < LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_HEADER_SIGNATURE) {
      throw new Error('there is no file at this place');
    }
    const nameAndExtraBytes = header.readUInt16LE(26) + header.readUInt16LE(28);
    let position = entry.relativeOffsetOfLocalHeader + LOCAL_HEADER_BYTES + nameAndExtraBytes;
    const end = position + entry.uncompressedSize;
    if (end > this.sizeBytes) throw new Error('the file reaches beyond the end');
    while (position < end) {
      const chunk = await this.file.bytesAt(position, Math.min(MEBIBYTE, end - position));
      if (chunk.length === 0) throw new Error('the file was cut off while it was read');
      yield chunk;
      position += chunk.length;
    }
  }
}

function keepingOf(path: string): Keeping {
  const memory = (maxBytes: number): Keeping => ({ in: 'memory', maxBytes });
  if (path.startsWith('assets/')) return { in: 'scratch', maxBytes: MAX_BUNDLE_BYTES };
  if (path.startsWith('entries/')) return memory(MAX_ENTRY_BYTES);
  if (path.startsWith('proofs/')) return memory(MAX_TLOG_PROOF_BYTES);
  if (path === BUNDLE_PATHS.checkpoint || path === BUNDLE_PATHS.stampedText) return memory(MAX_NOTE_BYTES);
  if (path.endsWith('.tst')) return memory(MAX_TIME_STAMP_TOKEN_BYTES);
  if (path === BUNDLE_PATHS.dossierJson) return memory(64 * MEBIBYTE);
  // The same in base64url, with its certificates.
  if (path === BUNDLE_PATHS.dossierJws) return memory(87 * MEBIBYTE);
  if (path === BUNDLE_PATHS.signedIndex) return memory(11 * MEBIBYTE);
  if (path.startsWith('openings/') || path === BUNDLE_PATHS.index) return memory(8 * MEBIBYTE);
  const { sums, vkey, policy, trustAnchors, reportAnchors, identityAnchors, timeStampRoots } = BUNDLE_PATHS;
  const small: string[] = [sums, vkey, policy, trustAnchors, reportAnchors, identityAnchors, timeStampRoots];
  return small.includes(path) ? memory(2 * MEBIBYTE) : { in: 'nowhere', maxBytes: 0 };
}

/** Our own disk is full or not writable: that says nothing about the bundle. */
function isDiskTrouble(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EMFILE', 'EIO', 'ENOENT'].includes(code);
}
