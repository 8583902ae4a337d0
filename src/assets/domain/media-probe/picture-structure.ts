import { type ByteSource, ByteCursor } from './byte-source.js';
import { checkGif } from './gif-structure.js';
import { checkIsoMedia } from './iso-media-structure.js';
import { checkJpeg } from './jpeg-structure.js';
import type { PictureSize } from './media-limits.js';
import { checkPng } from './png-structure.js';
import type { StillImageType } from './still-image-type.js';
import { checkTiff } from './tiff-structure.js';
import { checkWebp } from './webp-structure.js';

/**
 * Walks the blocks of a file without decoding pixels: is it whole, does it end where the picture ends, how large does
 * its header say it is? This happens before an image library sees the file.
 * @returns the size where the container states it; undefined where only the decoder can tell
 * @throws ColophonError `media_corrupt`, `media_too_large` or `unsupported_media`
 */
export async function checkStructure(
  type: StillImageType,
  source: ByteSource,
): Promise<PictureSize | undefined> {
  const cursor = new ByteCursor(source);
  switch (type) {
    case 'image/png':
      return checkPng(cursor);
    case 'image/jpeg':
      return checkJpeg(cursor);
    case 'image/gif':
      return checkGif(cursor);
    case 'image/webp':
      return checkWebp(cursor);
    case 'image/avif':
      return checkIsoMedia(cursor);
    case 'image/tiff':
      return checkTiff(source);
  }
}
