import { type ByteSource } from '../../byte-source.js';
import { type Edit } from '../../edited-content.js';
import { cut, cutOut, type ManifestRemoval } from './removal.js';

/** PNG 3rd edition section 5.3: chunks of length, type, data, checksum. What stands behind the last need not be chunks. */
export async function fromPng(file: ByteSource): Promise<ManifestRemoval | undefined> {
  const cuts: Edit[] = [];
  let isEnded = false;
  for (let at = 8; at < file.sizeBytes;) {
    const head = await file.read(at, 8);
    const sizeBytes = head.length < 8 ? Infinity : 12 + head.readUInt32BE(0);
    if (at + sizeBytes > file.sizeBytes) return isEnded ? cutOut(cuts) : undefined;
    const type = head.toString('latin1', 4, 8);
    if (type === 'caBX') cuts.push(cut(at, sizeBytes));
    if (type === 'IEND') isEnded = true;
    at += sizeBytes;
  }
  return isEnded ? cutOut(cuts) : undefined;
}

const JPEG_APP11 = 0xeb;
const JPEG_START_OF_SCAN = 0xda;
const JPEG_END_OF_IMAGE = 0xd9;
/** Half of what is read at once anyway. */
const SCAN_PIECE_BYTES = 64 * 1024;
/** What the C2PA library calls the box of a manifest, in whatever state its content is. */
const C2PA_BOX_INSTANCE = 0x0211;

/**
 * The segments of the first picture, before, between and behind its scans: those of APP11 that hold a JUMBF box
 * (ISO/IEC 19566-5 annex D) go.
 */
export async function fromJpeg(file: ByteSource): Promise<ManifestRemoval | undefined> {
  const cuts: Edit[] = [];
  let manifests = 0;
  for (let at = 2; ;) {
    const head = await file.read(at, 32);
    if (head[0] === 0xff && head[1] === JPEG_END_OF_IMAGE) return { edits: cuts, manifests };
    if (head.length < 4 || head[0] !== 0xff) return undefined;
    // Any marker may be preceded by fill bytes.
    const isFill = head[1] === 0xff;
    const sizeBytes = isFill ? 1 : 2 + head.readUInt16BE(2);
    if (at + sizeBytes > file.sizeBytes || (!isFill && sizeBytes < 4)) return undefined;
    const segment = head.subarray(0, sizeBytes);
    if (segment[1] === JPEG_APP11 && isOfManifest(segment)) {
      cuts.push(cut(at, sizeBytes));
      if (isStoreStart(segment)) manifests += 1;
    }
    at += sizeBytes;
    if (head[1] !== JPEG_START_OF_SCAN) continue;
    const next = await endOfScan(file, at);
    if (next === undefined) return { edits: cuts, manifests };
    at = next;
  }
}

/** Where the next marker is. In the data of a scan 0xff00 is a byte, and 0xffd0 to 0xffd7 belong to it. */
async function endOfScan(file: ByteSource, start: number): Promise<number | undefined> {
  for (let at = start; at < file.sizeBytes;) {
    const piece = await file.read(at, SCAN_PIECE_BYTES);
    const found = piece.indexOf(0xff);
    const code = found < 0 ? undefined : piece[found + 1];
    if (found >= 0 && code === undefined && at + found + 1 >= file.sizeBytes) return undefined;
    if (code !== undefined && code !== 0 && (code < 0xd0 || code > 0xd7)) return at + found;
    at += found < 0 ? piece.length : code === undefined ? found : found + 2;
  }
  return undefined;
}

/** "JP", box instance (2), sequence number (4), then the box. The library looks for the type of the store alone. */
function isOfManifest(segment: Buffer): boolean {
  if (isStoreStart(segment)) return true;
  if (segment.length < 8 || segment.toString('latin1', 4, 6) !== 'JP') return false;
  return segment.toString('latin1', 16, 20) === 'jumb' || segment.readUInt16BE(6) === C2PA_BOX_INSTANCE;
}

function isStoreStart(segment: Buffer): boolean {
  return segment.toString('latin1', 28, 32) === 'c2pa';
}

/** GIF89a: the application extensions "C2PA_GIF", whatever their version. */
export async function fromGif(file: ByteSource): Promise<ManifestRemoval | undefined> {
  const cuts: Edit[] = [];
  const flags = (await file.read(0, 13))[10];
  if (flags === undefined) return undefined;
  for (let at = 13 + colorTableBytes(flags); ;) {
    const head = await file.read(at, 11);
    if (head[0] === 0x3b) return cutOut(cuts);
    const dataAt = subBlocksAt(head);
    const end = dataAt === undefined ? undefined : await subBlocksEnd(file, at + dataAt);
    if (end === undefined) return undefined;
    const isC2pa = head[0] === 0x21 && head[1] === 0xff && head.toString('latin1', 3, 11) === 'C2PA_GIF';
    if (isC2pa) cuts.push(cut(at, end - at));
    at = end;
  }
}

/** Where the sub-blocks of a block begin; those of an extension begin with its own header. */
function subBlocksAt(head: Buffer): number | undefined {
  if (head[0] === 0x21) return 2;
  return head[0] === 0x2c && head.length >= 10 ? 10 + colorTableBytes(head[9] ?? 0) + 1 : undefined;
}

function colorTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 0x07) + 1);
}

async function subBlocksEnd(file: ByteSource, start: number): Promise<number | undefined> {
  for (let at = start; ;) {
    const length = (await file.read(at, 1))[0];
    if (length === undefined) return undefined;
    at += 1 + length;
    if (length === 0) return at;
  }
}
