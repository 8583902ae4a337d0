import { ByteCursor, type ByteSource } from '../media-probe/byte-source.js';
import { endOfJpegPictures } from '../media-probe/jpeg-structure.js';
import { type MendedFraming, NOTHING_INSERTED } from './mended-framing.js';

const HEAD_BYTES = 12;
const MAX_LINE_BREAKS = 8;

/**
 * Behind the last whole picture goes what is known by its beginning not to be a part of it: the film of a moving photo,
 * an archive, line breaks, a further picture that is not whole. Other bytes may be the rest of a picture that was ended
 * too early, and the file stays as it is.
 */
export async function mendJpeg(source: ByteSource): Promise<MendedFraming | undefined> {
  const end = await endOfJpegPictures(new ByteCursor(source));
  if (end === source.sizeBytes) return { edits: [], removed: [], added: [] };
  if (!isSomethingElse(await source.read(end, HEAD_BYTES), source.sizeBytes - end)) return undefined;
  const edit = { offset: end, remove: source.sizeBytes - end, insert: NOTHING_INSERTED };
  return { edits: [edit], removed: ['bytes behind the end of the picture'], added: [] };
}

function isSomethingElse(head: Uint8Array, sizeBytes: number): boolean {
  const text = String.fromCharCode(...head);
  return (
    text.startsWith('ftyp', 4) ||
    text.startsWith('PK\x03\x04') ||
    text.startsWith('\xff\xd8\xff') ||
    (sizeBytes <= MAX_LINE_BREAKS && /^[\r\n]+$/.test(text))
  );
}
