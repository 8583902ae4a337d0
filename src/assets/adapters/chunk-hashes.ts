import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { sha256Hex } from '../../shared/bytes.js';

/** Bytes of a file that are read, checked and sent in one piece. */
export const CHUNK_BYTES = 1024 * 1024;
const HASH_BYTES = 32;

/** SHA-256 of each {@link CHUNK_BYTES} of a content whose whole SHA-256 was checked. */
export type ChunkHashes = Buffer;

/** What one pass over a file found. */
export interface HashedContent {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly chunks: ChunkHashes;
}

/** Hashes a file as a whole and piece by piece in one pass. */
export async function hashContent(path: string): Promise<HashedContent> {
  const whole = createHash('sha256');
  const hashes: Buffer[] = [];
  let chunk = createHash('sha256');
  let [filled, sizeBytes] = [0, 0];
  for await (const read of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    let bytes = read as Buffer;
    whole.update(bytes);
    sizeBytes += bytes.length;
    while (bytes.length > 0) {
      const part = bytes.subarray(0, CHUNK_BYTES - filled);
      chunk.update(part);
      filled += part.length;
      bytes = bytes.subarray(part.length);
      if (filled < CHUNK_BYTES) continue;
      hashes.push(chunk.digest());
      [chunk, filled] = [createHash('sha256'), 0];
    }
  }
  if (filled > 0) hashes.push(chunk.digest());
  return { sha256: whole.digest('hex'), sizeBytes, chunks: Buffer.concat(hashes) };
}

export function isChunk(chunks: ChunkHashes, index: number, bytes: Buffer): boolean {
  const expected = chunks.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  return expected.length === HASH_BYTES && sha256Hex(bytes) === expected.toString('hex');
}

/**
 * The hashes of the contents that were read last, by the SHA-256 of the whole. They belong to a content and not to a
 * file: whatever happens to a file on disk, they stay right, so nothing ever has to be taken out because it is old.
 * 32 bytes for each mebibyte of content.
 */
export class ChunkHashCache {
  private readonly contents = new Map<string, HashedContent>();
  private readonly pending = new Map<string, Promise<HashedContent>>();
  private keptBytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** @param hash reads the whole file; called once for requests at the same time */
  async get(sha256: string, hash: () => Promise<HashedContent>): Promise<HashedContent> {
    const known = this.contents.get(sha256);
    if (known) {
      // A map keeps the order of insertion: what was asked for last is thrown out last.
      this.contents.delete(sha256);
      this.contents.set(sha256, known);
      return known;
    }
    const running = this.pending.get(sha256);
    if (running) return running;
    const started = hash();
    this.pending.set(sha256, started);
    try {
      const content = await started;
      if (content.sha256 === sha256) this.keep(content);
      return content;
    } finally {
      this.pending.delete(sha256);
    }
  }

  private keep(content: HashedContent): void {
    this.contents.set(content.sha256, content);
    this.keptBytes += content.chunks.length;
    for (const [oldest, { chunks }] of this.contents) {
      if (this.keptBytes <= this.maxBytes) return;
      this.contents.delete(oldest);
      this.keptBytes -= chunks.length;
    }
  }
}
