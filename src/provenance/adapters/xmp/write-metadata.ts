import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type EmbeddedMetadata, type XmpText } from '../../domain/manifest-plan.js';
import { ByteSource } from '../byte-source.js';
import { MediaContent } from '../media-content.js';
import { type Edit, findXmpPlace, XMP_MEDIA_TYPES, type XmpMediaType } from './xmp-places.js';
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
  source: { readonly content: MediaContent; readonly path: string; readonly mediaType: string },
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
  const { inMemory } = source.content;
  const written = { ...merged, properties };
  if (inMemory !== undefined) {
    const { buffer, memory } = inMemory;
    return { content: MediaContent.join(edited(buffer, edits), memory), written };
  }
  await copyEdited(source.path, targetPath, edits);
  return { content: await MediaContent.open(targetPath), written };
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

/** Edits are in the order of their offsets and do not overlap. */
function edited(bytes: Buffer, edits: readonly Edit[]): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { offset, remove, insert } of edits) {
    parts.push(bytes.subarray(at, offset), insert);
    at = offset + remove;
  }
  return [...parts, bytes.subarray(at)];
}

async function copyEdited(sourcePath: string, targetPath: string, edits: readonly Edit[]): Promise<void> {
  await pipeline(
    async function* () {
      let at = 0;
      for (const { offset, remove, insert } of edits) {
        if (offset > at) yield* createReadStream(sourcePath, { start: at, end: offset - 1 });
        yield insert;
        at = offset + remove;
      }
      yield* createReadStream(sourcePath, { start: at });
    },
    createWriteStream(targetPath, { flags: 'wx' }),
  );
}
