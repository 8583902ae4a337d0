import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { isColophonError } from '../../shared/errors.js';
import { type FramingEdit, mendedFraming } from '../domain/framing/mended-framing.js';
import { type ByteSource, truncated } from '../domain/media-probe/byte-source.js';
import { withFile } from './opened-source.js';

const PIECE_BYTES = 1024 * 1024;

/** What was done, in words. */
export interface FileMend {
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/**
 * Makes a copy of a file whose framing is mended (see {@link mendedFraming}).
 * @param targetPath of the copy; whoever names it removes it
 * @returns `undefined`, and no copy, where nothing can be mended
 */
export async function mendFile(path: string, targetPath: string): Promise<FileMend | undefined> {
  return withFile(path, async (source) => {
    const mended = await mendedFraming(source).catch((error: unknown) => {
      if (isColophonError(error)) return undefined;
      throw error;
    });
    if (mended === undefined) return undefined;
    await pipeline(edited(source, mended.edits), createWriteStream(targetPath, { mode: 0o600 }));
    return { removed: mended.removed, added: mended.added };
  });
}

async function* edited(source: ByteSource, edits: readonly FramingEdit[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const { offset, remove, insert } of edits) {
    yield* pieces(source, at, offset);
    if (insert.length > 0) yield insert;
    at = offset + remove;
  }
  yield* pieces(source, at, source.sizeBytes);
}

async function* pieces(source: ByteSource, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end;) {
    const piece = await source.read(at, Math.min(PIECE_BYTES, end - at));
    if (piece.length === 0) throw truncated();
    yield piece;
    at += piece.length;
  }
}
