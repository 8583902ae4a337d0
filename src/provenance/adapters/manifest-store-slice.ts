import { type ByteSource } from './byte-source.js';

/** A store of a long chain with thumbnails is some 20 MB; the validating reader refuses far below this anyway. */
export const MAX_STORE_BYTES = 128 * 1024 * 1024;
/** More parts than any real file has: 2 GB of 8 KiB PNG chunks. */
export const MAX_PARTS = 262_144;

/** Bytes of a file that a length in it points to; `undefined` when they are not there. */
export async function slice(file: ByteSource, offset: number, length: number): Promise<Buffer | undefined> {
  if (length > MAX_STORE_BYTES || offset + length > file.sizeBytes) return undefined;
  return file.read(offset, length);
}
