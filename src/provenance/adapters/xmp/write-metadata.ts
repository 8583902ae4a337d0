import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type EmbeddedMetadata, type XmpText } from '../../domain/manifest-plan.js';
import { ByteSource } from '../byte-source.js';
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

/**
 * Copies a file with metadata added to it: container parts are inserted, no pixel is encoded anew, and the same file and
 * metadata give the same bytes.
 *
 * @returns `undefined` when the file cannot carry it; then no copy is made
 */
export async function copyWithMetadata(
  source: { readonly path: string; readonly mediaType: string },
  { properties }: EmbeddedMetadata,
  targetPath: string,
): Promise<WrittenMetadata | undefined> {
  if (!carriesXmp(source.mediaType) || properties.length === 0) return undefined;
  const file = await ByteSource.open(source.path);
  try {
    const place = await findXmpPlace(file, source.mediaType);
    if (place === undefined) return undefined;
    const merged =
      place.packet === undefined
        ? { packet: newPacket(properties), replaced: [] }
        : mergePacket(place.packet, properties);
    const edits = merged && place.write(merged.packet);
    if (merged === undefined || edits === undefined) return undefined;
    await applyEdits(source.path, targetPath, edits);
    return { ...merged, properties };
  } finally {
    await file.close();
  }
}

/** The XMP packet of a file, for reading back what was written. */
export async function readPacket(path: string, mediaType: string): Promise<Buffer | undefined> {
  if (!carriesXmp(mediaType)) return undefined;
  const file = await ByteSource.open(path);
  try {
    return (await findXmpPlace(file, mediaType))?.packet;
  } finally {
    await file.close();
  }
}

function carriesXmp(mediaType: string): mediaType is XmpMediaType {
  return (XMP_MEDIA_TYPES as readonly string[]).includes(mediaType);
}

/** Edits are in the order of their offsets and do not overlap. */
async function applyEdits(sourcePath: string, targetPath: string, edits: readonly Edit[]): Promise<void> {
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
