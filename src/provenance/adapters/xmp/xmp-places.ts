import { crc32, inflateSync } from 'node:zlib';
import { type ByteSource } from '../byte-source.js';
import { type Edit } from '../edited-content.js';

/** Where the XMP packet of a file is or would be. */
export interface XmpPlace {
  /** `undefined` when the file has none. */
  readonly packet: Buffer | undefined;
  /** @returns `undefined` when a packet of this size does not fit into this container */
  readonly write: (packet: Buffer) => Edit[] | undefined;
}

/** Types of which we know how a packet is put into the container without touching the picture. */
export const XMP_MEDIA_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;
export type XmpMediaType = (typeof XMP_MEDIA_TYPES)[number];

const MAX_PACKET_BYTES = 4 * 1024 * 1024;
const MAX_PARTS = 262_144;

/**
 * XMP specification part 3, the places for each container. `undefined`: the file has several packets, or one that is
 * continued elsewhere, or is not built as expected; then nothing is written into it.
 */
export async function findXmpPlace(file: ByteSource, mediaType: XmpMediaType): Promise<XmpPlace | undefined> {
  return PLACES[mediaType](file);
}

const PLACES: Readonly<Record<XmpMediaType, (file: ByteSource) => Promise<XmpPlace | undefined>>> = {
  'image/jpeg': inJpeg,
  'image/png': inPng,
  'image/webp': inWebp,
};

async function copyOf(file: ByteSource, offset: number, length: number): Promise<Buffer> {
  return Buffer.from(await file.read(offset, length));
}

const JPEG_NAME = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1');
const JPEG_EXTENDED_NAME = 'http://ns.adobe.com/xmp/extension/\0';
const JPEG_START_OF_SCAN = 0xda;
const APP0 = 0xe0;
const APP1 = 0xe1;
/** The length of a segment counts its own two bytes. */
const JPEG_MAX_PACKET_BYTES = 65_535 - 2 - JPEG_NAME.length;

/** JPEG: one APP1 segment, behind JFIF and Exif, which want to be first. */
async function inJpeg(file: ByteSource): Promise<XmpPlace | undefined> {
  let place: { offset: number; length: number } | undefined;
  let insertAt = 2;
  let offset = 2;
  for (let part = 0; part < MAX_PARTS; part += 1) {
    const head = await copyOf(file, offset, 4 + JPEG_EXTENDED_NAME.length);
    if (head.length < 4 || head[0] !== 0xff) return undefined;
    const code = head[1] ?? 0;
    if (code === JPEG_START_OF_SCAN) break;
    const length = 2 + head.readUInt16BE(2);
    const name = head.toString('latin1', 4);
    if (code === APP1 && name.startsWith(JPEG_EXTENDED_NAME)) return undefined;
    if (code === APP1 && name.startsWith(JPEG_NAME.toString('latin1'))) {
      if (place) return undefined;
      place = { offset, length };
    }
    if (code === APP0 || (code === APP1 && name.startsWith('Exif\0'))) insertAt = offset + length;
    offset += length;
  }
  const nameEnd = 4 + JPEG_NAME.length;
  return {
    packet: place && (await copyOf(file, place.offset + nameEnd, place.length - nameEnd)),
    write: (packet) => {
      if (packet.length > JPEG_MAX_PACKET_BYTES) return undefined;
      const head = Buffer.from([0xff, APP1, 0, 0]);
      head.writeUInt16BE(2 + JPEG_NAME.length + packet.length, 2);
      const insert = Buffer.concat([head, JPEG_NAME, packet]);
      return [{ offset: place?.offset ?? insertAt, remove: place?.length ?? 0, insert }];
    },
  };
}

const PNG_KEYWORD = 'XML:com.adobe.xmp\0';
/** Type and signature of the file, and the header chunk, which has to be first. */
const PNG_FIRST_CHUNK_END = 8 + 25;

/** PNG: one `iTXt` chunk, uncompressed, behind the header. A packet in a compressed chunk moves into a plain one. */
async function inPng(file: ByteSource): Promise<XmpPlace | undefined> {
  let place: { offset: number; length: number; packet: Buffer } | undefined;
  let offset = 8;
  for (let part = 0; part < MAX_PARTS; part += 1) {
    const head = await copyOf(file, offset, 8 + PNG_KEYWORD.length);
    if (head.length < 8) return undefined;
    const length = head.readUInt32BE(0);
    const type = head.toString('latin1', 4, 8);
    if (type === 'IEND') break;
    if (/^[iz]TXt$|^tEXt$/.test(type) && head.toString('latin1', 8) === PNG_KEYWORD) {
      const packet =
        length > MAX_PACKET_BYTES ? undefined : pngPacket(type, await copyOf(file, offset + 8, length));
      if (packet === undefined || place) return undefined;
      place = { offset, length: 12 + length, packet };
    }
    offset += 12 + length;
  }
  return {
    packet: place?.packet,
    write: (packet) => {
      const body = Buffer.concat([Buffer.from(`iTXt${PNG_KEYWORD}\0\0\0\0`, 'latin1'), packet]);
      const chunk = Buffer.alloc(body.length + 8);
      chunk.writeUInt32BE(body.length - 4, 0);
      body.copy(chunk, 4);
      chunk.writeUInt32BE(crc32(body), body.length + 4);
      return [{ offset: place?.offset ?? PNG_FIRST_CHUNK_END, remove: place?.length ?? 0, insert: chunk }];
    },
  };
}

