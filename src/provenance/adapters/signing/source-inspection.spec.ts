import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { C2paReader } from '../c2pa-reader.js';
import { MediaContent } from '../media-content.js';
import { pictureWithRemoteManifest } from '../../testing/remote-manifest-picture.js';
import { SigningWorkshop } from '../../testing/signing-workshop.js';
import { hasNoTraceOfManifest } from './source-inspection.js';

let workshop: SigningWorkshop;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(() => workshop.close());

async function hasNoTrace(path: string, mediaType: string): Promise<boolean> {
  const content = await MediaContent.open(path);
  try {
    return hasNoTraceOfManifest(content, mediaType);
  } finally {
    await content.close();
  }
}

/** What the library says, where it can parse the file at all. */
async function libraryFinds(path: string): Promise<boolean> {
  try {
    return await new C2paReader({ trust: undefined }).findsManifest({ path, mimeType: 'image/jpeg' });
  } catch {
    return true;
  }
}

describe('a picture without a trace of a manifest', () => {
  it('is a JPEG as a camera or a vendor makes it', async () => {
    const { path } = await workshop.picture('image/jpeg', 64);
    expect(await hasNoTrace(path, 'image/jpeg')).toBe(true);
    expect(await libraryFinds(path)).toBe(false);
  });

  it('is none that was signed, nor one whose manifest lies elsewhere', async () => {
    const picture = await workshop.picture('image/jpeg', 64);
    const { path } = await workshop.sign(picture);
    expect(await hasNoTrace(path, 'image/jpeg')).toBe(false);
    const elsewhere = await pictureWithRemoteManifest(workshop, picture, 'https://example.org/m.c2pa');
    expect(await hasNoTrace(elsewhere, 'image/jpeg')).toBe(false);
  });

  it('is not told of a format that may hold one compressed or encoded', async () => {
    const { path } = await workshop.picture('image/png', 64);
    expect(await hasNoTrace(path, 'image/png')).toBe(false);
  });

  it('is none in which the library finds one, whatever is broken in its segments', async () => {
    const { path } = await workshop.sign(await workshop.picture('image/jpeg', 64));
    const signed = await readFile(path);
    // The segments of the manifest begin right behind the first two markers.
    const front = signed.indexOf('jumb', 0, 'latin1') + 64;
    for (let at = 2; at < front; at++) {
      const broken = Buffer.from(signed);
      broken[at] = (broken[at] ?? 0) ^ 0x41;
      const place = workshop.newPath();
      await writeFile(place, broken);
      if (await hasNoTrace(place, 'image/jpeg')) expect([at, await libraryFinds(place)]).toEqual([at, false]);
    }
  });
});
