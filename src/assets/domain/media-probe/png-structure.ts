import { type ByteCursor, countBlock, damaged, trailingData } from './byte-source.js';
import { assertWithinLimits, type PictureSize } from './media-limits.js';
import { ColophonError } from '../../../shared/errors.js';

const SIGNATURE_BYTES = 8;

/**
 * PNG (W3C, third edition) section 5: chunks of length, type, data, CRC, from IHDR to IEND. Manifests live in a
 * `caBX` chunk, so nothing honest stands behind IEND. Animated PNG is refused: the decoder sees its first frame only,
 * and what was not looked at is not signed.
 */
export async function checkPng(cursor: ByteCursor): Promise<PictureSize> {
  cursor.skip(SIGNATURE_BYTES);
  const size = await readHeader(cursor);
  assertWithinLimits(size);
  let blocks = 0;
  for (;;) {
    blocks = countBlock(blocks);
    const { type, length } = await readChunkHead(cursor);
    if (type === 'acTL') {
      throw new ColophonError(
        'unsupported_media',
        'Animated PNG is not accepted. Send a still picture, GIF or WebP.',
      );
    }
    cursor.skip(length + 4);
    if (type === 'IEND') break;
  }
  if (!(await cursor.onlyPaddingFollows())) throw trailingData();
  return size;
}

async function readHeader(cursor: ByteCursor): Promise<PictureSize> {
  const { type, length } = await readChunkHead(cursor);
  if (type !== 'IHDR' || length !== 13) throw damaged('The PNG does not begin with its header.');
  const data = view(await cursor.take(13));
  const size = { width: data.getUint32(0), height: data.getUint32(4), frames: 1 };
  cursor.skip(4);
  return size;
}

async function readChunkHead(cursor: ByteCursor): Promise<{ type: string; length: number }> {
  const head = await cursor.take(8);
  const length = view(head).getUint32(0);
  const type = String.fromCharCode(...head.subarray(4, 8));
  if (!/^[A-Za-z]{4}$/.test(type) || length > 0x7fffffff) throw damaged('A chunk of the PNG is damaged.');
  return { type, length };
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
