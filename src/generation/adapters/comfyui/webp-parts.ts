import { type CleanedParts, requireUpright, unreadable } from './cleaned-parts.js';

const HEAD_BYTES = 12;
const CHUNK_HEAD_BYTES = 8;
const KEPT = new Set(['VP8X', 'VP8 ', 'VP8L', 'ALPH', 'ANIM', 'ANMF', 'ICCP', 'C2PA']);
/** Bits of VP8X that announce the chunks EXIF and XMP (RFC 9649 section 2.7). */
const METADATA_BITS = 0x08 | 0x04;
const EXIF = 'Exif\0\0';

/** Chunks of a WebP (RFC 9649), whole or not at all; the head says how long it is, and what there is. */
export function webpParts(bytes: Buffer): CleanedParts {
  const size = bytes.readUInt32LE(4) + 8;
  if (size > bytes.length) throw unreadable();
  const kept: Buffer[] = [];
  const removed = new Set<string>();
  let hasManifest = false;
  let at = HEAD_BYTES;
  while (at + CHUNK_HEAD_BYTES <= size) {
    const type = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    if (at + CHUNK_HEAD_BYTES + length > size) throw unreadable();
    // A chunk of odd length is followed by one byte of padding, which careless writers leave out at the end.
    const end = Math.min(at + CHUNK_HEAD_BYTES + length + (length % 2), size);
    hasManifest ||= type === 'C2PA';
    if (KEPT.has(type)) kept.push(bytes.subarray(at, end));
    else removed.add(leftOut(type, bytes.subarray(at + CHUNK_HEAD_BYTES, end)));
    at = end;
  }
  const rest = bytes.subarray(size);
  const isPadding = rest.length > 0 && rest.every((byte) => byte === 0);
  if (isPadding) removed.add('padding');
  return {
    kept: [headFor(bytes, kept), ...kept.map(withoutAnnouncement), ...(isPadding ? [] : [rest])],
    removed: [...removed],
    hasManifest,
  };
}

function leftOut(type: string, data: Buffer): string {
  if (type === 'XMP ') return 'XMP';
  if (type !== 'EXIF') return 'other';
  requireUpright(data.toString('latin1', 0, EXIF.length) === EXIF ? data.subarray(EXIF.length) : data);
  return 'EXIF';
}

function headFor(bytes: Buffer, kept: readonly Buffer[]): Buffer {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES));
  head.writeUInt32LE(
    kept.reduce((sum, { length }) => sum + length, 4),
    4,
  );
  return head;
}

function withoutAnnouncement(chunk: Buffer): Buffer {
  if (chunk.toString('latin1', 0, 4) !== 'VP8X' || chunk.length <= CHUNK_HEAD_BYTES) return chunk;
  const changed = Buffer.from(chunk);
  changed[CHUNK_HEAD_BYTES] = (changed[CHUNK_HEAD_BYTES] ?? 0) & ~METADATA_BITS;
  return changed;
}
