import { type ByteSource } from '../../byte-source.js';
import { type Edit } from '../../edited-content.js';
import { cut, type ManifestRemoval } from './removal.js';

const CHUNK_HEADER_BYTES = 8;

interface Chunk {
  readonly isManifest: boolean;
  readonly bodyEnd: number;
  /** Behind the byte that fills up an odd length. */
  readonly end: number;
}

/**
 * WebP and WAV: RIFF chunks of type, little-endian length, body, padded to even length; the length of all stands before
 * them and becomes shorter. Chunks that were put behind the RIFF chunk are not counted in it.
 */
export async function fromRiff(file: ByteSource): Promise<ManifestRemoval | undefined> {
  const header = await file.read(0, 12);
  if (header.length < 12) return undefined;
  const riffBytes = header.readUInt32LE(4);
  const riffEnd = CHUNK_HEADER_BYTES + riffBytes;
  // The last chunk may lack the byte that fills it up.
  if (riffEnd > file.sizeBytes + 1) return undefined;
  const cuts: Edit[] = [];
  let cutBytes = 0;
  for (let at = 12; at < file.sizeBytes;) {
    const chunk = await chunkAt(file, at);
    const isInside = at < riffEnd;
    if (chunk === undefined && isInside) return undefined;
    if (chunk === undefined) break;
    if (isInside && chunk.bodyEnd > riffEnd) return undefined;
    const sizeBytes = Math.min(chunk.end, file.sizeBytes) - at;
    if (chunk.isManifest) cuts.push(cut(at, sizeBytes));
    if (chunk.isManifest && isInside) cutBytes += Math.min(chunk.end, riffEnd) - at;
    at = chunk.end;
  }
  if (cuts.length === 0) return { edits: [], manifests: 0 };
  const length = Buffer.alloc(4);
  length.writeUInt32LE(riffBytes - cutBytes);
  return { edits: [{ offset: 4, remove: 4, insert: length }, ...cuts], manifests: cuts.length };
}

async function chunkAt(file: ByteSource, offset: number): Promise<Chunk | undefined> {
  const header = await file.read(offset, CHUNK_HEADER_BYTES);
  if (header.length < CHUNK_HEADER_BYTES) return undefined;
  const length = header.readUInt32LE(4);
  const bodyEnd = offset + CHUNK_HEADER_BYTES + length;
  if (bodyEnd > file.sizeBytes) return undefined;
  const isManifest = header.toString('latin1', 0, 4) === 'C2PA';
  return { isManifest, bodyEnd, end: bodyEnd + (length % 2) };
}
