import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sha256HexInTurns } from '../../shared/sha256-in-turns.js';
import { ByteSource } from './byte-source.js';
import { type SharedMemory } from './shared-memory.js';

/**
 * A file up to this size is read once, and what is hashed, parsed, signed and validated are the very same bytes in
 * memory. A larger one stays on the disk.
 */
export const MAX_BYTES_IN_MEMORY = 20 * 1024 * 1024;
/** Hashing or copying this much takes less than a millisecond, after which others have their turn. */
export const PIECE_BYTES = 1024 * 1024;

/** What the C2PA library takes as a file. */
export type LibraryAsset =
  | { readonly buffer: Buffer; readonly mimeType: string }
  | { readonly path: string; readonly mimeType: string };

interface InMemory {
  readonly buffer: Buffer;
  /** Whose the buffer is; `undefined`: nobody's. */
  readonly memory?: SharedMemory;
}

interface OnDisk {
  readonly path: string;
}

/** A file that its owner closes. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly path: string;
  readonly sizeBytes: number;
}

/** @param flags as of `open` */
export async function openFile(path: string, flags: 'r' | 'r+'): Promise<OpenFile> {
  const handle = await open(path, flags);
  try {
    return { handle, path, sizeBytes: (await handle.stat()).size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The bytes of a media file, for everybody who looks at them while one thing is done with the file. */
export class MediaContent {
  private isClosed = false;

  private constructor(
    private readonly place: InMemory | OnDisk,
    readonly bytes: ByteSource,
  ) {}

  /** @param memory where a file of more than a piece, and not more than {@link MAX_BYTES_IN_MEMORY}, is kept and hashed */
  static async open(path: string, memory?: SharedMemory): Promise<MediaContent> {
    const handle = await open(path, 'r');
    try {
      const file = { handle, path, sizeBytes: (await handle.stat()).size };
      if (isSmall(file)) return await MediaContent.over(file, memory);
    } finally {
      await handle.close();
    }
    return new MediaContent({ path }, await ByteSource.open(path));
  }

  /** @param file stays open, and must until the content is closed */
  static async over(file: OpenFile, memory?: SharedMemory): Promise<MediaContent> {
    const { path, handle, sizeBytes } = file;
    return isSmall(file)
      ? MediaContent.of(await readWhole(file, memory))
      : new MediaContent({ path }, ByteSource.over(handle, sizeBytes));
  }

  /** @param parts joined to what is to be one file */
  static join(parts: readonly Buffer[], memory?: SharedMemory): MediaContent {
    const sizeBytes = parts.reduce((sum, { length }) => sum + length, 0);
    if (!isFor(memory, sizeBytes)) return MediaContent.of({ buffer: Buffer.concat(parts) });
    const buffer = memory.take(sizeBytes);
    let at = 0;
    for (const part of parts) at += part.copy(buffer, at);
    return MediaContent.of({ buffer, memory });
  }

  private static of(place: InMemory): MediaContent {
    return new MediaContent(place, ByteSource.of(place.buffer));
  }

  get sizeBytes(): number {
    return this.bytes.sizeBytes;
  }

  /** `undefined` for a file that stays on the disk. */
  get inMemory(): InMemory | undefined {
    return 'buffer' in this.place ? this.place : undefined;
  }

  /** For the library, which copies what it gets from memory before it returns. */
  asset(mimeType: string): LibraryAsset {
    return 'path' in this.place
      ? { path: this.place.path, mimeType }
      : { buffer: this.place.buffer, mimeType };
  }

  /** Lower-case hexadecimal SHA-256. Never holds up the event loop for more than a piece. */
  async sha256(): Promise<string> {
    if ('path' in this.place) return fileSha256(this.place.path);
    const { buffer, memory } = this.place;
    if (memory !== undefined) return memory.sha256(buffer);
    // Whoever asked the library in the same turn has it at work by then, on its own threads.
    await nextTurn();
    return sha256HexInTurns(buffer);
  }

  /** The bytes are no one's from then on. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.bytes.close();
    if ('buffer' in this.place) this.place.memory?.giveBack(this.place.buffer);
  }
}

/** Lower-case hexadecimal SHA-256 of a file, streamed. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: PIECE_BYTES }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Smaller ones cost less than the way to another thread. */
function isFor(memory: SharedMemory | undefined, sizeBytes: number): memory is SharedMemory {
  return memory !== undefined && sizeBytes > PIECE_BYTES && sizeBytes <= memory.pieceBytes;
}

function isSmall({ sizeBytes }: Pick<OpenFile, 'sizeBytes'>): boolean {
  return sizeBytes <= MAX_BYTES_IN_MEMORY;
}

async function readWhole(
  { handle, sizeBytes }: OpenFile,
  memory: SharedMemory | undefined,
): Promise<InMemory> {
  if (!isFor(memory, sizeBytes)) return { buffer: await readInto(Buffer.allocUnsafe(sizeBytes), handle) };
  const taken = memory.take(sizeBytes);
  try {
    return { buffer: await readInto(taken, handle), memory };
  } catch (error) {
    memory.giveBack(taken);
    throw error;
  }
}

/** Not `readFile`, which would go on with a file that somebody makes longer meanwhile. */
async function readInto(bytes: Buffer, handle: FileHandle): Promise<Buffer> {
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
