import { ColophonError } from '../../../shared/errors.js';
import { type ByteCursor, damaged, trailingData } from './byte-source.js';
import { assertWithinLimits, type PictureSize } from './media-limits.js';

/** How blocks begin. */
export const GIF = { extension: 0x21, image: 0x2c, trailer: 0x3b } as const;
const GRAPHIC_CONTROL = 0xf9;
const COMMENT = 0xfe;
const APPLICATION = 0xff;

/** GIF89a: a screen, then extensions and images in sub-blocks, then a trailer. Stops at the first frame too many. */
export async function checkGif(cursor: ByteCursor): Promise<PictureSize> {
  cursor.skip(6);
  const screen = await cursor.take(7);
  const width = uint16(screen, 0);
  const height = uint16(screen, 2);
  cursor.skip(colorTableBytes(screen[4] ?? 0));
  let frames = 0;
  for (;;) {
    const kind = await cursor.takeByte();
    if (kind === GIF.trailer) break;
    if (kind === GIF.image) {
      frames += 1;
      await skipImage(cursor);
      assertWithinLimits({ width, height, frames });
    } else if (kind === GIF.extension) {
      await skipExtension(cursor);
    } else {
      throw damaged('A block of the GIF is damaged.');
    }
  }
  assertWithinLimits({ width, height, frames });
  if (!(await cursor.onlyPaddingFollows())) throw trailingData();
  return { width, height, frames };
}

async function skipExtension(cursor: ByteCursor): Promise<void> {
  const start = cursor.position - 1;
  cursor.skip(1);
  await skipSubBlocks(cursor);
  const end = cursor.position;
  cursor.position = start;
  const head = await cursor.take(Math.min(8, end - start));
  if (!isSignableExtension(head)) {
    throw new ColophonError(
      'unsupported_media',
      'The GIF has an extension with which it cannot be signed. Export it again.',
    );
  }
  cursor.position = end;
}

/**
 * Those of GIF89a that programs still use, in the form that they always have. The signing library cannot write into a
 * file with others, such as plain text, which no program shows.
 * @param head of the extension: at least its first 8 bytes, unless it is shorter
 */
export function isSignableExtension(head: Uint8Array): boolean {
  const [, label, size] = head;
  if (label === GRAPHIC_CONTROL) return size === 4 && head[7] === 0;
  return label === COMMENT || (label === APPLICATION && size === 11);
}

async function skipImage(cursor: ByteCursor): Promise<void> {
  const descriptor = await cursor.take(9);
  // A frame may be larger than the screen; what a decoder allocates for it has the same limits.
  assertWithinLimits({ width: uint16(descriptor, 4), height: uint16(descriptor, 6), frames: 1 });
  cursor.skip(colorTableBytes(descriptor[8] ?? 0) + 1);
  await skipSubBlocks(cursor);
}

/** A sub-block has at least one byte, so this loop ends with the file at the latest. */
async function skipSubBlocks(cursor: ByteCursor): Promise<void> {
  for (;;) {
    const length = await cursor.takeByte();
    if (length === 0) return;
    cursor.skip(length);
  }
}

/** The lowest three bits n of the packed field announce 2^(n+1) colors of 3 bytes. */
export function colorTableBytes(packed: number): number {
  return packed & 0x80 ? 3 << ((packed & 0x07) + 1) : 0;
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256;
}
