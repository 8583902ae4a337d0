import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { SharpMediaProbe } from '../../../assets/adapters/sharp-media-probe.js';
import { normalizePicture } from '../../../assets/adapters/normalize-picture.js';
import { type SignableMediaType } from '../../domain/media-types.js';
import { mediaVector } from '../../testing/media-vectors.js';
import { SigningWorkshop } from '../../testing/signing-workshop.js';
import { readManifestStore } from '../carried-store.js';

let workshop: SigningWorkshop;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(() => workshop.close());

/** The parts of a signed file in which its manifest lies. */
async function manifestParts(type: 'image/jpeg' | 'image/gif'): Promise<Buffer> {
  const { path } = await workshop.sign(await workshop.picture(type));
  const [{ places }, bytes] = [await readManifestStore(path), await readFile(path)];
  return Buffer.concat(places.map(({ offset, sizeBytes }) => bytes.subarray(offset, offset + sizeBytes)));
}

function inserted(bytes: Buffer, at: number, part: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
}

async function signedOf(bytes: Buffer, mediaType: SignableMediaType) {
  const signed = await workshop.sign({ path: await workshop.write(bytes), mediaType });
  const { verdict, chain } = await workshop.verify(signed);
  const prepared = chain?.assertions.find(({ label }) => label === 'org.colophon.preparation');
  return { verdict, prepared: prepared?.data, bytes: await readFile(signed.path) };
}

it('a manifest behind the first scan of a JPEG is left out, and the signed file says so', async () => {
  const jpeg = await readFile((await workshop.picture('image/jpeg')).path);
  const progressive = await sharp(jpeg).jpeg({ progressive: true }).toBuffer();
  const parts = await manifestParts('image/jpeg');
  const secondScan = progressive.indexOf(
    Buffer.from([0xff, 0xc4]),
    progressive.indexOf(Buffer.from([0xff, 0xda])),
  );
  const files = [inserted(jpeg, jpeg.length - 2, parts), inserted(progressive, secondScan, parts)];
  for (const file of files) {
    const { verdict, prepared, bytes } = await signedOf(file, 'image/jpeg');
    expect(verdict).toBe('intact_and_trusted');
    expect(prepared).toMatchObject({ kind: 'manifest-removed' });
    expect(bytes.includes(parts)).toBe(false);
  }
});

it('a manifest of a GIF where the library does not look is left out', async () => {
  const gif = await readFile((await workshop.picture('image/gif')).path);
  const parts = await manifestParts('image/gif');
  const { verdict, prepared } = await signedOf(inserted(gif, gif.length - 1, parts), 'image/gif');
  expect({ verdict, prepared }).toMatchObject({
    verdict: 'intact_and_trusted',
    prepared: { kind: 'manifest-removed' },
  });
});

it.each([
  ['with an extended header', 0x40],
  ['that is unsynchronised', 0x80],
])('a manifest that cannot be read goes with the tag of an MP3 %s', async (_name, flags) => {
  const source = await workshop.write(await mediaVector('tone.mp3'));
  const bytes = await readFile((await workshop.sign({ path: source, mediaType: 'audio/mpeg' })).path);
  const label = bytes.indexOf('c2pa.assertions');
  bytes.fill(0, label + 16, label + 136);
  const extended = flags === 0x40 ? Buffer.from([0, 0, 0, 6, 1, 0]) : Buffer.alloc(0);
  const received = inserted(bytes, 10, extended);
  received[5] = flags;
  const length = extended.length + bytes.subarray(6, 10).reduce((sum, each) => sum * 128 + each, 0);
  received.set(
    [21, 14, 7, 0].map((shift) => (length >> shift) & 0x7f),
    6,
  );
  const { verdict, prepared } = await signedOf(received, 'audio/mpeg');
  expect({ verdict, prepared }).toMatchObject({
    verdict: 'intact_and_trusted',
    prepared: { kind: 'manifest-removed' },
  });
});

it('a signed TIFF can be taken in again and looked at', async () => {
  const signed = await workshop.sign(await workshop.picture('image/tiff'));
  await expect(sharp(signed.path, { failOn: 'error' }).raw().toBuffer()).rejects.toThrow('ImageLength');
  expect(await new SharpMediaProbe().probe({ path: signed.path })).toMatchObject({
    mediaType: 'image/tiff',
    width: 64,
    frames: 1,
  });
  await normalizePicture(signed.path);
  const again = await workshop.sign({ path: signed.path, mediaType: 'image/tiff' });
  expect(again.signed.keptManifest?.verdict).toBe('intact_and_trusted');
});

it('what stands in a second box of brands is under the hash of a film', async () => {
  const film = await mediaVector('clip.mp4');
  const brands = film.subarray(0, film.readUInt32BE(0));
  const received = Buffer.concat([film, brands]);
  const { verdict, prepared, bytes } = await signedOf(received, 'video/mp4');
  expect({ verdict, prepared }).toMatchObject({
    verdict: 'intact_and_trusted',
    prepared: { kind: 'padding-named' },
  });
  const changed = Buffer.from(bytes);
  changed.writeUInt8((changed.at(-3) ?? 0) ^ 1, changed.length - 3);
  const path = await workshop.write(changed);
  expect((await workshop.verify({ path, mediaType: 'video/mp4' })).verdict).toBe('broken');
});
