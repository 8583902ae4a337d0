import { type ByteCursor, countBlock, damaged, trailingData } from './byte-source.js';

/** Boxes that an AVIF file has at its top level; `uuid` holds the manifest. `moov` would make it a sequence. */
const KNOWN_BOXES = new Set(['ftyp', 'meta', 'mdat', 'free', 'skip', 'uuid', 'idat', 'mini']);

/**
 * AVIF: boxes of ISO/IEC 14496-12 that fill the file exactly. Something appended reads as an unknown box or as one
 * that is longer than the file. Pixel size stands deep inside `meta`: that is left to the decoder, which reads it
 * from the header too.
 */
export async function checkIsoMedia(cursor: ByteCursor): Promise<undefined> {
  for (let blocks = 0; cursor.remaining > 0; blocks = countBlock(blocks)) {
    const start = cursor.position;
    if (cursor.remaining < 8) {
      if (await cursor.onlyPaddingFollows()) return undefined;
      throw trailingData();
    }
    const head = await cursor.take(8);
    const type = String.fromCharCode(...head.subarray(4, 8));
    if (!KNOWN_BOXES.has(type)) {
      cursor.position = start;
      if (await cursor.onlyPaddingFollows()) return undefined;
      throw trailingData();
    }
    const length = await boxLength(cursor, head, start);
    cursor.position = start;
    cursor.skip(length);
  }
  return undefined;
}

/** 32-bit size; 1 announces a 64-bit size, 0 means "to the end of the file" (4.2). */
async function boxLength(cursor: ByteCursor, head: Uint8Array, start: number): Promise<number> {
  const short = new DataView(head.buffer, head.byteOffset, 8).getUint32(0);
  if (short === 0) return cursor.remaining + (cursor.position - start);
  if (short !== 1) {
    if (short < 8) throw damaged('A box of the AVIF is damaged.');
    return short;
  }
  const large = await cursor.take(8);
  const length = Number(new DataView(large.buffer, large.byteOffset, 8).getBigUint64(0));
  if (length < 16) throw damaged('A box of the AVIF is damaged.');
  return length;
}
