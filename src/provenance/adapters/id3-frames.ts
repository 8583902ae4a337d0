import { id3TagBytes } from '../domain/detect-media-type.js';
import { type ByteSource } from './byte-source.js';
import { MAX_PARTS } from './manifest-store-slice.js';

const TAG_HEADER_BYTES = 10;
const FRAME_HEADER_BYTES = 10;
const UNSYNCHRONISED = 0x80;
const EXTENDED_HEADER = 0x40;

export interface Id3Frame {
  readonly id: string;
  /** Of its header. */
  readonly offset: number;
  readonly bodyStart: number;
  readonly length: number;
  /** Its content is compressed or encrypted. */
  readonly isHidden: boolean;
}

interface Tag {
  readonly end: number;
  /** 4 is the version in which lengths of frames are written with seven bits a byte, too. */
  readonly version: number;
}

/** Whether the frames of a tag can be walked; `none`: there is no tag. */
export async function id3TagState(file: ByteSource): Promise<'none' | 'plain' | 'other'> {
  if ((await file.read(0, 3)).toString('latin1') !== 'ID3') return 'none';
  return (await tagOf(file)) === undefined ? 'other' : 'plain';
}

/**
 * The frames of the ID3v2 tag in front of a file (ID3v2.3, ID3v2.4 section 4): identifier (4), length (4), flags (2). A
 * tag that is unsynchronised or has an extended header is none that the signing library writes; it is not walked.
 */
export async function* id3Frames(file: ByteSource): AsyncGenerator<Id3Frame> {
  const tag = await tagOf(file);
  if (tag === undefined) return;
  let offset = TAG_HEADER_BYTES;
  for (let part = 0; part < MAX_PARTS && offset + FRAME_HEADER_BYTES <= tag.end; part += 1) {
    const head = await file.read(offset, FRAME_HEADER_BYTES);
    const id = head.toString('latin1', 0, 4);
    if (head.length < FRAME_HEADER_BYTES || !/^[A-Z0-9]{4}$/.test(id)) return;
    const length = tag.version === 4 ? sevenBitLength(head.subarray(4, 8)) : head.readUInt32BE(4);
    const isHidden = ((head[9] ?? 0) & (tag.version === 4 ? 0x0c : 0xc0)) !== 0;
    yield { id, offset, bodyStart: offset + FRAME_HEADER_BYTES, length, isHidden };
    offset += FRAME_HEADER_BYTES + length;
  }
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
