import { isColophonError } from '../../shared/errors.js';
import { type ByteSource } from '../domain/media-probe/byte-source.js';
import { hasManifestDirectory } from '../domain/media-probe/tiff-structure.js';
import { bufferSource, withFile } from './opened-source.js';

/** `failOn` of sharp. */
export type DecodingStrictness = 'error' | 'truncated';

/**
 * How strictly a picture is decoded: wrong checksums and invalid pixel data count as damage, mere warnings, which good
 * cameras cause too, do not. Of a TIFF with a C2PA manifest only missing data count: libtiff reports the directory of the
 * manifest as an error.
 */
export async function decodingStrictness(input: string | Uint8Array): Promise<DecodingStrictness> {
  return typeof input === 'string' ? withFile(input, strictnessOf) : strictnessOf(bufferSource(input));
}

async function strictnessOf(source: ByteSource): Promise<DecodingStrictness> {
  try {
    return (await hasManifestDirectory(source)) ? 'truncated' : 'error';
  } catch (error) {
    // It is no TIFF, or not a whole one, which the decoder says better.
    if (isColophonError(error)) return 'error';
    throw error;
  }
}
