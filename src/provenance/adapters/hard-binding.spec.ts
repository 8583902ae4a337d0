import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Reader } from '@contentauth/c2pa-node';
import sharp from 'sharp';
import { createFreeAuthority, type FreeAuthority, signFreely } from '../testing/free-signer.js';
import { type MediaFile, releaseSigners, SigningWorkshop } from '../testing/signing-workshop.js';
import { pictureInRoomOfManifest } from '../testing/tampering/filled-room.js';
import { C2paReader } from './c2pa-reader.js';
import { readManifestStore } from './carried-store.js';
import { unsignedStretch } from './hard-binding.js';

let workshop: SigningWorkshop;
let camera: FreeAuthority;
let photograph: MediaFile;
let reader: C2paReader;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
  camera = await createFreeAuthority();
  photograph = await signFreely(
    await workshop.picture('image/jpeg', 64),
    `${workshop.folder}/photograph.jpg`,
    camera,
    { title: 'Photograph' },
  );
  reader = new C2paReader({
    trust: { name: 'cameras', anchorsPem: camera.caPem },
  });
});
afterAll(async () => {
  await workshop.close();
  await releaseSigners();
});

async function colorOf({ path }: MediaFile): Promise<number[]> {
  return [...(await sharp(path, { failOn: 'none' }).resize(1, 1).raw().toBuffer())];
}

describe('what the hash of a file leaves out', () => {
  it('is the manifest and no other picture: such a file is broken, though every hash and signature holds', async () => {
    expect(await reader.verify(photograph)).toMatchObject({ verdict: 'intact_and_trusted' });
    const filled = await pictureInRoomOfManifest(photograph, workshop.folder);
    expect(await colorOf(filled)).not.toEqual(await colorOf(photograph));
    const library = await Reader.fromAsset({ path: filled.path, mimeType: filled.mediaType });
    // Otherwise this test proves nothing: the library finds nothing wrong with it.
    expect(library?.json()).toMatchObject({ validation_state: 'Valid' });
    const verification = await reader.verify(filled);
    expect(verification).toMatchObject({ verdict: 'broken', trustedBy: undefined });
    expect(verification.breaks).toMatchObject([
      { in: 'file', part: 'c2pa.hash.data', code: 'assertion.dataHash.additionalExclusionsPresent' },
    ]);
  });

  it('is nothing for a manifest in a file of its own', async () => {
    const { store, places } = await readManifestStore(photograph.path);
    if (store === undefined) throw new Error('no manifest');
    expect(unsignedStretch(store, places)).toBeUndefined();
    expect(unsignedStretch(store, [])).toMatchObject({ outcome: 'failure' });
    const [first] = places;
    const shorter = first === undefined ? [] : [{ ...first, sizeBytes: first.sizeBytes - 1 }];
    expect(unsignedStretch(store, [...shorter, ...places.slice(1)])).toMatchObject({ outcome: 'failure' });
  });
});
