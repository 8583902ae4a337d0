import { ByteCursor, type ByteSource, countBlock } from '../media-probe/byte-source.js';
import { colorTableBytes, GIF, isSignableExtension } from '../media-probe/gif-structure.js';
import { type FramingEdit, type MendedFraming, NOTHING_INSERTED } from './mended-framing.js';

/** Where a walk through the blocks came to its end. */
interface End {
  readonly edits: readonly FramingEdit[];
  readonly removed: ReadonlySet<string>;
  /** The last byte but one that belongs to a whole block. */
  readonly position: number;
  readonly frames: number;
  /** What is missing at `position`. */
  readonly missing: readonly number[];
}

const BEHIND_THE_END = 'bytes behind the end of the picture';

/**
 * The images, and the extensions that programs know, stay. Zeros between blocks go, and extensions with which no manifest
 * can be put into the file; what stands behind the last whole block goes, and the end is written where it is missing.
 *
 * @returns `undefined` without a whole image
 */
export async function mendGif(source: ByteSource): Promise<MendedFraming | undefined> {
  const end = await walk(source);
  if (end.frames === 0) return undefined;
  const rest = source.sizeBytes - end.position;
  if (rest === 0 && end.missing.length === 0) return { ...end, removed: [...end.removed], added: [] };
  const tail = { offset: end.position, remove: rest, insert: Uint8Array.from(end.missing) };
  return {
    edits: [...end.edits, tail],
    removed: [...end.removed, ...(rest > 0 ? [BEHIND_THE_END] : [])],
    added: end.missing.length > 0 ? ['end of the picture'] : [],
  };
}

async function walk(source: ByteSource): Promise<End> {
  const cursor = new ByteCursor(source);
  cursor.skip(6);
  cursor.skip(colorTableBytes((await cursor.take(7))[4] ?? 0));
  const edits: FramingEdit[] = [];
  const removed = new Set<string>();
  let frames = 0;
  const cut = (offset: number, what: string): void => {
    removed.add(what);
    edits.push({ offset, remove: cursor.position - offset, insert: NOTHING_INSERTED });
  };
  for (let blocks = 0; ; blocks = countBlock(blocks)) {
    const start = cursor.position;
    const ended = (missing: readonly number[]): End => ({ edits, removed, position: start, frames, missing });
    if (cursor.remaining === 0) return ended([GIF.trailer]);
    const kind = await cursor.takeByte();
    if (kind === GIF.trailer) return { ...ended([]), position: cursor.position };
    if (kind === GIF.image) {
      frames += 1;
      const isOpen = await passImage(cursor);
      if (isOpen) return { ...ended([0, GIF.trailer]), position: cursor.position };
    } else if (kind === GIF.extension) {
      const isWhole = await passExtension(cursor);
      if (!isWhole) return ended([GIF.trailer]);
      if (!isSignableExtension(await source.read(start, 8))) cut(start, 'extension that is not shown');
    } else if (kind === 0) {
      await passZeros(cursor);
      if (cursor.remaining === 0) return ended([GIF.trailer]);
      cut(start, 'zeros between blocks');
    } else return ended([GIF.trailer]);
  }
}

/** @returns whether the file ends where the next sub-block should begin */
async function passImage(cursor: ByteCursor): Promise<boolean> {
  const descriptor = await cursor.take(9);
  cursor.skip(colorTableBytes(descriptor[8] ?? 0) + 1);
  for (;;) {
    if (cursor.remaining === 0) return true;
    const length = await cursor.takeByte();
    if (length === 0) return false;
    cursor.skip(length);
  }
}

/** @returns whether it was there to its end */
async function passExtension(cursor: ByteCursor): Promise<boolean> {
  if (cursor.remaining === 0) return false;
  cursor.skip(1);
  while (cursor.remaining > 0) {
    const length = await cursor.takeByte();
    if (length === 0) return true;
    if (length > cursor.remaining) return false;
    cursor.skip(length);
  }
  return false;
}

async function passZeros(cursor: ByteCursor): Promise<void> {
  while (cursor.remaining > 0) {
    if ((await cursor.takeByte()) === 0) continue;
    cursor.position -= 1;
    return;
  }
}
