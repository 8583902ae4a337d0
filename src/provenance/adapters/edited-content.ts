import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type ByteSource } from './byte-source.js';
import { MediaContent, PIECE_BYTES } from './media-content.js';

/** One change of a file: `remove` bytes at `offset` give way to `insert`. */
export interface Edit {
  readonly offset: number;
  readonly remove: number;
  readonly insert: Buffer;
}

/**
 * A changed copy of the bytes. Of a file that stays on the disk, only a piece is in memory at any time.
 *
 * @param edits in the order of their offsets; they do not overlap
 * @param targetPath where the copy is made of a file that is too large for memory; whoever names it removes it
 */
export async function editedCopy(
  { inMemory, bytes }: MediaContent,
  edits: readonly Edit[],
  targetPath: string,
): Promise<MediaContent> {
  if (inMemory !== undefined) return MediaContent.join(edited(inMemory.buffer, edits), inMemory.memory);
  await pipeline(editedPieces(bytes, edits), createWriteStream(targetPath, { flags: 'wx', mode: 0o600 }));
  return MediaContent.open(targetPath);
}

function edited(bytes: Buffer, edits: readonly Edit[]): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { offset, remove, insert } of edits) {
    parts.push(bytes.subarray(at, offset), insert);
    at = offset + remove;
  }
  return [...parts, bytes.subarray(at)];
}

async function* editedPieces(file: ByteSource, edits: readonly Edit[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const { offset, remove, insert } of edits) {
    yield* piecesOf(file, at, offset);
    yield insert;
    at = offset + remove;
  }
  yield* piecesOf(file, at, file.sizeBytes);
}

async function* piecesOf(file: ByteSource, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end;) {
    const piece = await file.read(at, Math.min(PIECE_BYTES, end - at));
    if (piece.length === 0) throw new Error('a file became shorter while it was copied');
    yield piece;
    at += piece.length;
  }
}
