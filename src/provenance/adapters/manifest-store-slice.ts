import { type ByteSource } from './byte-source.js';

/** A store of a long chain with thumbnails is some 20 MB; the validating reader refuses far below this anyway. */
export const MAX_STORE_BYTES = 128 * 1024 * 1024;
/** More parts than any real file has: 2 GB of 8 KiB PNG chunks. */
export const MAX_PARTS = 262_144;

/** A stretch of a file. */
export interface Stretch {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A manifest store, and the stretches of the file that hold it and nothing else: headers of the container included. */
export interface PlacedStore {
  readonly bytes: Buffer;
  readonly places: readonly Stretch[];
}

/** The store at one place of a file, within a part of the container of its own. */
export async function placed(
  file: ByteSource,
  offset: number,
  sizeBytes: number,
  part: Stretch = { offset, sizeBytes },
): Promise<PlacedStore | undefined> {
  const bytes = await slice(file, offset, sizeBytes);
  return bytes && { bytes: Buffer.from(bytes), places: [part] };
}

/** Bytes of a file that a length in it points to; `undefined` when they are not there. */
export async function slice(file: ByteSource, offset: number, length: number): Promise<Buffer | undefined> {
  if (length > MAX_STORE_BYTES || offset + length > file.sizeBytes) return undefined;
  return file.read(offset, length);
}
