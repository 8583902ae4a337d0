import { id3TagBytes } from '../domain/detect-media-type.js';
import { type ByteSource } from './byte-source.js';
import { MAX_PARTS, slice } from './manifest-store-slice.js';

const TAG_HEADER_BYTES = 10;
const FRAME_HEADER_BYTES = 10;
const UNSYNCHRONISED = 0x80;
const EXTENDED_HEADER = 0x40;
/** `application/x-c2pa-manifest-store` is what older writers called it. */
const STORE_TYPES = ['application/c2pa', 'application/x-c2pa-manifest-store'];
/** Encoding, type, file name and description of the object: text of a few words. */
const MAX_OBJECT_HEADER_BYTES = 1024;

interface Tag {
  readonly end: number;
  /** 4 is the version in which lengths of frames are written with seven bits a byte, too. */
  readonly version: number;
}

/**
 * MP3 and FLAC: an ID3v2 tag in front of the audio, in it a frame `GEOB` (general encapsulated object) of the type
 * `application/c2pa` (C2PA 2.4 annex A). A tag that is unsynchronised or has an extended header is none that the
 * library writes; no store is found in it, and the validating reader has the last word.
 */
export async function storeInId3(file: ByteSource): Promise<Buffer | undefined> {
  const tag = await tagOf(file);
  if (tag === undefined) return undefined;
  let offset = TAG_HEADER_BYTES;
  for (let part = 0; part < MAX_PARTS && offset + FRAME_HEADER_BYTES <= tag.end; part += 1) {
    const head = await file.read(offset, FRAME_HEADER_BYTES);
    const id = head.toString('latin1', 0, 4);
    if (head.length < FRAME_HEADER_BYTES || !/^[A-Z0-9]{4}$/.test(id)) return undefined;
    const length = tag.version === 4 ? sevenBitLength(head.subarray(4, 8)) : head.readUInt32BE(4);
    if (id === 'GEOB') {
      const store = await storeInObject(file, offset + FRAME_HEADER_BYTES, length);
      if (store !== undefined) return store;
    }
    offset += FRAME_HEADER_BYTES + length;
  }
  return undefined;
}

async function tagOf(file: ByteSource): Promise<Tag | undefined> {
  const head = await file.read(0, TAG_HEADER_BYTES);
  const [version = 0, , flags = 0] = head.subarray(3);
  if (head.toString('latin1', 0, 3) !== 'ID3' || (version !== 3 && version !== 4)) return undefined;
  if ((flags & (UNSYNCHRONISED | EXTENDED_HEADER)) !== 0) return undefined;
  return { end: Math.min(id3TagBytes(head), file.sizeBytes), version };
}

function sevenBitLength([a = 0, b = 0, c = 0, d = 0]: Uint8Array): number {
  return ((a & 0x7f) << 21) | ((b & 0x7f) << 14) | ((c & 0x7f) << 7) | (d & 0x7f);
}

/** ID3v2.4 section 4.15: encoding (1), type in Latin-1, file name and description in that encoding, the object. */
async function storeInObject(file: ByteSource, at: number, length: number): Promise<Buffer | undefined> {
  const head = await file.read(at, Math.min(length, MAX_OBJECT_HEADER_BYTES));
  const encoding = head[0] ?? 0;
  const typeEnd = head.indexOf(0, 1);
  if (typeEnd < 0 || !STORE_TYPES.includes(head.toString('latin1', 1, typeEnd))) return undefined;
  const isWide = encoding === 1 || encoding === 2;
  const nameEnd = textEnd(head, typeEnd + 1, isWide);
  const descriptionEnd = nameEnd === undefined ? undefined : textEnd(head, nameEnd, isWide);
  if (descriptionEnd === undefined) return undefined;
  return slice(file, at + descriptionEnd, length - descriptionEnd);
}

/** Behind the terminating zero, which is a whole unit of the encoding. */
function textEnd(bytes: Buffer, from: number, isWide: boolean): number | undefined {
  const step = isWide ? 2 : 1;
  for (let at = from; at + step <= bytes.length; at += step) {
    if (bytes[at] === 0 && (!isWide || bytes[at + 1] === 0)) return at + step;
  }
  return undefined;
}
