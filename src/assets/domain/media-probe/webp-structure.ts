import { type ByteCursor, countBlock, damaged, trailingData } from './byte-source.js';
import { assertWithinLimits, type PictureSize } from './media-limits.js';

/** WebP (RFC 9649): one RIFF chunk that says how long it is. Manifests live in a `C2PA` chunk inside of it. */
export async function checkWebp(cursor: ByteCursor): Promise<PictureSize> {
  const head = await cursor.take(12);
  const end = 8 + uint(head, 4, 4);
  let size: PictureSize | undefined;
  let frames = 0;
  for (let blocks = 0; cursor.position + 8 <= end; blocks = countBlock(blocks)) {
    const chunk = await cursor.take(8);
    const type = String.fromCharCode(...chunk.subarray(0, 4));
    const length = uint(chunk, 4, 4);
    // A chunk of odd length is followed by one byte of padding.
    const next = cursor.position + length + (length % 2);
    if (cursor.position + length > end) throw damaged('A chunk of the WebP is damaged.');
    size ??= await readSize(cursor, type, length);
    if (type === 'ANMF') frames += 1;
    assertWithinLimits({ width: size?.width ?? 1, height: size?.height ?? 1, frames: Math.max(1, frames) });
    cursor.position = Math.min(next, end);
  }
  cursor.position = 0;
  cursor.skip(end);
  if (!(await cursor.onlyPaddingFollows())) throw trailingData();
  if (!size) throw damaged('The WebP has no picture in it.');
  return { ...size, frames: Math.max(1, frames) };
}

/** Width and height from whichever of the three kinds of first chunk is there. */
async function readSize(cursor: ByteCursor, type: string, length: number): Promise<PictureSize | undefined> {
  if (type === 'VP8X' && length >= 10) {
    const data = await cursor.take(10);
    return { width: uint(data, 4, 3) + 1, height: uint(data, 7, 3) + 1, frames: 1 };
  }
  if (type === 'VP8 ' && length >= 10) {
    const data = await cursor.take(10);
    return { width: uint(data, 6, 2) & 0x3fff, height: uint(data, 8, 2) & 0x3fff, frames: 1 };
  }
  if (type === 'VP8L' && length >= 5) {
    const bits = uint(await cursor.take(5), 1, 4);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, frames: 1 };
  }
  return undefined;
}

/** Little-endian. */
function uint(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}
