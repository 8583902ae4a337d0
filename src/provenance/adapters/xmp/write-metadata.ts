import { type EmbeddedMetadata, type XmpText } from '../../domain/manifest-plan.js';
import { ByteSource } from '../byte-source.js';
import { editedCopy } from '../edited-content.js';
import { type MediaContent } from '../media-content.js';
import { findXmpPlace, XMP_MEDIA_TYPES, type XmpMediaType } from './xmp-places.js';
import { mergePacket, newPacket } from './xmp-merge.js';

/** What was written into a file before it was signed. */
export interface WrittenMetadata {
  /** The whole packet, as it stands in the file. */
  readonly packet: Buffer;
  readonly properties: readonly XmpText[];
  /** What properties of the file said before. */
  readonly replaced: readonly XmpText[];
}

/** The bytes with metadata in them. */
export interface ContentWithMetadata {
  readonly content: MediaContent;
  readonly written: WrittenMetadata;
}

/**
 * A copy of the bytes with metadata added: container parts are inserted, no pixel is encoded anew, and the same file and
 * metadata give the same bytes.
 *
 * @param targetPath where the copy is made of a file that is too large for memory
 * @returns `undefined` when the file cannot carry it; then no copy is made
 */
export async function withMetadata(
  source: { readonly content: MediaContent; readonly mediaType: string },
  { properties }: EmbeddedMetadata,
  targetPath: string,
): Promise<ContentWithMetadata | undefined> {
  if (!carriesXmp(source.mediaType) || properties.length === 0) return undefined;
  const place = await findXmpPlace(source.content.bytes, source.mediaType);
  if (place === undefined) return undefined;
  const merged =
    place.packet === undefined
      ? { packet: newPacket(properties), replaced: [] }
      : mergePacket(place.packet, properties);
  const edits = merged && place.write(merged.packet);
  if (merged === undefined || edits === undefined) return undefined;
  const content = await editedCopy(source.content, edits, targetPath);
  return { content, written: { ...merged, properties } };
}

/** The XMP packet of a file, for reading back what was written. */
export async function readPacket(path: string, mediaType: string): Promise<Buffer | undefined> {
  const file = await ByteSource.open(path);
  try {
    return await packetIn(file, mediaType);
  } finally {
    await file.close();
  }
}

/** The same of a file that is open already. */
export async function packetIn(file: ByteSource, mediaType: string): Promise<Buffer | undefined> {
  return carriesXmp(mediaType) ? (await findXmpPlace(file, mediaType))?.packet : undefined;
}

function carriesXmp(mediaType: string): mediaType is XmpMediaType {
  return (XMP_MEDIA_TYPES as readonly string[]).includes(mediaType);
}