/** The text behind the keyword (PNG 3rd edition section 11.3.3). */
function pngPacket(type: string, data: Buffer): Buffer | undefined {
  const keywordEnd = PNG_KEYWORD.length;
  if (type === 'tEXt') return data.subarray(keywordEnd);
  if (type === 'zTXt') return inflated(data.subarray(keywordEnd + 1));
  const languageEnd = data.indexOf(0, keywordEnd + 2);
  const textAt = languageEnd < 0 ? -1 : data.indexOf(0, languageEnd + 1);
  if (textAt < 0) return undefined;
  const text = data.subarray(textAt + 1);
  return data[keywordEnd] === 1 ? inflated(text) : text;
}

function inflated(bytes: Buffer): Buffer | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: MAX_PACKET_BYTES });
  } catch {
    return undefined;
  }
}

const WEBP_HAS_XMP = 0x04;
const WEBP_HAS_ALPHA = 0x10;

interface WebpChunk {
  readonly type: string;
  readonly offset: number;
  /** With header and padding. */
  readonly length: number;
}

/** WebP (RFC 9649 section 2.7): chunk "XMP " at the end, announced by a flag in the extended header. */
async function inWebp(file: ByteSource): Promise<XmpPlace | undefined> {
  const riff = await copyOf(file, 0, 12);
  const chunks = await webpChunks(file);
  const packets = chunks?.filter(({ type }) => type === 'XMP ') ?? [];
  const header = chunks?.[0] && (await webpHeader(file, chunks[0]));
  const last = chunks?.at(-1);
  if (chunks === undefined || header === undefined || last === undefined || packets.length > 1)
    return undefined;
  const [place] = packets;
  const packetBytes = place ? (await copyOf(file, place.offset + 4, 4)).readUInt32LE(0) : 0;
  return {
    packet: place && (await copyOf(file, place.offset + 8, packetBytes)),
    write: (packet) => {
      const head = Buffer.from('XMP \0\0\0\0', 'latin1');
      head.writeUInt32LE(packet.length, 4);
      const chunk = Buffer.concat([head, packet, Buffer.alloc(packet.length % 2)]);
      const grown = chunk.length - (place?.length ?? 0) + header.insert.length - header.remove;
      const size = Buffer.alloc(4);
      size.writeUInt32LE(riff.readUInt32LE(4) + grown);
      return [
        { offset: 4, remove: 4, insert: size },
        header,
        { offset: place?.offset ?? last.offset + last.length, remove: place?.length ?? 0, insert: chunk },
      ];
    },
  };
}

async function webpChunks(file: ByteSource): Promise<WebpChunk[] | undefined> {
  const chunks: WebpChunk[] = [];
  let offset = 12;
  while (offset + 8 <= file.sizeBytes && chunks.length < MAX_PARTS) {
    const head = await copyOf(file, offset, 8);
    const bytes = head.readUInt32LE(4);
    const length = 8 + bytes + (bytes % 2);
    chunks.push({ type: head.toString('latin1', 0, 4), offset, length });
    offset += length;
  }
  return offset === file.sizeBytes ? chunks : undefined;
}

/** The extended header with the flag set, or a new one for a file in the simple form. */
async function webpHeader(file: ByteSource, first: WebpChunk): Promise<Edit | undefined> {
  const start = await copyOf(file, first.offset + 8, 10);
  if (first.type === 'VP8X') {
    const flags = Buffer.from([(start[0] ?? 0) | WEBP_HAS_XMP]);
    return { offset: first.offset + 8, remove: 1, insert: flags };
  }
  const size =
    first.type === 'VP8L' ? losslessSize(start) : first.type === 'VP8 ' ? lossySize(start) : undefined;
  if (size === undefined) return undefined;
  const header = Buffer.alloc(18);
  header.write('VP8X', 0, 'latin1');
  header.writeUInt32LE(10, 4);
  header[8] = WEBP_HAS_XMP | (size.hasAlpha ? WEBP_HAS_ALPHA : 0);
  header.writeUIntLE(size.width - 1, 12, 3);
  header.writeUIntLE(size.height - 1, 15, 3);
  return { offset: first.offset, remove: 0, insert: header };
}

/** VP8 frame header (RFC 6386 section 9.1): tag (3), start code (3), 14 bits of width and of height. */
function lossySize(start: Buffer): { width: number; height: number; hasAlpha: boolean } | undefined {
  if (start.length < 10 || start.readUIntBE(3, 3) !== 0x9d012a) return undefined;
  return { width: start.readUInt16LE(6) & 0x3fff, height: start.readUInt16LE(8) & 0x3fff, hasAlpha: false };
}

/** VP8L (RFC 9649 section 3.4): signature, then 14 bits of width - 1, 14 of height - 1, one for alpha. */
function losslessSize(start: Buffer): { width: number; height: number; hasAlpha: boolean } | undefined {
  if (start.length < 5 || start[0] !== 0x2f) return undefined;
  const bits = start.readUInt32LE(1);
  return {
    width: (bits & 0x3fff) + 1,
    height: ((bits >>> 14) & 0x3fff) + 1,
    hasAlpha: ((bits >>> 28) & 1) === 1,
  };
}
