import { type ByteCursor, type ByteSource, damaged } from './byte-source.js';
import { type MediaShape } from './media-probe.port.js';

const CHUNK_BYTES = 1024 * 1024;
// Tab, line feed, form feed and carriage return are text; no other control is.
const NOT_TEXT = /[^\P{Cc}\t\n\f\r\x80-\x9f]/u;

/** Text of any length in UTF-8 without control characters, read in pieces. */
async function checkCharacters(source: ByteSource): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let at = 0; at < source.sizeBytes; at += CHUNK_BYTES) {
    const isLast = at + CHUNK_BYTES >= source.sizeBytes;
    let text: string;
    try {
      text = decoder.decode(await source.read(at, CHUNK_BYTES), { stream: !isLast });
    } catch {
      throw damaged('The text is not in UTF-8.');
    }
    if (NOT_TEXT.test(text)) throw damaged('The text has control characters in it.');
  }
}

/** Whether JSON is JSON was found out when its type was. */
export async function checkText(source: ByteSource): Promise<MediaShape> {
  await checkCharacters(source);
  return { kind: 'text' };
}

/** A Wavefront OBJ is text; materials that it names are not part of it. */
export async function checkObject(source: ByteSource): Promise<MediaShape> {
  await checkCharacters(source);
  return { kind: 'model3d' };
}

/** STL as text ends with "endsolid"; in binary form its length was what told its type. */
export async function checkStl(source: ByteSource, cursor: ByteCursor): Promise<MediaShape> {
  const head = new TextDecoder('latin1').decode(await cursor.take(Math.min(6, source.sizeBytes)));
  if (!/^\s*solid/.test(head)) return { kind: 'model3d' };
  const count = source.sizeBytes >= 84 ? await triangles(source) : -1;
  // Some writers begin binary files with "solid" too.
  if (source.sizeBytes === 84 + count * 50) return { kind: 'model3d' };
  await checkCharacters(source);
  const tail = new TextDecoder('latin1').decode(
    await source.read(Math.max(0, source.sizeBytes - 1024), 1024),
  );
  if (!/endsolid[^\n]*\s*$/.test(tail)) throw damaged('The model ends before its last part.');
  return { kind: 'model3d' };
}

async function triangles(source: ByteSource): Promise<number> {
  const bytes = await source.read(80, 4);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
}
