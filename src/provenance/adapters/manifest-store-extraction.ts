import { type EmbeddableMediaType } from '../domain/media-types.js';
import { type ByteSource } from './byte-source.js';
import { storeInId3 } from './id3-manifest-store.js';
import { storeInIsoMedia, storeInJpegXl } from './iso-media-manifest-store.js';
import { MAX_PARTS, placed, type PlacedStore, type Stretch } from './manifest-store-slice.js';
import { storeInSvg } from './svg-manifest-store.js';

/**
 * The C2PA manifest store of a file: the bytes of the outermost JUMBF box, exactly as the container carries them
 * (specification 2.4 annex A "Embedding manifests"). Nothing is parsed inside the store.
 *
 * This is what `manifestSha256` hashes. It can be redone from the file alone: for PNG it is the body of the `caBX`
 * chunk, for JPEG the APP11 payloads joined, for WebP and WAV the `C2PA` chunk, for GIF the joined sub-blocks of the
 * `C2PA_GIF` application extension, for TIFF the value of tag 52545, for AVIF, HEIC, HEIF, MP4, QuickTime and M4A the
 * tail of the C2PA `uuid` box, for JPEG XL the `jumb` box with its header, for SVG the decoded base64 text of the
 * element `c2pa:manifest`, for MP3 and FLAC the object of the ID3v2 frame `GEOB` with the type `application/c2pa`.
 *
 * Input is hostile: every length is checked against the file, walks are bounded, and what does not look right
 * gives `undefined`; the validating reader says what is wrong with it.
 */
export async function extractManifestStore(
  file: ByteSource,
  mediaType: EmbeddableMediaType,
): Promise<PlacedStore | undefined> {
  const store = await EXTRACTORS[mediaType](file);
  return store === undefined || store.bytes.length === 0 ? undefined : store;
}

type Extractor = (file: ByteSource) => Promise<PlacedStore | undefined>;

const EXTRACTORS: Readonly<Record<EmbeddableMediaType, Extractor>> = {
  'image/png': fromPng,
  'image/jpeg': fromJpeg,
  'image/webp': fromRiff,
  'image/avif': storeInIsoMedia,
  'image/tiff': fromTiff,
  'image/gif': fromGif,
  'image/heic': storeInIsoMedia,
  'image/heif': storeInIsoMedia,
  'image/jxl': storeInJpegXl,
  'image/svg+xml': storeInSvg,
  'video/mp4': storeInIsoMedia,
  'video/quicktime': storeInIsoMedia,
  'audio/wav': fromRiff,
  'audio/mpeg': storeInId3,
  'audio/mp4': storeInIsoMedia,
  'audio/flac': storeInId3,
};

/** PNG: 8 bytes signature, then chunks of length, type, body, CRC (PNG 3rd edition section 5.3). */
async function fromPng(file: ByteSource): Promise<PlacedStore | undefined> {
  let offset = 8;
  for (let part = 0; part < MAX_PARTS; part += 1) {
    const head = await file.read(offset, 8);
    if (head.length < 8) return undefined;
    const length = head.readUInt32BE(0);
    const chunk = { offset, sizeBytes: 12 + length };
    if (head.toString('latin1', 4, 8) === 'caBX') return placed(file, offset + 8, length, chunk);
    offset += chunk.sizeBytes;
  }
  return undefined;
}

/** WebP and WAV: RIFF chunks of type, little-endian length, body, padded to even length. */
async function fromRiff(file: ByteSource): Promise<PlacedStore | undefined> {
  let offset = 12;
  for (let part = 0; part < MAX_PARTS; part += 1) {
    const head = await file.read(offset, 8);
    if (head.length < 8) return undefined;
    const length = head.readUInt32LE(4);
    const chunk = { offset, sizeBytes: 8 + length + (length % 2) };
    if (head.toString('latin1', 0, 4) === 'C2PA') return placed(file, offset + 8, length, chunk);
    offset += chunk.sizeBytes;
  }
  return undefined;
}

const JPEG_APP11 = 0xeb;
const JPEG_START_OF_SCAN = 0xda;
/** Box type of the store's description box: "c2pa" in the C2PA UUID form. */
const C2PA_STORE_UUID = Buffer.from('6332706100110010800000aa00389b71', 'hex');

/**
 * JPEG: APP11 segments (ISO/IEC 19566-5 annex D): "JP", box instance (2), sequence number (4), then the box.
 * Every segment after the first of an instance repeats the box header of 8 bytes, which is left out when joining.
 */
