import { createHash, randomUUID } from 'node:crypto';
import { link, lstat, mkdir, open, readdir, readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { systemErrorCode } from '../../shared/system-error.js';
import { type AssetStore, type ByteRange, type VerifiedContent } from '../domain/asset-store.port.js';
import { CHUNK_BYTES, ChunkHashCache, hashContent, type HashedContent, isChunk } from './chunk-hashes.js';

const SHA256_HEX = /^[0-9a-f]{64}$/;
const UUID = /^[0-9a-f-]{36}$/;
/** `<organization>.<sha256>`: a file between its place and its end. */
const REMOVING_NAME = /^([0-9a-f-]{36})\.([0-9a-f]{64})$/;
/** A staged file, or one that is made beside it, such as the signer's `<staged>.<uuid>.unverified`. */
const PART_NAME = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[a-z0-9-]{1,20}$/;
const STAGED_NAME = /^[0-9a-f-]{36}(?:\.|$)/;
/** Far longer than any upload, download or signature takes. */
const ABANDONED_AFTER_MS = 60 * 60_000;
/** Each attempt fails only when another file of these bytes is put and taken away in between. */
const MAX_LINK_ATTEMPTS = 10;
/** Longer than it takes from putting a file to the row that refers to it. */
const FRESH_FOR_MS = 60 * 60_000;
/** Hashes of the pieces of 512 GiB of content. */
const MAX_CHUNK_HASH_BYTES = 16 * 1024 * 1024;

/** `<root>/<organization>/<first two digits>/<sha256>`, mode 0600; files in the making in `<root>/staging`, at their end in `<root>/removing`. */
export class FileAssetStore implements AssetStore {
  private readonly stagingFolder: string;
  private readonly removingFolder: string;
  private readonly chunkHashes = new ChunkHashCache(MAX_CHUNK_HASH_BYTES);

  constructor(private readonly root: string) {
    this.stagingFolder = join(root, 'staging');
    this.removingFolder = join(root, 'removing');
  }

  async stage(): Promise<string> {
    await mkdir(this.stagingFolder, { recursive: true, mode: 0o700 });
    return join(this.stagingFolder, randomUUID());
  }

  async stageAs(name: string): Promise<string> {
    if (!PART_NAME.test(name)) throw new Error('not a name in the staging area');
    await mkdir(this.stagingFolder, { recursive: true, mode: 0o700 });
    return join(this.stagingFolder, name);
  }

  /**
   * Removes what a process left in the staging area when it was killed: received files, and signed ones that were not
   * read back yet; and parts of files that never came whole. Called at the start and every hour; files that were changed
   * within the last hour stay.
   * @returns how many were removed
   */
  async sweepStaging(now: Date): Promise<number> {
    let removed = 0;
    for (const name of await namesIn(this.stagingFolder)) {
      const path = join(this.stagingFolder, name);
      if (!STAGED_NAME.test(name) || !(await isAbandoned(path, now))) continue;
      await removeFile(path);
      removed += 1;
    }
    return removed;
  }

  async discard(stagedPath: string): Promise<void> {
    await removeFile(stagedPath);
  }

  async put(organizationId: string, sha256: string, stagedPath: string): Promise<void> {
    const target = this.pathOf(organizationId, sha256);
    try {
      await syncPath(stagedPath);
      await linkIntoFolder(stagedPath, target);
      await syncPath(dirname(target));
      await removeFile(stagedPath);
    } catch (cause) {
      throw new ColophonError('storage_unavailable', 'The asset store cannot be written.', { cause });
    }
  }

  async localPath(organizationId: string, sha256: string): Promise<string> {
    const path = this.pathOf(organizationId, sha256);
    let actual: string;
    try {
      actual = await hashFile(path);
    } catch (cause) {
      throw new ColophonError('storage_unavailable', 'A file is missing from the asset store.', { cause });
    }
    if (actual !== sha256) {
      throw notItsHash();
    }
    return path;
  }

  async openVerified(organizationId: string, sha256: string): Promise<VerifiedContent> {
    const path = this.pathOf(organizationId, sha256);
    let content: HashedContent;
    try {
      // Hashes may be known from a file of the same content: this one must be there as well.
      const { size } = await stat(path);
      if (size <= CHUNK_BYTES) return await readVerified(path, sha256);
      content = await this.chunkHashes.get(sha256, () => hashContent(path));
    } catch (cause) {
      if (isColophonError(cause)) throw cause;
      throw new ColophonError('storage_unavailable', 'A file is missing from the asset store.', { cause });
    }
    if (content.sha256 !== sha256) throw notItsHash();
    const all = { first: 0, last: content.sizeBytes - 1 };
    return {
      sizeBytes: content.sizeBytes,
      stream: (range = all) => Readable.from(verifiedBytes(path, content, range), { objectMode: false }),
    };
  }

  async remove(organizationId: string, sha256: string): Promise<void> {
    const path = this.pathOf(organizationId, sha256);
    try {
      await removeFile(path);
      await syncPath(dirname(path));
    } catch (cause) {
      // Without the folder the file was never there.
      if (systemErrorCode(cause) === 'ENOENT') return;
      throw notDeleted(cause);
    }
  }

  /**
   * Taken from its place first, then looked at: whoever puts the same bytes meanwhile links their own file. A crash in
   * between leaves the file aside; the next start puts it back, and whoever wanted it deleted tries again.
   */
  async removeUnlessFresh(organizationId: string, sha256: string): Promise<boolean> {
    const path = this.pathOf(organizationId, sha256);
    const aside = join(this.removingFolder, `${organizationId}.${sha256}`);
    try {
      if (await isFresh(path)) return false;
      await mkdir(this.removingFolder, { recursive: true, mode: 0o700 });
      await renameIfPresent(path, aside);
      const isBack = await isFresh(aside);
      if (isBack) await putBack(aside, path);
      await removeFile(aside);
      for (const folder of [this.removingFolder, dirname(path)]) await syncIfPresent(folder);
      return !isBack;
    } catch (cause) {
      throw notDeleted(cause);
    }
  }

  /**
   * What a process had taken from its place when it was killed. Only at the start, before anything is removed: later it
   * would put back what is being deleted.
   */
  async putBackRemoving(): Promise<void> {
    for (const name of await namesIn(this.removingFolder)) {
      const [, organizationId, sha256] = REMOVING_NAME.exec(name) ?? [];
      if (organizationId === undefined || sha256 === undefined) continue;
      const aside = join(this.removingFolder, name);
      await putBack(aside, this.pathOf(organizationId, sha256));
      await removeFile(aside);
    }
  }

  private pathOf(organizationId: string, sha256: string): string {
    if (!UUID.test(organizationId) || !SHA256_HEX.test(sha256)) throw new Error('not a content address');
    return join(this.root, organizationId, sha256.slice(0, 2), sha256);
  }
}

function notDeleted(cause: unknown): ColophonError {
  return new ColophonError('storage_unavailable', 'A file cannot be deleted from the asset store.', {
    cause,
  });
}

function notItsHash(): ColophonError {
  return new ColophonError('storage_unavailable', 'A file in the asset store is not what its hash says.');
}

/** What fits into one piece is read once: the bytes that are compared with the hash are those that are handed out. */
async function readVerified(path: string, sha256: string): Promise<VerifiedContent> {
  const bytes = await readFile(path);
  if (sha256Hex(bytes) !== sha256) throw notItsHash();
  return {
    sizeBytes: bytes.length,
    stream: ({ first, last } = { first: 0, last: bytes.length - 1 }) =>
      Readable.from([bytes.subarray(first, last + 1)], { objectMode: false }),
  };
}

/** Whole pieces are read and checked, and of the first and the last the wanted part is handed out. */
async function* verifiedBytes(
  path: string,
  { sizeBytes, chunks }: HashedContent,
  { first, last }: ByteRange,
): AsyncGenerator<Buffer> {
  const file = await open(path, 'r');
  try {
    for (let index = Math.floor(first / CHUNK_BYTES); index * CHUNK_BYTES <= last; index += 1) {
      const start = index * CHUNK_BYTES;
      const length = Math.min(CHUNK_BYTES, sizeBytes - start);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, start);
      if (bytesRead !== length || !isChunk(chunks, index, buffer)) throw notItsHash();
      yield buffer.subarray(Math.max(0, first - start), Math.min(length, last - start + 1));
    }
  } finally {
    await file.close();
  }
}

