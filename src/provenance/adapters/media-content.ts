import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sha256Hex } from '../../shared/bytes.js';
import { ByteSource } from './byte-source.js';

/**
 * A file up to this size is read once, and what is hashed, parsed, signed and validated are the very same bytes in
 * memory. A larger one stays on the disk.
 */
export const MAX_BYTES_IN_MEMORY = 20 * 1024 * 1024;
/** Hashing this much takes a millisecond, after which others have their turn. */
const PIECE_BYTES = 1024 * 1024;

/** What the C2PA library takes as a file. */
export type LibraryAsset =
  | { readonly buffer: Buffer; readonly mimeType: string }
  | { readonly path: string; readonly mimeType: string };

/** The bytes of a media file, for everybody who looks at them while one thing is done with the file. */
export class MediaContent {
  private constructor(
    private readonly place: { readonly inMemory: Buffer } | { readonly path: string },
    readonly bytes: ByteSource,
  ) {}

  static async open(path: string): Promise<MediaContent> {
    const bytes = await bytesIfSmall(path);
    if (bytes !== undefined) return MediaContent.of(bytes);
    return new MediaContent({ path }, await ByteSource.open(path));
  }

  static of(bytes: Buffer): MediaContent {
    return new MediaContent({ inMemory: bytes }, ByteSource.of(bytes));
  }

  get sizeBytes(): number {
    return this.bytes.sizeBytes;
  }

  /** `undefined` for a file that stays on the disk. */
  get inMemory(): Buffer | undefined {
    return 'inMemory' in this.place ? this.place.inMemory : undefined;
  }

  /** For the library, which copies what it gets from memory. */
  asset(mimeType: string): LibraryAsset {
    return 'path' in this.place
      ? { path: this.place.path, mimeType }
      : { buffer: this.place.inMemory, mimeType };
  }

  /** Lower-case hexadecimal SHA-256. Never holds up the event loop for more than a piece. */
  async sha256(): Promise<string> {
    return 'path' in this.place ? fileSha256(this.place.path) : hashInTurns(this.place.inMemory);
  }

  async close(): Promise<void> {
    await this.bytes.close();
  }
}

/** Lower-case hexadecimal SHA-256 of a file, streamed. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: PIECE_BYTES }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function hashInTurns(bytes: Buffer): Promise<string> {
  // Whoever asked the library in the same turn has it at work by then, on its own threads.
  await nextTurn();
  if (bytes.length <= PIECE_BYTES) return sha256Hex(bytes);
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    if (at > 0) await nextTurn();
    hash.update(bytes.subarray(at, at + PIECE_BYTES));
  }
  return hash.digest('hex');
}

async function bytesIfSmall(path: string): Promise<Buffer | undefined> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return size > MAX_BYTES_IN_MEMORY ? undefined : await readWhole(handle, size);
  } finally {
    await handle.close();
  }
}

/** Not `readFile`, which would go on with a file that somebody makes longer meanwhile. */
async function readWhole(handle: FileHandle, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let length = 0;
  while (length < sizeBytes) {
    const { bytesRead } = await handle.read(bytes, length, sizeBytes - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
