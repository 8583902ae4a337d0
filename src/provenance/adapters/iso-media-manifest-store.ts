import { type ByteSource } from './byte-source.js';
import { MAX_PARTS, placed, type PlacedStore } from './manifest-store-slice.js';

const C2PA_USER_TYPE = Buffer.from('d8fec3d61b0e483c92975828877ec481', 'hex');
/** Enough for every header below. */
const HEAD_BYTES = 64;

export interface Box {
  readonly type: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly headerBytes: number;
  /** The first bytes of the box. A view: used before the next box is read. */
  readonly head: Buffer;
}

/** The boxes at the top level (ISO/IEC 14496-12 section 4.2), as far as their lengths can be believed. */
export function topLevelBoxes(file: ByteSource): AsyncGenerator<Box> {
  return boxesWithin(file, 0, file.sizeBytes);
}

/** The boxes of a stretch, one behind the other. The last one may say that it is longer than the stretch. */
export async function* boxesWithin(file: ByteSource, start: number, end: number): AsyncGenerator<Box> {
  let offset = start;
  for (let part = 0; part < MAX_PARTS; part += 1) {
    const head = await file.read(offset, Math.min(HEAD_BYTES, end - offset));
    if (head.length < 8) return;
    const sizeBytes = boxSize(head, end - offset);
    const headerBytes = head.readUInt32BE(0) === 1 ? 16 : 8;
    if (sizeBytes < headerBytes) return;
    yield { type: head.toString('latin1', 4, 8), offset, sizeBytes, headerBytes, head };
    offset += sizeBytes;
  }
}

function boxSize(head: Buffer, remaining: number): number {
  const size = head.readUInt32BE(0);
  if (size === 0) return remaining;
  if (size !== 1) return size;
  return head.length >= 16 ? Number(head.readBigUInt64BE(8)) : 0;
}

/**
 * ISO base media: a top-level `uuid` box with the C2PA user type; then version and flags (4), the zero-terminated
 * purpose "manifest", the offset of auxiliary boxes (8) and the store (C2PA 2.4 annex A.5).
 */
export async function storeInIsoMedia(file: ByteSource): Promise<PlacedStore | undefined> {
  for await (const box of topLevelBoxes(file)) {
    const { offset, sizeBytes, headerBytes, head } = box;
    if (!isC2paBox(box)) continue;
    const purposeAt = headerBytes + 20;
    const end = head.indexOf(0, purposeAt);
    if (end < 0 || head.toString('latin1', purposeAt, end) !== 'manifest') continue;
    const storeAt = end + 1 + 8;
    return placed(file, offset + storeAt, sizeBytes - storeAt, { offset, sizeBytes });
  }
  return undefined;
}

/** Manifests, and what the specification puts beside them in boxes of the same user type. */
export function isC2paBox({ type, sizeBytes, headerBytes, head }: Box): boolean {
  const userType = head.subarray(headerBytes, Math.min(headerBytes + C2PA_USER_TYPE.length, sizeBytes));
  return type === 'uuid' && userType.equals(C2PA_USER_TYPE);
}

/** A description box begins with length, type and type UUID; then the toggles and the label. */
const LABEL_AT = 25;
const STORE_LABEL = Buffer.from('c2pa\0', 'latin1');

/**
 * JPEG XL: a top-level `jumb` box is the store, header and all (C2PA 2.4 annex A "Embedding manifests into JPEG XL").
 * Other JUMBF may stand in such boxes too; the label tells. The bare codestream has no boxes.
 */
export async function storeInJpegXl(file: ByteSource): Promise<PlacedStore | undefined> {
  for await (const box of topLevelBoxes(file)) {
    if (isJpegXlStore(box)) return placed(file, box.offset, box.sizeBytes);
  }
  return undefined;
}

export function isJpegXlStore({ type, headerBytes, head }: Box): boolean {
  const labelAt = headerBytes + LABEL_AT;
  return type === 'jumb' && head.subarray(labelAt, labelAt + STORE_LABEL.length).equals(STORE_LABEL);
}
