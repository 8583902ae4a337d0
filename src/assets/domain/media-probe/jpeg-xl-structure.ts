import { ColophonError } from '../../../shared/errors.js';
import { type ByteCursor, damaged, trailingData } from './byte-source.js';
import { BoxBudget, boxesBetween } from './iso-boxes.js';
import { assertWithinLimits } from './media-limits.js';
import { type MediaShape } from './media-probe.port.js';

const BARE_CODESTREAM = [0xff, 0x0a];
const TOP_LEVEL = new Set([
  'JXL ',
  'ftyp',
  'jxll',
  'jxlc',
  'jxlp',
  'jxli',
  'Exif',
  'xml ',
  'jumb',
  'brob',
  'jbrd',
]);
/** Far more than the headers that are read need. */
const HEADER_BYTES = 64;

/**
 * JPEG XL in its container (ISO/IEC 18181-2). The bare codestream is refused: it has no place for a manifest. Size and
 * orientation stand in the first bits of the codestream (ISO/IEC 18181-1 section D.2); pixels are not decoded.
 */
export async function checkJpegXl(cursor: ByteCursor, sizeBytes: number): Promise<MediaShape> {
  const first = await cursor.take(2);
  if (BARE_CODESTREAM.every((byte, i) => first[i] === byte)) {
    throw new ColophonError(
      'unsupported_media',
      'A bare JPEG XL codestream has no place for a manifest. Save it in its container (cjxl --container=1).',
    );
  }
  let size: { width: number; height: number } | undefined;
  const whole = { start: 0, end: sizeBytes, isFile: true };
  for await (const box of boxesBetween(cursor, whole, new BoxBudget())) {
    if (!TOP_LEVEL.has(box.type)) throw trailingData();
    if (size || (box.type !== 'jxlc' && box.type !== 'jxlp')) continue;
    // A part of a codestream begins with its number.
    const start = box.bodyStart + (box.type === 'jxlp' ? 4 : 0);
    if (box.end - start < 4) throw damaged('The codestream is too short.');
    cursor.position = start;
    size = readSize(await cursor.take(Math.min(HEADER_BYTES, box.end - start)));
  }
  if (!size) throw damaged('The JPEG XL has no picture in it.');
  return { kind: 'image', ...size };
}

/** Bits are taken from the lowest of each byte (ISO/IEC 18181-1 section B.2.1). */
class Bits {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i += 1, this.at += 1) {
      const byte = this.bytes[this.at >> 3];
      if (byte === undefined) throw damaged('The codestream is too short.');
      value += ((byte >> (this.at & 7)) & 1) * 2 ** i;
    }
    return value;
  }
}

const SIDE_BITS = [9, 13, 18, 30];
/** Width to height, by the number in the header; 0 means that the width is written out. */
const RATIOS = [
  [1, 1],
  [12, 10],
  [4, 3],
  [3, 2],
  [16, 9],
  [5, 4],
  [2, 1],
] as const;

function readSize(bytes: Uint8Array): { width: number; height: number } {
  if (!BARE_CODESTREAM.every((byte, i) => bytes[i] === byte)) throw damaged('The codestream is damaged.');
  const bits = new Bits(bytes.subarray(2));
  const { width, height } = sizeHeader(bits);
  assertWithinLimits({ width, height, frames: 1 });
  const orientation = orientationOf(bits);
  return orientation > 4 ? { width: height, height: width } : { width, height };
}

function sizeHeader(bits: Bits): { width: number; height: number } {
  const isSmall = bits.take(1) === 1;
  const side = (): number => (isSmall ? (bits.take(5) + 1) * 8 : bits.take(SIDE_BITS[bits.take(2)] ?? 0) + 1);
  const height = side();
  const ratio = RATIOS[bits.take(3) - 1];
  return { width: ratio ? Math.floor((height * ratio[0]) / ratio[1]) : side(), height };
}

/** ImageMetadata: what is not said is the default. What moves is refused: only its first frame would be looked at. */
function orientationOf(bits: Bits): number {
  const isDefault = bits.take(1) === 1;
  if (isDefault || bits.take(1) === 0) return 1;
  const orientation = bits.take(3) + 1;
  if (bits.take(1) === 1) sizeHeader(bits);
  const hasPreview = bits.take(1) === 1;
  if (hasPreview || bits.take(1) === 1) {
    throw new ColophonError(
      'unsupported_media',
      'Animated JPEG XL, and JPEG XL with a preview, are not accepted.',
    );
  }
  return orientation;
}
