export const STILL_IMAGE_TYPES = [
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/avif',
  'image/tiff',
  'image/gif',
] as const;
export type StillImageType = (typeof STILL_IMAGE_TYPES)[number];

/** The still pictures that the image library decodes: those that steps, comparisons and reports work with. */
export function isStillImageType(mediaType: string): mediaType is StillImageType {
  return STILL_IMAGE_TYPES.some((type) => type === mediaType);
}

/** How many bytes from the beginning decide. The ftyp box of AVIF with its list of brands is the longest. */
export const SNIFF_BYTES = 512;

/**
 * The media type by magic number, or undefined. A name or a declared type has no say. Formats that a decoder would
 * also take (HEIC, JPEG 2000, PPM ...) are not in the list on purpose: they are a larger attack surface than they are
 * worth. What else is signed is only walked through, see media-structure.ts.
 */
export function sniffStillImage(head: Uint8Array): StillImageType | undefined {
  if (startsWith(head, [0xff, 0xd8, 0xff])) return 'image/jpeg';
  if (startsWith(head, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'image/png';
  if (ascii(head, 0, 6) === 'GIF87a' || ascii(head, 0, 6) === 'GIF89a') return 'image/gif';
  if (ascii(head, 0, 4) === 'RIFF' && ascii(head, 8, 12) === 'WEBP') return 'image/webp';
  if (startsWith(head, [0x49, 0x49, 0x2a, 0x00]) || startsWith(head, [0x4d, 0x4d, 0x00, 0x2a])) {
    return isCameraRaw(head) ? undefined : 'image/tiff';
  }
  return isAvif(head) ? 'image/avif' : undefined;
}

/** Canon's CR2 is TIFF with a mark of its own; what a TIFF reader shows of it is a preview, not the picture. */
function isCameraRaw(head: Uint8Array): boolean {
  return ascii(head, 8, 10) === 'CR';
}

/** ISO base media file whose brands (ISO/IEC 23000-22) say AVIF still picture; `avis` as major brand is a sequence. */
function isAvif(head: Uint8Array): boolean {
  if (ascii(head, 4, 8) !== 'ftyp') return false;
  const major = ascii(head, 8, 12);
  if (major === 'avif') return true;
  if (major !== 'mif1') return false;
  const end = Math.min(head.length, uint32(head, 0));
  for (let at = 16; at + 4 <= end; at += 4) {
    if (ascii(head, at, at + 4) === 'avif') return true;
  }
  return false;
}

/** A plain name for what was sent instead, so that the sender understands the refusal. */
export function describeUnsupported(head: Uint8Array): string {
  if (head.length === 0) return 'The file is empty.';
  const text = ascii(head, 0, 256)
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart()
    .toLowerCase();
  if (text.startsWith('%pdf-')) return 'PDF is not accepted: the signing library cannot sign it in any way.';
  if (text.startsWith('pk\u0003\u0004')) return 'This is a zip archive, not a media file.';
  if (/^(<!doctype html|<html|<script|<body|<head)/.test(text)) return 'This is HTML, not a media file.';
  if (text.startsWith('<')) return 'This is XML of a kind that is not signed here.';
  if (ascii(head, 4, 8) === 'ftyp')
    return 'This is an image sequence, or a film of a kind that is not signed here.';
  return 'The bytes are not of a kind of media that is signed here.';
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => head[i] === byte);
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}
