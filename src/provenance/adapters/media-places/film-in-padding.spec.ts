import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Reader } from '@contentauth/c2pa-node';
import { readFile } from 'node:fs/promises';
import { sha256Hex } from '../../../shared/bytes.js';
import { createFreeAuthority, type FreeAuthority, signFreely } from '../../testing/free-signer.js';
import { mediaVector } from '../../testing/media-vectors.js';
import { type MediaFile, releaseSigners, SigningWorkshop } from '../../testing/signing-workshop.js';
import {
  boxPlaces,
  exchanged,
  filmOf,
  isoBox,
  mediaInPadding,
} from '../../testing/tampering/film-in-padding.js';
import { C2paReader } from '../c2pa-reader.js';

const FILES = [
  ['clip.mp4', 'video/mp4'],
  ['clip.mov', 'video/quicktime'],
  ['tone.m4a', 'audio/mp4'],
  ['still.heic', 'image/heic'],
] as const;

let workshop: SigningWorkshop;
let stranger: FreeAuthority;
let reader: C2paReader;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
  stranger = await createFreeAuthority();
  reader = new C2paReader({ trust: { name: 'vendors', anchorsPem: stranger.caPem } });
});
afterAll(async () => {
  await workshop.close();
  await releaseSigners();
});

async function signedByOthers(bytes: Buffer, mediaType: MediaFile['mediaType']): Promise<MediaFile> {
  const film = await filmOf(workshop, bytes, mediaType);
  return signFreely(film, `${film.path}-signed`, stranger, { title: 'Film' });
}

async function libraryState({ path, mediaType }: MediaFile): Promise<unknown> {
  const library = await Reader.fromAsset({ path, mimeType: mediaType });
  return (library?.json() as { validation_state?: unknown } | undefined)?.validation_state;
}

const MEDIA_UNSIGNED = {
  in: 'file',
  part: 'c2pa.hash.bmff.v3',
  code: 'assertion.bmffHash.additionalExclusionsPresent',
};

describe('a file of others whose media lie in padding', () => {
  it.each(FILES)('is broken, before and after they are exchanged: %s', async (name, mediaType) => {
    const signed = await signedByOthers(await mediaInPadding(await mediaVector(name)), mediaType);
    const forged = await exchanged(signed, workshop.folder);
    // Otherwise this test proves nothing: the library finds nothing wrong with it.
    expect(await libraryState(forged)).toBe('Valid');
    for (const file of [signed, forged]) {
      const { verdict, trustedBy, breaks } = await reader.verify(file);
      expect([verdict, trustedBy]).toEqual(['broken', undefined]);
      expect(breaks).toMatchObject([MEDIA_UNSIGNED]);
      expect(breaks[0]?.meaning).toMatch(/under no signature, and what is shown or heard may lie in it/);
    }
  });

  it('is broken when an AVIF points there', async () => {
    const { path } = await workshop.picture('image/avif');
    const signed = await signedByOthers(await mediaInPadding(await readFile(path), 'skip'), 'image/avif');
    expect((await reader.verify(signed)).breaks).toMatchObject([MEDIA_UNSIGNED]);
  });

  it.each(FILES)('is intact when padding holds anything else: %s', async (name, mediaType) => {
    const leftovers = isoBox('free', Buffer.from('left behind by an editor'));
    const signed = await signedByOthers(Buffer.concat([await mediaVector(name), leftovers]), mediaType);
    expect(await reader.verify(signed)).toMatchObject({ verdict: 'intact_and_trusted', breaks: [] });
    const other = await exchanged(signed, workshop.folder);
    expect(await reader.verify(other)).toMatchObject({ verdict: 'intact_and_trusted' });
  });
});

describe('what we sign of a file with padding', () => {
  it.each(FILES)('has it under the hash, whatever points there: %s', async (name, mediaType) => {
    const source = await mediaInPadding(await mediaVector(name));
    const signed = await workshop.sign(await filmOf(workshop, source, mediaType));
    const { verdict, chain } = await workshop.verify(signed);
    expect(verdict).toBe('intact_and_trusted');
    expect(chain?.assertions).toContainEqual(
      expect.objectContaining({
        label: 'org.colophon.preparation',
        data: { kind: 'padding-named', receivedSha256: sha256Hex(source), boxes: 1 },
      }),
    );
    const forged = await exchanged(signed, workshop.folder, 'junk');
    expect(await libraryState(forged)).toBe('Invalid');
    expect(await workshop.verify(forged)).toMatchObject({ verdict: 'broken' });
  });

  it('differs from what was received by the name alone', async () => {
    const received = await mediaInPadding(await mediaVector('clip.mov'));
    const { path } = await workshop.sign(await filmOf(workshop, received, 'video/quicktime'));
    const signed = await readFile(path);
    const [was, is] = await Promise.all([boxPlaces(received), boxPlaces(signed)]);
    expect(is.map(({ type }) => type).filter((type) => type !== 'uuid')).toEqual(
      was.map(({ type }) => (type === 'free' ? 'junk' : type)),
    );
    const [from, to] = [was.find(({ type }) => type === 'free'), is.find(({ type }) => type === 'junk')];
    const content = (file: Buffer, box = { offset: 0, sizeBytes: 0 }) =>
      file.subarray(box.offset + 8, box.offset + box.sizeBytes);
    expect(content(signed, to)).toEqual(content(received, from));
  });

  it('stays as it came when there is nothing in it, as in most films', async () => {
    const signed = await workshop.sign(await filmOf(workshop, await mediaVector('clip.mp4'), 'video/mp4'));
    const types = (await boxPlaces(await readFile(signed.path))).map(({ type }) => type);
    expect(types).toEqual(['ftyp', 'uuid', 'free', 'mdat', 'moov']);
    const labels = (await workshop.verify(signed)).chain?.assertions.map(({ label }) => label);
    expect(labels).not.toContain('org.colophon.preparation');
  });

  it('is nothing when the media lie where no hash can look', async () => {
    const film = Buffer.from(await mediaVector('clip.mov'));
    const inType = await mediaInPadding(film, 'mfra');
    await expect(workshop.sign(await filmOf(workshop, inType, 'video/quicktime'))).rejects.toMatchObject({
      code: 'media_corrupt',
    });
  });
});
