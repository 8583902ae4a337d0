import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode, encode } from 'cborg';
import sharp from 'sharp';
import { readManifestStore } from '../../adapters/carried-store.js';
import { storedManifests } from '../../domain/jumbf.js';
import { type MediaFile } from '../signing-workshop.js';
import { inSegments, segmentsOf } from './jpeg-segments.js';

/** So much less padding: room for a small picture. */
const CUT_BYTES = 15_000;
const COSE_SIGN1_TAG = 0xd2;

/**
 * A JPEG that somebody signed, in which another picture is shown: the padding of the signature, which no signature
 * covers, is cut, and the room that this leaves in the stretch without a hash is filled with a picture that decoders meet
 * first. Every byte under a hash or a signature is as it was.
 */
export async function pictureInRoomOfManifest(signed: MediaFile, folder: string): Promise<MediaFile> {
  const file = await readFile(signed.path);
  const { store, places } = await readManifestStore(signed.path);
  if (store === undefined) throw new Error('the file has no manifest');
  const shorter = inSegments(withLessPadding(store), segmentsOf(file)[0]?.instanceNumber ?? Buffer.alloc(2));
  const start = Math.min(...places.map(({ offset }) => offset));
  const end = Math.max(...places.map(({ offset, sizeBytes }) => offset + sizeBytes));
  const room = end - start - shorter.length;
  const other = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#ff0044' } })
    .jpeg()
    .toBuffer();
  if (other.length > room) throw new Error('the picture finds no room');
  // Without its own start of image; what is left behind its end is skipped.
  const filling = Buffer.concat([other.subarray(2), Buffer.alloc(room - other.length + 2)]);
  const path = join(folder, 'filled-room.jpg');
  await writeFile(path, Buffer.concat([file.subarray(0, start), shorter, filling, file.subarray(end)]));
  return { path, mediaType: 'image/jpeg' };
}

function withLessPadding(store: Buffer): Buffer {
  const signature = storedManifests(store).at(-1)?.signature;
  if (signature === undefined) throw new Error('the manifest is not signed');
  const [header, unprotected, payload, value] = decode(signature.subarray(1)) as [
    Uint8Array,
    { pad: Uint8Array },
    null,
    Uint8Array,
  ];
  const pad = new Uint8Array(unprotected.pad.length - CUT_BYTES);
  const shorter = Buffer.concat([Buffer.of(COSE_SIGN1_TAG), encode([header, { pad }, payload, value])]);
  const at = store.indexOf(signature);
  const cut = signature.length - shorter.length;
  const made = Buffer.concat([store.subarray(0, at), shorter, store.subarray(at + signature.length)]);
  shortenBoxesAround(store, made, { at, cut, from: 0, to: store.length });
  return made;
}

/** Every box that holds the signature is shorter by as much. */
function shortenBoxesAround(
  store: Buffer,
  made: Buffer,
  where: { readonly at: number; readonly cut: number; readonly from: number; readonly to: number },
): void {
  for (let offset = where.from; offset + 8 <= where.to; offset += store.readUInt32BE(offset)) {
    const sizeBytes = store.readUInt32BE(offset);
    if (where.at < offset || where.at >= offset + sizeBytes) continue;
    made.writeUInt32BE(sizeBytes - where.cut, offset);
    if (store.toString('latin1', offset + 4, offset + 8) === 'jumb')
      shortenBoxesAround(store, made, { ...where, from: offset + 8, to: offset + sizeBytes });
  }
}
