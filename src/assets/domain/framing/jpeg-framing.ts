import { ByteCursor, type ByteSource } from '../media-probe/byte-source.js';
import { endOfJpegPictures } from '../media-probe/jpeg-structure.js';
import { type MendedFraming, NOTHING_INSERTED } from './mended-framing.js';

/** Whatever stands behind the last whole picture goes: the film of a moving photo, an archive, half a picture. */
export async function mendJpeg(source: ByteSource): Promise<MendedFraming> {
  const end = await endOfJpegPictures(new ByteCursor(source));
  if (end === source.sizeBytes) return { edits: [], removed: [], added: [] };
  const edit = { offset: end, remove: source.sizeBytes - end, insert: NOTHING_INSERTED };
  return { edits: [edit], removed: ['bytes behind the end of the picture'], added: [] };
}
