import { type ByteSource } from './byte-source.js';
import { type Id3Frame, id3Frames } from './id3-frames.js';
import { placed, type PlacedStore } from './manifest-store-slice.js';

/** `application/x-c2pa-manifest-store` is what older writers called it. */
export const STORE_TYPES = ['application/c2pa', 'application/x-c2pa-manifest-store'];
/** Encoding, type, file name and description of the object: text of a few words. */
const MAX_OBJECT_HEADER_BYTES = 1024;

/**
 * MP3 and FLAC: an ID3v2 tag in front of the audio, in it a frame `GEOB` (general encapsulated object) of the type
 * `application/c2pa` (C2PA 2.4 annex A). A tag that is unsynchronised or has an extended header is none that the
 * library writes; no store is found in it, and the validating reader has the last word.
 */
export async function storeInId3(file: ByteSource): Promise<PlacedStore | undefined> {
  for await (const frame of id3Frames(file)) {
    const store = (await isManifestFrame(file, frame)) ? await storeInObject(file, frame) : undefined;
    if (store !== undefined) return store;
  }
  return undefined;
}

/** Whether it says that a manifest store is in it, whatever is. */
export async function isManifestFrame(
  file: ByteSource,
  { id, bodyStart, length, isHidden }: Id3Frame,
): Promise<boolean> {
  if (id !== 'GEOB' || isHidden) return false;
  const head = await objectHead(file, bodyStart, length);
  const typeEnd = head.indexOf(0, 1);
  return typeEnd >= 0 && STORE_TYPES.includes(head.toString('latin1', 1, typeEnd));
}

function objectHead(file: ByteSource, at: number, length: number): Promise<Buffer> {
  return file.read(at, Math.min(length, MAX_OBJECT_HEADER_BYTES));
}

/** ID3v2.4 section 4.15: encoding (1), type in Latin-1, file name and description in that encoding, the object. */
async function storeInObject(
  file: ByteSource,
  { bodyStart: at, length }: Id3Frame,
): Promise<PlacedStore | undefined> {
  const head = await objectHead(file, at, length);
  const encoding = head[0] ?? 0;
  const typeEnd = head.indexOf(0, 1);
  const isWide = encoding === 1 || encoding === 2;
  const nameEnd = textEnd(head, typeEnd + 1, isWide);
  const descriptionEnd = nameEnd === undefined ? undefined : textEnd(head, nameEnd, isWide);
  if (descriptionEnd === undefined) return undefined;
  return placed(file, at + descriptionEnd, length - descriptionEnd);
}

/** Behind the terminating zero, which is a whole unit of the encoding. */
function textEnd(bytes: Buffer, from: number, isWide: boolean): number | undefined {
  const step = isWide ? 2 : 1;
  for (let at = from; at + step <= bytes.length; at += step) {
    if (bytes[at] === 0 && (!isWide || bytes[at + 1] === 0)) return at + step;
  }
  return undefined;
}
