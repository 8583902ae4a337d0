import { isIsoMedia, isoMediaType } from './iso-media-brands.js';
import { type SignableMediaType } from './media-types.js';
import { isPlainText, textMediaType, textOf } from './text-media-types.js';

/** Random access to the bytes of a file. */
export interface DetectionSource {
  readonly sizeBytes: number;
  /** Up to `length` bytes from `offset`; fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** How many leading bytes decide in nearly all cases. */
export const DETECTION_BYTES = 4096;

/** Larger text is not signed: whoever looks at it reads it whole. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024;

const ID3_HEADER_BYTES = 10;
const STL_HEADER_BYTES = 84;
const STL_TRIANGLE_BYTES = 50;

/**
 * What the bytes are. Name and declared type decide nothing, and everybody who asks gets the same answer: who takes a
 * file in, who signs it, who verifies it. `undefined` for what is not signed here.
 */
export async function detectMediaType(source: DetectionSource): Promise<SignableMediaType | undefined> {
  const head = Buffer.from(await source.read(0, DETECTION_BYTES));
  if (head.length === 0) return undefined;
  const latin1 = head.toString('latin1');
  const picture = stillImageType(latin1);
  if (picture !== undefined) return picture;
  if (isIsoMedia(head)) return isoMediaType(head);
  return (await audioType(source, head)) ?? containerType(latin1) ?? otherType(source, head);
}

function stillImageType(head: string): SignableMediaType | undefined {
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'image/gif';
  if (head.startsWith('II*\0') || head.startsWith('MM\0*')) return 'image/tiff';
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'image/webp';
  if (isJpegXlContainer(head) || isJpegXlCodestream(head)) return 'image/jxl';
  return undefined;
}

/** ISO/IEC 18181-2 section 9.2: a box of 12 bytes with the name "JXL ". */
function isJpegXlContainer(head: string): boolean {
  return head.startsWith('\0\0\0\x0cJXL \r\n\x87\n');
}

/** ISO/IEC 18181-1: the bare codestream. There is no place for a manifest in it. */
export function isJpegXlCodestream(head: string): boolean {
  return head.startsWith('\xff\x0a');
}

async function audioType(source: DetectionSource, head: Buffer): Promise<SignableMediaType | undefined> {
  const latin1 = head.toString('latin1', 0, 16);
  if (latin1.startsWith('RIFF') && latin1.slice(8, 12) === 'WAVE') return 'audio/wav';
  if (latin1.startsWith('fLaC')) return 'audio/flac';
  if (!latin1.startsWith('ID3')) return isMpegAudioFrame(head) ? 'audio/mpeg' : undefined;
  const read = async (offset: number, length: number): Promise<Uint8Array> => source.read(offset, length);
  const audio = Buffer.from(await read(id3TagBytes(head), 4));
  if (audio.toString('latin1') === 'fLaC') return 'audio/flac';
  const start = await mpegAudioStart(read, id3TagBytes(head));
  return isMpegAudioFrame(await read(start, 4)) ? 'audio/mpeg' : undefined;
}

const MAX_TAGS = 8;
const MAX_ZEROS = 65_536;

/** Behind the first tag of an MP3 further ones may stand, and zeros, over which players go, as a tag may be too short. */
export async function mpegAudioStart(
  read: (offset: number, length: number) => Promise<Uint8Array>,
  firstTagEnd: number,
): Promise<number> {
  let start = firstTagEnd;
  for (let tags = 1; tags < MAX_TAGS; tags += 1) {
    const head = Buffer.from(await read(start, ID3_HEADER_BYTES));
    if (head.length < ID3_HEADER_BYTES || head.toString('latin1', 0, 3) !== 'ID3') break;
    start += id3TagBytes(head);
  }
  if (start === 0) return 0;
  const sound = (await read(start, MAX_ZEROS)).findIndex((byte) => byte !== 0);
  return start + Math.max(0, sound);
}

/** ID3v2 section 3.1: four bytes of seven bits, without the header itself; a footer repeats the header. */
export function id3TagBytes(head: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = head.subarray(6, ID3_HEADER_BYTES);
  const hasFooter = ((head[5] ?? 0) & 0x10) !== 0;
  const body = ((a & 0x7f) << 21) | ((b & 0x7f) << 14) | ((c & 0x7f) << 7) | (d & 0x7f);
  return ID3_HEADER_BYTES + body + (hasFooter ? ID3_HEADER_BYTES : 0);
}

/** ISO/IEC 11172-3 section 2.4.2.3, layer III only: AAC has the same first bits and layer 0. */
export function isMpegAudioFrame(bytes: Uint8Array): boolean {
  const [first = 0, second = 0, third = 0] = bytes;
  const isSync = first === 0xff && (second & 0xe0) === 0xe0;
  const isKnownVersion = (second & 0x18) !== 0x08;
  const isLayer3 = (second & 0x06) === 0x02;
  const hasBitrate = third >> 4 !== 0x0f && third >> 4 !== 0;
  const hasSampleRate = (third & 0x0c) !== 0x0c;
  return bytes.length >= 4 && isSync && isKnownVersion && isLayer3 && hasBitrate && hasSampleRate;
}

/** How the first packets of Vorbis, Opus, FLAC and Speex begin. */
const OGG_SOUND = ['\x01vorbis', 'OpusHead', '\x7fFLAC', 'Speex   '];

/** EBML (RFC 8794) names its kind in the element DocType, 0x4282. */
function containerType(head: string): SignableMediaType | undefined {
  if (head.startsWith('\x1aE\xdf\xa3')) {
    const docType = /\x42\x82[\x81-\x8f]([a-z]+)/.exec(head.slice(0, 128))?.[1];
    if (docType === 'webm') return 'video/webm';
    return docType === 'matroska' ? 'video/x-matroska' : undefined;
  }
  // RFC 3533: what is in an Ogg file, its first packet says; that begins behind a header of 28 bytes.
  if (head.startsWith('OggS')) {
    const isSound = OGG_SOUND.some((start) => head.startsWith(start, 28));
    return isSound ? 'audio/ogg' : undefined;
  }
  if (head.startsWith('glTF')) return 'model/gltf-binary';
  return isUsdz(head) ? 'model/vnd.usdz+zip' : undefined;
}

/** A zip whose first file is a stored USD layer. */
export function isUsdz(head: string): boolean {
  if (!head.startsWith('PK\x03\x04')) return false;
  const nameLength = head.charCodeAt(26) + head.charCodeAt(27) * 256;
  const isStored = head.charCodeAt(8) === 0 && head.charCodeAt(9) === 0;
  return isStored && /\.usd[ac]?$/i.test(head.slice(30, 30 + nameLength));
}

async function otherType(source: DetectionSource, head: Buffer): Promise<SignableMediaType | undefined> {
  if (isPlainText(head)) {
    const fromHead = textMediaType(head);
    if (fromHead !== 'text/plain') return fromHead;
    return source.sizeBytes > MAX_TEXT_BYTES ? undefined : wholeTextType(source);
  }
  return isBinaryStl(source, head) ? 'model/stl' : undefined;
}

/** JSON is what parses as JSON, and no beginning can tell that. */
async function wholeTextType(source: DetectionSource): Promise<SignableMediaType | undefined> {
  const bytes = Buffer.from(await source.read(0, source.sizeBytes));
  const text = textOf(bytes);
  if (text === undefined) return undefined;
  if (!/^\ufeff?\s*[{[]/.test(text)) return 'text/plain';
  try {
    const value = JSON.parse(text.replace(/^\ufeff/, '')) as { asset?: { version?: unknown } } | null;
    return typeof value?.asset?.version === 'string' ? 'model/gltf+json' : 'application/json';
  } catch {
    return 'text/plain';
  }
}

/** Binary STL has no mark: 80 bytes of anything, the number of triangles, and exactly so many triangles. */
function isBinaryStl({ sizeBytes }: DetectionSource, head: Buffer): boolean {
  if (head.length < STL_HEADER_BYTES || sizeBytes === STL_HEADER_BYTES) return false;
  return sizeBytes === STL_HEADER_BYTES + head.readUInt32LE(80) * STL_TRIANGLE_BYTES;
}
