import { type PlannedAssertion } from '../../../domain/manifest-plan.js';
import { type SignMediaRequest } from '../../../domain/media-signer.port.js';
import { type EmbeddableMediaType, embeddableMediaType } from '../../../domain/media-types.js';
import { editedCopy } from '../../edited-content.js';
import { type MediaContent } from '../../media-content.js';
import { fromIsoMedia, fromJpegXl } from './boxes.js';
import { fromId3 } from './id3.js';
import { fromGif, fromJpeg, fromPng } from './pictures.js';
import { type RemovalRule } from './removal.js';
import { fromRiff } from './riff.js';
import { fromSvg } from './svg.js';
import { fromTiff } from './tiff.js';

/** The captured bytes without the manifests that nobody can read. */
export interface LeftOutManifest {
  readonly content: MediaContent;
  /** How many there were. */
  readonly manifests: number;
  /** Says so in the manifest of the signed file. */
  readonly assertion: PlannedAssertion;
}

const RULES: Readonly<Record<EmbeddableMediaType, RemovalRule>> = {
  'image/png': fromPng,
  'image/jpeg': fromJpeg,
  'image/webp': fromRiff,
  'image/avif': fromIsoMedia,
  'image/tiff': fromTiff,
  'image/gif': fromGif,
  'image/heic': fromIsoMedia,
  'image/heif': fromIsoMedia,
  'image/jxl': fromJpegXl,
  'image/svg+xml': fromSvg,
  'video/mp4': fromIsoMedia,
  'video/quicktime': fromIsoMedia,
  'audio/wav': fromRiff,
  'audio/mpeg': fromId3,
  'audio/mp4': fromIsoMedia,
  'audio/flac': fromId3,
};

/**
 * Leaves out, whole, the parts of a file in which C2PA manifests lie, and touches nothing else than what counts their
 * bytes: whoever has the received file gets the same bytes by the same rule.
 *
 * @param targetPath where the copy is made of a file that is too large for memory
 * @returns `undefined` when the file has no such part, or its structure is not whole
 */
export async function leaveOutManifest(
  captured: MediaContent,
  { source, origin }: SignMediaRequest,
  targetPath: string,
): Promise<LeftOutManifest | undefined> {
  const mediaType = embeddableMediaType(source.mediaType);
  const removal = mediaType && (await RULES[mediaType](captured.bytes));
  if (removal === undefined || removal.edits.length === 0) return undefined;
  const content = await editedCopy(captured, removal.edits, targetPath);
  const data = {
    kind: 'manifest-removed',
    receivedSha256: origin.originalSha256,
    because: 'manifest_malformed',
  };
  const assertion = { label: 'org.colophon.preparation', kind: 'created', data } as const;
  return { content, manifests: removal.manifests, assertion };
}