/** Empty where the folder does not exist yet. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Of a file; a folder or a link is none of ours. */
async function isAbandoned(path: string, now: Date): Promise<boolean> {
  try {
    const file = await lstat(path);
    return file.isFile() && now.getTime() - file.mtimeMs > ABANDONED_AFTER_MS;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Whether it is there and was put, or put again, just now. */
async function isFresh(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs < FRESH_FOR_MS;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function renameIfPresent(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

async function putBack(aside: string, path: string): Promise<void> {
  await linkIntoFolder(aside, path);
  await syncPath(dirname(path));
}

/** `rm` asks twice what a path is before it removes it. */
async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

async function syncIfPresent(path: string): Promise<void> {
  try {
    await syncPath(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The folder is there for all but 256 files of an organization. */
async function linkIntoFolder(from: string, to: string): Promise<void> {
  try {
    await linkOrFreshen(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await linkOrFreshen(from, to);
  }
}

/**
 * A link never overwrites: whoever is first wins, and both have the same bytes. A file that is there already is made
 * young, so that nobody deletes it as unused before something refers to it; when somebody is doing that just now, it is
 * gone from its place and the staged one is linked.
 */
async function linkOrFreshen(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await link(from, to);
      return;
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST' || attempt === MAX_LINK_ATTEMPTS) throw error;
    }
    try {
      const now = new Date();
      await utimes(to, now, now);
      // Still in its place: whoever takes it away from now on sees that it is young.
      await stat(to);
      return;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    }
  }
}

/** Lower-case hex SHA-256 of a file, read in pieces. */
export async function hashFile(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

export async function fileSizeBytes(path: string): Promise<number> {
  return (await stat(path)).size;
}
