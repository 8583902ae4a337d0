import { type ByteSource } from '../../byte-source.js';
import { type Edit } from '../../edited-content.js';
import { type Box, isC2paBox, isJpegXlStore, topLevelBoxes } from '../../iso-media-manifest-store.js';
import { PIECE_BYTES } from '../../media-content.js';
import { cut, type ManifestRemoval } from './removal.js';

const ZEROS = Buffer.alloc(PIECE_BYTES);

/**
 * ISO base media: offsets in a film count from the beginning of the file, so nothing may move. Of each `uuid` box of C2PA
 * all that stands behind its length and its name becomes zero, its user type first: a box that no reader knows. It is no
 * `free` box because hashes of C2PA leave those out, and something could be put there afterwards.
 */
export function fromIsoMedia(file: ByteSource): Promise<ManifestRemoval | undefined> {
  return fromBoxes(file, isC2paBox, zeroed);
}

/** JPEG XL: a `jumb` box with the label or the type of a manifest store goes; no box knows where another one is. */
export function fromJpegXl(file: ByteSource): Promise<ManifestRemoval | undefined> {
  const isStore = (box: Box): boolean =>
    isJpegXlStore(box) ||
    (box.type === 'jumb' &&
      box.head.toString('latin1', box.headerBytes + 8, box.headerBytes + 12) === 'c2pa');
  return fromBoxes(file, isStore, ({ offset, sizeBytes }) => [cut(offset, sizeBytes)]);
}

async function fromBoxes(
  file: ByteSource,
  isManifest: (box: Box) => boolean,
  without: (box: Box) => Iterable<Edit>,
): Promise<ManifestRemoval | undefined> {
  const edits: Edit[] = [];
  let manifests = 0;
  let end = 0;
  for await (const box of topLevelBoxes(file)) {
    end = box.offset + box.sizeBytes;
    if (end > file.sizeBytes) return undefined;
    if (!isManifest(box)) continue;
    edits.push(...without(box));
    manifests += 1;
  }
  return end === file.sizeBytes ? { edits, manifests } : undefined;
}

/** The same zeros again and again: the box may be larger than what is held in memory. */
function* zeroed({ offset, sizeBytes, headerBytes }: Box): Generator<Edit> {
  const end = offset + sizeBytes;
  for (let at = offset + headerBytes; at < end; at += ZEROS.length) {
    const remove = Math.min(ZEROS.length, end - at);
    yield { offset: at, remove, insert: ZEROS.subarray(0, remove) };
  }
}
