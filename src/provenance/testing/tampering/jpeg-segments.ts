/** Bytes before the boxes in an APP11 segment (JPEG XT, ISO/IEC 19566-5): marker, length, identifier, number, sequence. */
const SEGMENT_HEADER_BYTES = 12;
/** Every segment after the first repeats length and type of the box. */
const BOX_HEADER_BYTES = 8;
const APP11 = 0xeb;
const START_OF_SCAN = 0xda;
const MAX_PIECE_BYTES = 65_000;

/** A segment of a JPEG that holds boxes. */
export interface Segment {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly instanceNumber: Buffer;
  readonly boxes: Buffer;
}

/** For tests: the APP11 segments of a JPEG in their order. */
export function segmentsOf(file: Buffer): Segment[] {
  const segments: Segment[] = [];
  for (let offset = 2; file[offset + 1] !== START_OF_SCAN;) {
    const sizeBytes = 2 + file.readUInt16BE(offset + 2);
    if (file[offset + 1] === APP11) {
      const skipped = SEGMENT_HEADER_BYTES + (segments.length === 0 ? 0 : BOX_HEADER_BYTES);
      segments.push({
        offset,
        sizeBytes,
        instanceNumber: file.subarray(offset + 6, offset + 8),
        boxes: file.subarray(offset + skipped, offset + sizeBytes),
      });
    }
    offset += sizeBytes;
  }
  return segments;
}

/** For tests: a manifest store as segments of a JPEG. */
export function inSegments(store: Buffer, instanceNumber: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let from = 0, number = 1; from < store.length; from += MAX_PIECE_BYTES, number += 1) {
    const repeated = number === 1 ? Buffer.alloc(0) : store.subarray(0, 8);
    const piece = Buffer.concat([repeated, store.subarray(from, from + MAX_PIECE_BYTES)]);
    const head = Buffer.from([0xff, 0xeb, 0, 0, 0x4a, 0x50, ...instanceNumber, 0, 0, 0, number]);
    head.writeUInt16BE(10 + piece.length, 2);
    parts.push(head, piece);
  }
  return Buffer.concat(parts);
}
