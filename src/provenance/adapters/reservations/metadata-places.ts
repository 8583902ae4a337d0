import { inflateSync } from 'node:zlib';
import { type SignableMediaType } from '../../domain/media-types.js';
import { imageResources } from './image-resources.js';

/** The packets of a file that can hold rights, as the container carries them. */
export interface MetadataPlaces {
  readonly xmp: Buffer[];
  /** IPTC-IIM records. */
  readonly iim: Buffer[];
  /** TIFF structures. */
  readonly exif: Buffer[];
  /** Something is there that could not be taken out whole. */
  xmpUnread: boolean;
  iimUnread: boolean;
  exifUnread: boolean;
}

export function noPlaces(): MetadataPlaces {
  return { xmp: [], iim: [], exif: [], xmpUnread: false, iimUnread: false, exifUnread: false };
}

/** The containers in which packets are found by their structure; pictures of at most some 100 MB. */
export type FindableMediaType = 'image/png' | 'image/jpeg' | 'image/webp' | 'image/tiff' | 'image/gif';

export function isFindable(mediaType: SignableMediaType): mediaType is FindableMediaType {
  return mediaType in FINDERS;
}

/** Packets of real files have some 10 kB; those of long edited ones a few megabytes. */
export const MAX_PACKET_BYTES = 4 * 1024 * 1024;
/** More packets than this are made to keep a parser busy. */
const MAX_PACKETS = 32;
const MAX_PARTS = 262_144;

/**
 * Finds XMP (ISO 16684-1, XMP part 3 for each container) and IPTC-IIM in a file that upload has found whole. Every
 * packet is taken, also a second one where the standard allows one: a reader of the picture may see either.
 */
export function findMetadata(file: Buffer, mediaType: FindableMediaType): MetadataPlaces {
  const places = noPlaces();
  FINDERS[mediaType](file, places);
  return places;
}

/**
 * How an item of ISO base media files says that it is a packet (ISO/IEC 14496-12 section 8.11.6: `content_type` of an item,
 * ended by a zero). The item itself may be compressed (`content_encoding`), so that no packet is seen in the bytes.
 */
export const XMP_ITEM = Buffer.from('application/rdf+xml\0', 'latin1');

export function addXmp(places: MetadataPlaces, packet: Buffer): void {
  if (packet.length > MAX_PACKET_BYTES || places.xmp.length >= MAX_PACKETS) places.xmpUnread = true;
  else places.xmp.push(packet);
}

function addIim(places: MetadataPlaces, records: Buffer): void {
  if (records.length > MAX_PACKET_BYTES || places.iim.length >= MAX_PACKETS) places.iimUnread = true;
  else places.iim.push(records);
}

export function addExif(places: MetadataPlaces, exif: Buffer): void {
  // Some writers keep the name of the JPEG segment before it.
  const bytes = exif.subarray(0, EXIF_NAME.length).equals(EXIF_NAME) ? exif.subarray(EXIF_NAME.length) : exif;
  if (bytes.length > MAX_PACKET_BYTES || places.exif.length >= MAX_PACKETS) places.exifUnread = true;
  else places.exif.push(bytes);
}

const EXIF_NAME = Buffer.from('Exif\0\0', 'latin1');

const FINDERS: Readonly<Record<FindableMediaType, (file: Buffer, places: MetadataPlaces) => void>> = {
  'image/png': inPng,
  'image/jpeg': inJpeg,
  'image/webp': inWebp,
  'image/tiff': inTiff,
  'image/gif': inGif,
};

const PNG_XMP_KEYWORD = 'XML:com.adobe.xmp';
/** How ImageMagick once kept XMP and IPTC in text chunks, as hexadecimal digits. */
const PNG_RAW_PROFILE = /^Raw profile type (xmp|iptc|8bim|exif|APP1)$/i;

/** PNG: text chunks with the keyword of XMP. */
function inPng(file: Buffer, places: MetadataPlaces): void {
  const packets: [type: string, data: Buffer][] = [];
  let offset = 8;
  for (let part = 0; offset + 12 <= file.length && part < MAX_PARTS; part += 1) {
    const length = file.readUInt32BE(offset);
    const type = file.toString('latin1', offset + 4, offset + 8);
    const data = file.subarray(offset + 8, offset + 8 + length);
    if (/^[iz]TXt$|^tEXt$/.test(type) && isPngPacket(data, places)) packets.push([type, data]);
    if (type === 'eXIf') addExif(places, data);
    offset += 12 + length;
  }
  if (offset + 12 <= file.length) places.xmpUnread = places.iimUnread = places.exifUnread = true;
  // More are not even inflated: thousands of small chunks could unfold to gigabytes.
  if (packets.length > MAX_PACKETS) places.xmpUnread = true;
  for (const [type, data] of packets.slice(0, MAX_PACKETS)) {
    const packet = pngText(type, data, data.indexOf(0));
    if (packet === undefined) places.xmpUnread = true;
    else addXmp(places, packet);
  }
}