async function fromJpeg(file: ByteSource): Promise<PlacedStore | undefined> {
  const pieces: Buffer[] = [];
  const places: Stretch[] = [];
  let instance: number | undefined;
  let offset = 2;
  for (let part = 0; part < MAX_PARTS; part += 1) {
    const head = await file.read(offset, 4);
    if (head.length < 4 || head[0] !== 0xff || head[1] === JPEG_START_OF_SCAN) break;
    const length = head.readUInt16BE(2);
    if (length < 2) break;
    const body = head[1] === JPEG_APP11 ? await file.read(offset + 4, length - 2) : Buffer.alloc(0);
    if (body.length >= 16 && body.toString('latin1', 0, 2) === 'JP') {
      const isStart = instance === undefined && body.subarray(24, 40).equals(C2PA_STORE_UUID);
      if (isStart) instance = body.readUInt16BE(2);
      if (instance === body.readUInt16BE(2)) {
        pieces.push(Buffer.from(body.subarray(isStart ? 8 : 16)));
        places.push({ offset, sizeBytes: 2 + length });
      }
    }
    offset += 2 + length;
  }
  return pieces.length === 0 ? undefined : { bytes: Buffer.concat(pieces), places };
}

const TIFF_C2PA_TAG = 52_545;
const TIFF_ENTRY_BYTES = 12;
const MAX_TIFF_DIRECTORIES = 64;

/** TIFF 6.0: directories of entries tag (2), type (2), count (4), value or offset (4). */
async function fromTiff(file: ByteSource): Promise<PlacedStore | undefined> {
  const header = await file.read(0, 8);
  if (header.length < 8) return undefined;
  const little = header[0] === 0x49;
  const u16 = (bytes: Buffer, at: number): number =>
    little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  const u32 = (bytes: Buffer, at: number): number =>
    little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  let offset = u32(header, 4);
  for (let part = 0; offset !== 0 && part < MAX_TIFF_DIRECTORIES; part += 1) {
    const count = await file.read(offset, 2);
    if (count.length < 2) return undefined;
    const entriesBytes = u16(count, 0) * TIFF_ENTRY_BYTES;
    const directory = Buffer.from(await file.read(offset + 2, entriesBytes + 4));
    if (directory.length < entriesBytes + 4) return undefined;
    for (let at = 0; at < entriesBytes; at += TIFF_ENTRY_BYTES) {
      if (u16(directory, at) !== TIFF_C2PA_TAG) continue;
      const store = await placed(file, u32(directory, at + 8), u32(directory, at + 4));
      const entry = { offset: offset + 2 + at, sizeBytes: TIFF_ENTRY_BYTES };
      return store && { ...store, places: [...store.places, entry] };
    }
    offset = u32(directory, entriesBytes);
  }
  return undefined;
}

/** GIF89a: the application extension "C2PA_GIF" 01 00 00, its data in sub-blocks of at most 255 bytes. */
async function fromGif(file: ByteSource): Promise<PlacedStore | undefined> {
  const header = await file.read(0, 13);
  if (header.length < 13) return undefined;
  let offset = 13 + colorTableBytes(header[10] ?? 0);
  for (let part = 0; part < MAX_PARTS; part += 1) {
    const head = await file.read(offset, 14);
    if (head[0] === 0x21) {
      const isC2pa = head[1] === 0xff && head.toString('latin1', 3, 11) === 'C2PA_GIF';
      const { bytes, end } = await subBlocks(file, offset + (isC2pa ? 14 : 2), isC2pa);
      if (isC2pa) return { bytes, places: [{ offset, sizeBytes: end - offset }] };
      offset = end;
    } else if (head[0] === 0x2c && head.length >= 10) {
      const dataAt = offset + 10 + colorTableBytes(head[9] ?? 0) + 1;
      offset = (await subBlocks(file, dataAt, false)).end;
    } else {
      return undefined;
    }
  }
  return undefined;
}

function colorTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 0x07) + 1);
}

async function subBlocks(
  file: ByteSource,
  start: number,
  keep: boolean,
): Promise<{ bytes: Buffer; end: number }> {
  const pieces: Buffer[] = [];
  let offset = start;
  for (let part = 0; part < MAX_PARTS * 4; part += 1) {
    const length = (await file.read(offset, 1))[0];
    if (length === undefined || length === 0) break;
    if (keep) pieces.push(Buffer.from(await file.read(offset + 1, length)));
    offset += 1 + length;
  }
  return { bytes: Buffer.concat(pieces), end: offset + 1 };
}
