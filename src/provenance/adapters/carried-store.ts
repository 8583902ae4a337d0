import { readFile, stat } from 'node:fs/promises';
import { ColophonError } from '../../shared/errors.js';
import { detectMediaType, isJpegXlCodestream } from '../domain/detect-media-type.js';
import { embeddableMediaType, type SignableMediaType } from '../domain/media-types.js';
import { ByteSource } from './byte-source.js';
import { extractManifestStore } from './manifest-store-extraction.js';
import { MAX_STORE_BYTES, type Stretch } from './manifest-store-slice.js';

/** What a file is, and the manifest store that it carries. */
export interface CarriedStore {
  readonly mediaType: SignableMediaType;
  readonly store: Buffer | undefined;
  /** Where in the file it lies, with the headers that the container puts around it. */
  readonly places: readonly Stretch[];
  /** False where nothing can be embedded: the library does not even look into such files. */
  readonly canCarry: boolean;
}

/**
 * Type and manifest store of a file, by its bytes.
 * @throws ColophonError `unsupported_media` when the bytes are of no type that is signed here.
 */
export async function readManifestStore(path: string): Promise<CarriedStore> {
  const file = await ByteSource.open(path);
  try {
    return await carriedStore(file);
  } finally {
    await file.close();
  }
}

/** The same of a file that is open already. */
export async function carriedStore(file: ByteSource): Promise<CarriedStore> {
  const mediaType = await detectMediaType(file);
  if (mediaType === undefined) {
    throw new ColophonError('unsupported_media', 'The bytes are not of a media type that is supported here.');
  }
  const embeddable = embeddableMediaType(mediaType);
  const isBare = isJpegXlCodestream((await file.read(0, 2)).toString('latin1'));
  if (embeddable === undefined || isBare) return { mediaType, store: undefined, places: [], canCarry: false };
  const found = await extractManifestStore(file, embeddable);
  return { mediaType, store: found?.bytes, places: found?.places ?? [], canCarry: true };
}

/** A manifest store in a file of its own. @throws ColophonError `manifest_malformed` */
export async function readSidecar(path: string): Promise<Buffer> {
  if ((await stat(path)).size > MAX_STORE_BYTES) {
    throw new ColophonError('manifest_malformed', 'The manifest beside the file is too large.');
  }
  return readFile(path);
}
