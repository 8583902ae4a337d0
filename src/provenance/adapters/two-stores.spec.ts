import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Reader } from '@contentauth/c2pa-node';
import { createFreeAuthority, signFreely } from '../testing/free-signer.js';
import { releaseSigners, SigningWorkshop } from '../testing/signing-workshop.js';
import { pictureWithTwoStores } from '../testing/tampering/two-stores.js';

let workshop: SigningWorkshop;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(async () => {
  await workshop.close();
  await releaseSigners();
});

describe('a picture with two manifest stores', () => {
  it('is never intact and ours, although the library finds one that fits and we find one of ours', async () => {
    const genuine = await workshop.sign(await workshop.picture('image/jpeg'));
    const forged = await pictureWithTwoStores(
      genuine,
      await workshop.picture('image/jpeg', 96),
      workshop.folder,
    );
    const library = await Reader.fromAsset({ path: forged.path, mimeType: forged.mediaType });
    // Otherwise this test proves nothing: by itself, the library takes the stranger's for the manifest of the file.
    expect(library?.json()).toMatchObject({ validation_state: 'Valid' });
    const verification = await workshop.verify(forged);
    expect(verification).toMatchObject({ verdict: 'broken', trustedBy: undefined });
    expect(verification.breaks.map(({ code }) => code)).toContain('assertion.dataHash.mismatch');
  });

  it('is read as before when there is but one, by whomever', async () => {
    const ours = await workshop.sign(await workshop.picture('image/jpeg'));
    expect(await workshop.verify(ours)).toMatchObject({ verdict: 'intact_and_trusted' });
    const stranger = await createFreeAuthority();
    const picture = await workshop.picture('image/jpeg');
    const theirs = await signFreely(picture, `${workshop.folder}/theirs.jpg`, stranger, { title: 'Theirs' });
    expect(await workshop.verify(theirs)).toMatchObject({ verdict: 'intact', trustedBy: 'no list' });
  });
});
