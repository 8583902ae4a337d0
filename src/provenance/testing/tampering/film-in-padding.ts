import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteSource } from '../../adapters/byte-source.js';
import { topLevelBoxes } from '../../adapters/iso-media-manifest-store.js';
import { type MediaFile, type SigningWorkshop } from '../signing-workshop.js';

interface BoxPlace {
  readonly type: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

export async function boxPlaces(file: Buffer): Promise<BoxPlace[]> {
  const found: BoxPlace[] = [];
  for await (const { type, offset, sizeBytes } of topLevelBoxes(ByteSource.of(file)))
    found.push({ type, offset, sizeBytes });
  return found;
}

/** ISO base media whose pictures or sounds lie in a box that calls itself padding: it plays as before. */
export async function mediaInPadding(file: Buffer, name = 'free'): Promise<Buffer> {
  const changed = Buffer.from(file);
  for (const { type, offset } of await boxPlaces(file))
    if (type === 'mdat') changed.write(name, offset + 4, 'latin1');
  return changed;
}

/** The signed file with other bytes in every box of that name, where its hash does not look if it is padding. */
export async function exchanged(
  signed: Pick<MediaFile, 'path' | 'mediaType'>,
  folder: string,
  name = 'free',
): Promise<MediaFile> {
  const file = await readFile(signed.path);
  for (const { type, offset, sizeBytes } of await boxPlaces(file)) {
    if (type !== name) continue;
    for (let at = offset + 8; at < offset + sizeBytes; at += 1) file[at] = (file[at] ?? 0) ^ 0x5a;
  }
  const path = join(folder, `exchanged-${signed.path.split('/').at(-1) ?? ''}`);
  await writeFile(path, file);
  return { path, mediaType: signed.mediaType };
}

export function isoBox(type: string, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + body.length, 0);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, body]);
}

export async function filmOf(
  workshop: SigningWorkshop,
  bytes: Buffer,
  mediaType: MediaFile['mediaType'],
): Promise<MediaFile> {
  return { path: await workshop.write(bytes), mediaType };
}