function isPngPacket(data: Buffer, places: MetadataPlaces): boolean {
  const keyword = data.toString('latin1', 0, Math.max(0, data.indexOf(0)));
  const raw = PNG_RAW_PROFILE.exec(keyword)?.[1]?.toLowerCase();
  if (raw === 'exif' || raw === 'app1') places.exifUnread = true;
  if (raw === 'xmp' || raw === 'app1') places.xmpUnread = true;
  else if (raw !== undefined && raw !== 'exif') places.iimUnread = true;
  return keyword === PNG_XMP_KEYWORD;
}

/**
 * The text behind the keyword (PNG 3rd edition section 11.3.3): `tEXt` plain; `zTXt` compression method, compressed;
 * `iTXt` compression flag and method, language, translated keyword, text. The standard of XMP names `iTXt` only, but
 * libvips writes `zTXt`.
 */
function pngText(type: string, data: Buffer, keywordEnd: number): Buffer | undefined {
  if (type === 'tEXt') return data.subarray(keywordEnd + 1);
  if (type === 'zTXt') return inflated(data.subarray(keywordEnd + 2), true);
  const languageEnd = data.indexOf(0, keywordEnd + 3);
  const textAt = languageEnd < 0 ? -1 : data.indexOf(0, languageEnd + 1);
  return textAt < 0 ? undefined : inflated(data.subarray(textAt + 1), data[keywordEnd + 1] === 1);
}

function inflated(bytes: Buffer, isCompressed: boolean): Buffer | undefined {
  if (!isCompressed) return bytes;
  try {
    return inflateSync(bytes, { maxOutputLength: MAX_PACKET_BYTES });
  } catch {
    return undefined;
  }
}

const JPEG_XMP = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1');
const JPEG_EXTENDED_XMP = Buffer.from('http://ns.adobe.com/xmp/extension/\0', 'latin1');
const JPEG_PHOTOSHOP = Buffer.from('Photoshop 3.0\0', 'latin1');
const EXTENDED_HEADER_BYTES = 40;
const APP1 = 0xe1;
const APP13 = 0xed;

/**
 * JPEG: segments that begin with a name. They are looked for in the whole file, previews and secondary pictures
 * included: in the pixel data 0xff is never followed by a segment's code (ITU-T T.81 B.1.1.5).
 */
function inJpeg(file: Buffer, places: MetadataPlaces): void {
  for (const segment of jpegSegments(file, APP1, JPEG_XMP, places)) addXmp(places, segment);
  for (const segment of jpegSegments(file, APP1, EXIF_NAME, places)) addExif(places, segment);
  joinExtended([...jpegSegments(file, APP1, JPEG_EXTENDED_XMP, places)], places);
  // A resource may be continued in the next segment.
  const resources = Buffer.concat([...jpegSegments(file, APP13, JPEG_PHOTOSHOP, places)]);
  addResources(resources, places);
}

/** What follows the name in each segment. */
function* jpegSegments(file: Buffer, code: number, name: Buffer, places: MetadataPlaces): Generator<Buffer> {
  let found = 0;
  for (let at = file.indexOf(name); at >= 0; at = file.indexOf(name, at + name.length)) {
    if (at < 4 || file[at - 4] !== 0xff || file[at - 3] !== code) continue;
    found += 1;
    const end = at - 2 + file.readUInt16BE(at - 2);
    if (end > file.length || end < at + name.length || found > 4096) {
      places.xmpUnread = places.iimUnread = places.exifUnread = true;
      return;
    }
    yield file.subarray(at + name.length, end);
  }
}

