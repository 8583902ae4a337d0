import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { ColophonError } from '../../../shared/errors.js';
import { type ByteSource } from '../byte-source.js';
import { type MediaContent } from '../media-content.js';
import { rebound } from './hard-binding.js';

/** Bytes of the file, from its beginning: [start, end). */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** A WAV file that is too large for memory. */
export interface LargeWave {
  readonly file: ByteSource;
  /** Its chunks but for manifests, in their order; chunks beside each other are one range. */
  readonly kept: readonly Range[];
  /** Its last chunk has an odd length and the byte is missing that should follow. */
  readonly lacksPadding: boolean;
}

/** A manifest store in a file. */
export interface PlacedStore {
  readonly store: Buffer;
  /** Where it begins. */
  readonly storeAt: number;
}

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const MAX_CHUNKS = 100_000;
const MAX_RIFF_BYTES = 0xffff_ffff;
const MANIFEST_CHUNK = 'C2PA';
const COPY_BYTES = 256 * 1024;

/**
 * The C2PA library holds all chunks of a RIFF file in memory more than once while it writes. So for a large WAV file it
 * is given a short silence, and what it makes of that is bound here to the real file: see {@link embedInLargeWave}.
 *
 * @returns `undefined` for what the library takes itself: other types, and what is in memory anyway
 * @throws ColophonError `media_corrupt` when its chunks do not make it up
 */
export async function largeWave(content: MediaContent, mediaType: string): Promise<LargeWave | undefined> {
  if (mediaType !== 'audio/wav' || content.inMemory !== undefined) return undefined;
  const { bytes: file } = content;
  const header = await file.read(0, RIFF_HEADER_BYTES);
  const end = CHUNK_HEADER_BYTES + header.readUInt32LE(4);
  if (end > file.sizeBytes) throw damaged();
  const kept: Range[] = [];
  let offset = RIFF_HEADER_BYTES;
  for (let count = 0; offset < end; count += 1) {
    const chunk = await chunkAt(file, offset, end);
    if (chunk === undefined || count >= MAX_CHUNKS) throw damaged();
    if (chunk.id !== MANIFEST_CHUNK) append(kept, { start: offset, end: Math.min(chunk.next, end) });
    offset = chunk.next;
  }
  const hasSound = kept.length > 0;
  if (!hasSound) throw damaged();
  return { file, kept, lacksPadding: bytesIn(kept) % 2 === 1 };
}

/** A chunk: identifier (4), length (4), body, and one more byte when the length is odd, which only the last may lack. */
async function chunkAt(
  file: ByteSource,
  offset: number,
  end: number,
): Promise<{ id: string; next: number } | undefined> {
  const header = await file.read(offset, CHUNK_HEADER_BYTES);
  if (offset + CHUNK_HEADER_BYTES > end) return undefined;
  const length = header.readUInt32LE(4);
  const bodyEnd = offset + CHUNK_HEADER_BYTES + length;
  if (bodyEnd > end) return undefined;
  return { id: header.toString('latin1', 0, 4), next: bodyEnd + (length % 2) };
}

function append(ranges: Range[], { start, end }: Range): void {
  const last = ranges.at(-1);
  if (last?.end === start) ranges[ranges.length - 1] = { start: last.start, end };
  else ranges.push({ start, end });
}

function bytesIn(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

/**
 * Writes the file with its manifest in a chunk `C2PA` at the end of the RIFF chunk (C2PA 2.4 annex A.3.7), which is what
 * the library does with smaller ones: earlier manifests give way, what stands behind the RIFF chunk is left out, and the
 * hash over the file leaves out the chunk with its header but not the byte that fills it up.
 *
 * The hash is taken of the very bytes that are written, in one pass.
 *
 * @param sign makes the manifest store of a short silence
 */
export async function embedInLargeWave(
  { file, kept, lacksPadding }: LargeWave,
  targetPath: string,
  sign: (silence: Buffer) => Promise<Buffer>,
): Promise<PlacedStore> {
  const store = await sign(silence());
  const start = RIFF_HEADER_BYTES + bytesIn(kept) + Number(lacksPadding);
  const padding = Buffer.alloc(store.length % 2);
  const riffBytes = start + CHUNK_HEADER_BYTES + store.length + padding.length - CHUNK_HEADER_BYTES;
  if (riffBytes > MAX_RIFF_BYTES)
    throw new ColophonError('media_too_large', 'A WAV file with its manifest may have at most 4 GiB.');
  const hash = createHash('sha256');
  const target = await open(targetPath, 'wx');
  try {
    const write = async (bytes: Buffer): Promise<void> => {
      hash.update(bytes);
      await target.writeFile(bytes);
    };
    await write(Buffer.concat([header('RIFF', riffBytes), Buffer.from('WAVE', 'latin1')]));
    for (const range of kept) for await (const piece of piecesOf(file, range)) await write(piece);
    await write(Buffer.alloc(Number(lacksPadding)));
    hash.update(padding);
    const length = CHUNK_HEADER_BYTES + store.length;
    const bound = rebound(store, { start: SILENCE_BYTES, length }, { start, length }, hash.digest());
    await target.writeFile(Buffer.concat([header(MANIFEST_CHUNK, store.length), bound, padding]));
    return { store: bound, storeAt: start + CHUNK_HEADER_BYTES };
  } finally {
    await target.close();
  }
}

async function* piecesOf(file: ByteSource, { start, end }: Range): AsyncGenerator<Buffer> {
  for (let at = start; at < end;) {
    const piece = await file.read(at, Math.min(COPY_BYTES, end - at));
    // Somebody made the file shorter meanwhile.
    if (piece.length === 0) throw damaged();
    yield piece;
    at += piece.length;
  }
}

function header(id: string, length: number): Buffer {
  const bytes = Buffer.alloc(CHUNK_HEADER_BYTES);
  bytes.write(id, 'latin1');
  bytes.writeUInt32LE(length, 4);
  return bytes;
}

/** Longer than 65,535 bytes: from there on the place of the manifest takes as many bytes of CBOR as in any larger file. */
const SILENT_SAMPLES_BYTES = 65_536;
const FORMAT_BYTES = 16;
const SILENCE_BYTES =
  RIFF_HEADER_BYTES + CHUNK_HEADER_BYTES + FORMAT_BYTES + CHUNK_HEADER_BYTES + SILENT_SAMPLES_BYTES;

/** A WAV file of one channel of 8 bits at 8 kHz: WAVEFORMATEX, then the samples. */
function silence(): Buffer {
  const format = Buffer.alloc(FORMAT_BYTES);
  format.writeUInt16LE(1, 0);
  format.writeUInt16LE(1, 2);
  format.writeUInt32LE(8000, 4);
  format.writeUInt32LE(8000, 8);
  format.writeUInt16LE(1, 12);
  format.writeUInt16LE(8, 14);
  return Buffer.concat([
    header('RIFF', SILENCE_BYTES - CHUNK_HEADER_BYTES),
    Buffer.from('WAVE', 'latin1'),
    header('fmt ', FORMAT_BYTES),
    format,
    header('data', SILENT_SAMPLES_BYTES),
    Buffer.alloc(SILENT_SAMPLES_BYTES, 128),
  ]);
}

function damaged(): ColophonError {
  return new ColophonError(
    'media_corrupt',
    'No manifest can be embedded into this WAV file: its chunks are damaged.',
  );
}
