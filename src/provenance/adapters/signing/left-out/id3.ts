import { id3TagBytes } from '../../../domain/detect-media-type.js';
import { type ByteSource } from '../../byte-source.js';
import { type Edit } from '../../edited-content.js';
import { id3Frames, id3TagState } from '../../id3-frames.js';
import { isManifestFrame } from '../../id3-manifest-store.js';
import { cut, cutOut, type ManifestRemoval } from './removal.js';

const FOOTER = 0x10;
const TAG_HEADER_BYTES = 10;

/**
 * MP3 and FLAC: the frames of manifests go out of the ID3v2 tag, and its length, in front and in a footer, becomes
 * shorter. A tag must have a frame: without any other one, the whole tag goes.
 */
export async function fromId3(file: ByteSource): Promise<ManifestRemoval | undefined> {
  const state = await id3TagState(file);
  if (state !== 'plain') return state === 'none' ? cutOut([]) : undefined;
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

function sevenBitLength(length: number): Buffer {
  return Buffer.from([21, 14, 7, 0].map((shift) => (length >>> shift) & 0x7f));
}
