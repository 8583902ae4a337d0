import { id3TagBytes } from '../../../domain/detect-media-type.js';
import { type ByteSource } from '../../byte-source.js';
import { type Edit } from '../../edited-content.js';
import { id3Frames, id3TagState } from '../../id3-frames.js';
import { isManifestFrame, STORE_TYPES } from '../../id3-manifest-store.js';
import { cut, cutOut, type ManifestRemoval } from './removal.js';

const FOOTER = 0x10;
const TAG_HEADER_BYTES = 10;
const PIECE_BYTES = 64 * 1024;
const LONGEST_TYPE = Math.max(...STORE_TYPES.map(({ length }) => length));

/**
 * MP3 and FLAC: the frames of manifests go out of the ID3v2 tag, and its length, in front and in a footer, becomes
 * shorter. A tag must have a frame: without any other one, the whole tag goes. So does one that is unsynchronised or has
 * an extended header, whose frames are not walked, if the type of a manifest stands in it.
 */
export async function fromId3(file: ByteSource): Promise<ManifestRemoval | undefined> {
  const state = await id3TagState(file);
  if (state === 'none') return cutOut([]);
  if (state === 'other') return withoutTag(file);
  const header = Buffer.from(await file.read(0, TAG_HEADER_BYTES));
  const tagEnd = id3TagBytes(header);
  const hasFooter = ((header[5] ?? 0) & FOOTER) !== 0;
  if (tagEnd > file.sizeBytes) return undefined;
  const framesEnd = hasFooter ? tagEnd - TAG_HEADER_BYTES : tagEnd;
  const cuts: Edit[] = [];
  let hasOthers = false;
  for await (const frame of id3Frames(file)) {
    const end = frame.bodyStart + frame.length;
    if (end > framesEnd) return undefined;
    if (await isManifestFrame(file, frame)) cuts.push(cut(frame.offset, end - frame.offset));
    else hasOthers = true;
  }
  const manifests = cuts.length;
  if (manifests === 0) return cutOut([]);
  if (!hasOthers) return { edits: [cut(0, tagEnd)], manifests };
  const cutBytes = cuts.reduce((sum, { remove }) => sum + remove, 0);
  const insert = sevenBitLength(framesEnd - TAG_HEADER_BYTES - cutBytes);
  const footer = hasFooter ? [{ offset: tagEnd - 4, remove: 4, insert }] : [];
  return { edits: [{ offset: 6, remove: 4, insert }, ...cuts, ...footer], manifests };
}

async function withoutTag(file: ByteSource): Promise<ManifestRemoval | undefined> {
  const tagEnd = id3TagBytes(await file.read(0, TAG_HEADER_BYTES));
  if (tagEnd > file.sizeBytes) return undefined;
  for (let at = 0; at < tagEnd; at += PIECE_BYTES) {
    const piece = await file.read(at, Math.min(PIECE_BYTES + LONGEST_TYPE, tagEnd - at));
    if (STORE_TYPES.some((type) => piece.includes(type, 0, 'latin1'))) return cutOut([cut(0, tagEnd)]);
  }
  return cutOut([]);
}

function sevenBitLength(length: number): Buffer {
  return Buffer.from([21, 14, 7, 0].map((shift) => (length >>> shift) & 0x7f));
}
