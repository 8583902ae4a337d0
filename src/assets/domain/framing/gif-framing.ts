import { ByteCursor, type ByteSource, countBlock } from '../media-probe/byte-source.js';
import { colorTableBytes, GIF } from '../media-probe/gif-structure.js';
import { type MendedFraming, NOTHING_INSERTED } from './mended-framing.js';

/**
 * What stands behind the trailer goes, and a trailer is written where the file ends right behind a whole block, as some
 * encoders leave it. Anything else that is wrong may have to do with what is shown, and stays as it is: an image without
 * its end may be half of one, and an extension of an unusual form may set times.
 *
 * @returns `undefined` where that is not all
 */
export async function mendGif(source: ByteSource): Promise<MendedFraming | undefined> {
  const cursor = new ByteCursor(source);
  cursor.skip(6);
  cursor.skip(colorTableBytes((await cursor.take(7))[4] ?? 0));
  let images = 0;
  for (let blocks = 0; ; blocks = countBlock(blocks)) {
    if (cursor.remaining === 0) return images === 0 ? undefined : withTrailer(source.sizeBytes);
    const kind = await cursor.takeByte();
    if (kind === GIF.trailer) return endingAt(cursor.position, source.sizeBytes);
    if (kind === GIF.image) {
      images += 1;
      cursor.skip(colorTableBytes((await cursor.take(9))[8] ?? 0) + 1);
    } else if (kind === GIF.extension) cursor.skip(1);
    else return undefined;
    await skipSubBlocks(cursor);
  }
}

function withTrailer(sizeBytes: number): MendedFraming {
  const edit = { offset: sizeBytes, remove: 0, insert: Uint8Array.of(GIF.trailer) };
  return { edits: [edit], removed: [], added: ['trailer behind the last whole block'] };
}

function endingAt(end: number, sizeBytes: number): MendedFraming {
  if (end === sizeBytes) return { edits: [], removed: [], added: [] };
  const edit = { offset: end, remove: sizeBytes - end, insert: NOTHING_INSERTED };
  return { edits: [edit], removed: ['bytes behind the end of the picture'], added: [] };
}

/** @throws ColophonError where the file ends within them, or there are more of them than in any picture */
async function skipSubBlocks(cursor: ByteCursor): Promise<void> {
  for (let blocks = 0; ; blocks = countBlock(blocks)) {
    const length = await cursor.takeByte();
    if (length === 0) return;
    cursor.skip(length);
  }
}
