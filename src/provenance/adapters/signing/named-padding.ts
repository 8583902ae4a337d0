import { ColophonError } from '../../../shared/errors.js';
import { type PlannedAssertion } from '../../domain/manifest-plan.js';
import { type SignMediaRequest } from '../../domain/media-signer.port.js';
import { type Edit, editedCopy } from '../edited-content.js';
import { type Box, topLevelBoxes } from '../iso-media-manifest-store.js';
import { type MediaContent } from '../media-content.js';
import { isMediaLeftOut, ourHashLeavesOut, PADDING } from '../media-places/left-out-boxes.js';

const ISO_MEDIA_TYPES: ReadonlySet<string> = new Set([
  'image/avif',
  'image/heic',
  'image/heif',
  'video/mp4',
  'video/quicktime',
  'audio/mp4',
]);
/** A name that players do not know either, and that no hash of C2PA leaves out. */
const HASHED_NAME = Buffer.from('junk', 'latin1');

/** A copy of the bytes in which padding is under the hash. */
export interface NamedPadding {
  readonly content: MediaContent;
  /** Says so in the manifest of the signed file. */
  readonly assertion: PlannedAssertion;
}

/**
 * The hash of ISO base media leaves out `free`, `skip` and `ftyp` boxes: what lies there could be exchanged after it was signed, and
 * players go by offsets, not by names. In what we sign such boxes get another name, if there is anything in them; every
 * other byte, and with it every offset, stays as it was.
 *
 * @param targetPath where the copy is made of a file that is too large for memory
 * @returns `undefined` when there is no such box
 * @throws ColophonError `media_corrupt` when media lie in a box that cannot be called otherwise
 */
export async function namePadding(
  captured: MediaContent,
  { source, origin }: SignMediaRequest,
  targetPath: string,
): Promise<NamedPadding | undefined> {
  if (!ISO_MEDIA_TYPES.has(source.mediaType)) return undefined;
  const edits: Edit[] = [];
  for await (const { type, offset, sizeBytes, headerBytes } of topLevelBoxes(captured.bytes)) {
    // A file says once what it is, at its beginning; a second time is room that no hash covers.
    const isRoom = PADDING.has(type) || (type === 'ftyp' && offset > 0);
    if (isRoom && sizeBytes > headerBytes)
      edits.push({ offset: offset + 4, remove: HASHED_NAME.length, insert: HASHED_NAME });
  }
  if (await isMediaLeftOut(captured.bytes, staysLeftOut))
    throw new ColophonError(
      'media_corrupt',
      'The file says that pictures or sounds lie in a part of it that no signature can cover.',
    );
  if (edits.length === 0) return undefined;
  const content = await editedCopy(captured, edits, targetPath);
  const data = { kind: 'padding-named', receivedSha256: origin.originalSha256, boxes: edits.length };
  return { content, assertion: { label: 'org.colophon.preparation', kind: 'created', data } };
}

function staysLeftOut(box: Box): boolean {
  return ourHashLeavesOut(box) && !PADDING.has(box.type);
}
