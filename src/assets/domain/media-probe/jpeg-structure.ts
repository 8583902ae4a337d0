import { isColophonError } from '../../../shared/errors.js';
import { type ByteCursor, countBlock, damaged, trailingData } from './byte-source.js';
import { assertWithinLimits, type PictureSize } from './media-limits.js';

/** Secondary pictures behind the first one: previews, depth and gain maps (CIPA DC-007 Multi-Picture Format). */
const MAX_SECONDARY_PICTURES = 16;

const START_OF_IMAGE = 0xd8;
const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;

/**
 * JPEG (ITU-T T.81 annex B): marker segments from SOI to EOI. Behind EOI only further complete JPEG pictures are
 * accepted, as phones write them, with zeros between them; manifests live in APP11 segments before the first scan.
 * Anything else behind EOI (a zip archive, a page of HTML, a motion photo's video) is refused.
 */
export async function checkJpeg(cursor: ByteCursor): Promise<PictureSize> {
  const size = await walkPicture(cursor);
  for (let secondary = 0; secondary < MAX_SECONDARY_PICTURES && (await atNextPicture(cursor)); secondary++)
    await walkPicture(cursor);
  if (!(await cursor.onlyPaddingFollows())) throw trailingData();
  return size;
}

/**
 * Behind the last of the pictures that are whole.
 * @throws ColophonError `media_corrupt` where the first one is not
 */
export async function endOfJpegPictures(cursor: ByteCursor): Promise<number> {
  await walkPicture(cursor);
  let end = cursor.position;
  try {
    for (
      let secondary = 0;
      secondary < MAX_SECONDARY_PICTURES && (await atNextPicture(cursor));
      secondary++
    ) {
      await walkPicture(cursor);
      end = cursor.position;
    }
  } catch (error) {
    if (!isColophonError(error)) throw error;
  }
  return end;
}

/** Moves to the beginning of a further picture; where there is none, nowhere. */
async function atNextPicture(cursor: ByteCursor): Promise<boolean> {
  const start = cursor.position;
  await cursor.skipZeros();
  const at = cursor.position;
  const [a, b, c] = cursor.remaining >= 3 ? await cursor.take(3) : [];
  const isPicture = a === 0xff && b === START_OF_IMAGE && c === 0xff;
  cursor.position = isPicture ? at : start;
  return isPicture;
}

/** From SOI to behind EOI. */
async function walkPicture(cursor: ByteCursor): Promise<PictureSize> {
  cursor.skip(2);
  let size: PictureSize | undefined;
  let marker = await nextMarker(cursor);
  for (let blocks = 0; marker !== END_OF_IMAGE; blocks = countBlock(blocks)) {
    if (isStandalone(marker)) {
      marker = await nextMarker(cursor);
      continue;
    }
    const length = await takeUint16(cursor);
    if (length < 2) throw damaged('A segment of the JPEG is damaged.');
    if (isStartOfFrame(marker)) size = await readFrame(cursor, length);
    else cursor.skip(length - 2);
    marker = marker === START_OF_SCAN ? await markerAfterScan(cursor) : await nextMarker(cursor);
  }
  if (!size) throw damaged('The JPEG has no picture in it.');
  return size;
}

/** Markers between segments; fill bytes 0xff may precede them (B.1.1.2). */
async function nextMarker(cursor: ByteCursor): Promise<number> {
  if ((await cursor.takeByte()) !== 0xff) throw damaged('A segment of the JPEG is damaged.');
  let code = 0xff;
  while (code === 0xff) code = await cursor.takeByte();
  if (code === 0) throw damaged('A segment of the JPEG is damaged.');
  return code;
}

/** Skips entropy-coded data, in which 0xff00 is a data byte and 0xffd0 to 0xffd7 are restart markers. */
async function markerAfterScan(cursor: ByteCursor): Promise<number> {
  for (;;) {
    await cursor.skipPast(0xff);
    let code = 0xff;
    while (code === 0xff) code = await cursor.takeByte();
    if (code !== 0 && !isRestart(code)) return code;
  }
}

/** SOF segment: precision, height, width (B.2.2). */
async function readFrame(cursor: ByteCursor, length: number): Promise<PictureSize> {
  if (length < 8) throw damaged('The header of the JPEG is damaged.');
  const [, h1 = 0, h0 = 0, w1 = 0, w0 = 0] = await cursor.take(5);
  cursor.skip(length - 7);
  const size = { width: w1 * 256 + w0, height: h1 * 256 + h0, frames: 1 };
  assertWithinLimits(size);
  return size;
}

async function takeUint16(cursor: ByteCursor): Promise<number> {
  const [high = 0, low = 0] = await cursor.take(2);
  return high * 256 + low;
}

function isRestart(code: number): boolean {
  return code >= 0xd0 && code <= 0xd7;
}

function isStandalone(code: number): boolean {
  return code === 0x01 || isRestart(code);
}

/** SOF0 to SOF15 without DHT (c4), JPG (c8) and DAC (cc). */
function isStartOfFrame(code: number): boolean {
  return code >= 0xc0 && code <= 0xcf && code !== 0xc4 && code !== 0xc8 && code !== 0xcc;
}