/** XMP part 3 section 1.1.3.1: digest of the whole (32), its length (4), place of this part (4), part. */
function joinExtended(segments: readonly Buffer[], places: MetadataPlaces): void {
  if (segments.some((segment) => segment.length < EXTENDED_HEADER_BYTES)) places.xmpUnread = true;
  const byDigest = new Map<string, Buffer[]>();
  for (const segment of segments.filter(({ length }) => length >= EXTENDED_HEADER_BYTES)) {
    const digest = segment.toString('latin1', 0, 32);
    byDigest.set(digest, [...(byDigest.get(digest) ?? []), segment]);
  }
  for (const parts of byDigest.values()) {
    const total = parts[0]?.readUInt32BE(32) ?? 0;
    const sorted = parts.toSorted((a, b) => a.readUInt32BE(36) - b.readUInt32BE(36));
    let reached = 0;
    for (const part of sorted) {
      if (part.readUInt32BE(32) !== total || part.readUInt32BE(36) !== reached) break;
      reached += part.length - EXTENDED_HEADER_BYTES;
    }
    const isWhole = reached === total && total > 0;
    if (isWhole) addXmp(places, Buffer.concat(sorted.map((part) => part.subarray(EXTENDED_HEADER_BYTES))));
    else places.xmpUnread = true;
  }
}

function addResources(bytes: Buffer, places: MetadataPlaces): void {
  const { iim, xmp, isWhole } = imageResources(bytes);
  for (const records of iim) addIim(places, records);
  for (const packet of xmp) addXmp(places, packet);
  if (isWhole) return;
  places.iimUnread = true;
}

/** WebP (RFC 9649 section 2.7.1.5): chunk "XMP ". */
function inWebp(file: Buffer, places: MetadataPlaces): void {
  let offset = 12;
  for (let part = 0; offset + 8 <= file.length && part < MAX_PARTS; part += 1) {
    const length = file.readUInt32LE(offset + 4);
    if (file.toString('latin1', offset, offset + 4) === 'XMP ')
      addXmp(places, file.subarray(offset + 8, offset + 8 + length));
    if (file.toString('latin1', offset, offset + 4) === 'EXIF')
      addExif(places, file.subarray(offset + 8, offset + 8 + length));
    offset += 8 + length + (length % 2);
  }
  if (offset + 8 <= file.length) places.xmpUnread = places.exifUnread = true;
}

const GIF_XMP = Buffer.from('\x21\xff\x0bXMP DataXMP', 'latin1');
/** XMP part 3 section 1.1.2: the packet stands as it is, and these bytes make a reader of sub-blocks find the end. */
const GIF_XMP_END = Buffer.from([0x01, 0xff, 0xfe, 0xfd, 0xfc, 0xfb]);

function inGif(file: Buffer, places: MetadataPlaces): void {
  let at = file.indexOf(GIF_XMP);
  // On from the end of each, so that a file of beginnings alone is not searched again for each of them.
  while (at >= 0) {
    const start = at + GIF_XMP.length;
    const end = file.indexOf(GIF_XMP_END, start);
    if (end < 0) {
      places.xmpUnread = true;
      return;
    }
    addXmp(places, file.subarray(start, end));
    at = file.indexOf(GIF_XMP, end);
  }
}

/** A file can be larger than a packet; its fields are read where they are. */
function addTiffExif(file: Buffer, places: MetadataPlaces): void {
  if (places.exif.length >= MAX_PACKETS) places.exifUnread = true;
  else places.exif.push(file);
}

const TIFF_XMP = 700;
const TIFF_IIM = 33_723;
const TIFF_RESOURCES = 34_377;
const TIFF_ENTRY_BYTES = 12;
/** Bytes of one value by type (TIFF 6.0 section 2). */
const TIFF_VALUE_BYTES = [undefined, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];

/** TIFF: entries of the one directory that upload allows. */
function inTiff(file: Buffer, places: MetadataPlaces): void {
  const little = file[0] === 0x49;
  const u16 = (at: number): number => (little ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const u32 = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const directory = u32(4);
  // The fields of EXIF stand in the directory of the picture itself.
  addTiffExif(file, places);
  for (let i = 0; i < u16(directory); i += 1) {
    const entry = directory + 2 + i * TIFF_ENTRY_BYTES;
    const tag = u16(entry);
    if (tag !== TIFF_XMP && tag !== TIFF_IIM && tag !== TIFF_RESOURCES) continue;
    const bytes = (TIFF_VALUE_BYTES[u16(entry + 2)] ?? Number.POSITIVE_INFINITY) * u32(entry + 4);
    const at = bytes <= 4 ? entry + 8 : u32(entry + 8);
    if (!(at + bytes <= file.length)) {
      places.xmpUnread = true;
      places.iimUnread = true;
      continue;
    }
    const value = file.subarray(at, at + bytes);
    if (tag === TIFF_XMP) addXmp(places, value);
    else if (tag === TIFF_IIM) addIim(places, value);
    else addResources(value, places);
  }
}
