import { copyFile, readdir, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256Hex } from '../../../shared/bytes.js';
import { mediaVector } from '../../testing/media-vectors.js';
import { generatedPlan, type MediaFile, SigningWorkshop } from '../../testing/signing-workshop.js';
import { C2paMediaSigner, type C2paMediaSignerOptions } from '../c2pa-media-signer.js';
import { MAX_BYTES_IN_MEMORY, PIECE_BYTES } from '../media-content.js';

let workshop: SigningWorkshop;
/** Each is kept in another way: in memory, in memory shared with a thread, on the disk. */
let sources: readonly MediaFile[];
let other: MediaFile;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
  other = await workshop.sign(await workshop.picture('image/jpeg'));
  sources = [
    await workshop.picture('image/jpeg'),
    await sound(2 * PIECE_BYTES),
    await sound(MAX_BYTES_IN_MEMORY + PIECE_BYTES),
  ];
});
afterAll(() => workshop.close());

/** WAV: the length of the data chunk, and of all behind the first 8 bytes, stand in the head. */
async function sound(sizeBytes: number): Promise<MediaFile> {
  const tone = await mediaVector('tone.wav');
  const data = tone.indexOf('data');
  const bytes = Buffer.concat([tone.subarray(0, data + 8), Buffer.alloc(sizeBytes, 'sound')]);
  bytes.writeUInt32LE(sizeBytes, data + 4);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  return { path: await workshop.write(bytes), mediaType: 'audio/wav' };
}

interface Attempt {
  readonly originalSha256?: string;
  readonly change?: Partial<C2paMediaSignerOptions>;
}

async function sign(source: MediaFile, { originalSha256, change }: Attempt) {
  const { caCertificatePem, claimKey } = workshop.keystore;
  const signer = new C2paMediaSigner({
    key: claimKey,
    trust: { name: 'this installation', anchorsPem: caCertificatePem },
    sourceInspector: workshop.reader,
    version: '0.1.0',
    clock: { now: () => new Date() },
    ...change,
  });
  const destinationPath = workshop.newPath();
  const sha256 = originalSha256 ?? sha256Hex(await readFile(source.path));
  const origin = { kind: 'captured_from_provider', originalSha256: sha256, stepRunId: 'stp_1' } as const;
  const signed = await signer.sign({ source, destinationPath, origin, plan: generatedPlan() });
  return { ...source, path: destinationPath, signed };
}

/** A key that does something to the file just before it signs, when the file is laid out and not yet read back. */
function keyThatFirst(work: (unverifiedPath: string) => Promise<void>) {
  const key = workshop.keystore.claimKey;
  const sign: typeof key.sign = async (bytes) => {
    const name = (await readdir(workshop.folder)).find((each) => each.endsWith('.unverified'));
    await work(join(workshop.folder, name ?? ''));
    return key.sign(bytes);
  };
  return { change: { key: { ...key, sign } } };
}

describe.each([
  ['in memory', 0],
  ['in memory that is shared with a thread', 1],
  ['on the disk', 2],
])('a file that is kept %s', (_where, i) => {
  const source = (): MediaFile => sources[i] as MediaFile;

  it('is signed, and its hash is that of the bytes on the disk', async () => {
    const file = await sign(source(), {});
    expect(file.signed.sha256).toBe(sha256Hex(await readFile(file.path)));
    expect((await workshop.verify(file)).verdict).toBe('intact_and_trusted');
  });

  it('is refused before the key is asked when one bit is not as it was received', async () => {
    const received = await readFile(source().path);
    const bytes = Buffer.from(received);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    const changed = { ...source(), path: await workshop.write(bytes) };
    let asked = 0;
    const key = keyThatFirst(() => Promise.resolve(void (asked += 1)));
    const attempt = sign(changed, { originalSha256: sha256Hex(received), ...key });
    await expect(attempt).rejects.toMatchObject({ code: 'source_not_allowed' });
    expect(asked).toBe(0);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ['a bit of it is changed', flipOutsideOfManifest],
    ['its end is cut off', (path) => truncate(path, 3000)],
    ['another signed file is put in its place', (path) => copyFile(other.path, path)],
  ])('is not delivered when %s on the disk before it is read back', async (_what, change) => {
    const before = await readdir(workshop.folder);
    const code = expect.stringMatching(
      /^(internal|media_corrupt|manifest_malformed|unsupported_media)$/,
    ) as unknown;
    await expect(sign(source(), keyThatFirst(change))).rejects.toMatchObject({ code });
    expect(await readdir(workshop.folder)).toEqual(before);
  });
});

/** JPEG has the manifest before the picture, WAV behind the sound. */
async function flipOutsideOfManifest(path: string): Promise<void> {
  const bytes = await readFile(path);
  const at = bytes[0] === 0xff ? bytes.length - 100 : Math.floor(bytes.length / 3);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

describe('other bytes than those that were received', () => {
  it('are named as such, whatever else is wrong with them', async () => {
    const path = await workshop.write(Buffer.from('no picture at all'));
    const attempt = sign({ path, mediaType: 'image/jpeg' }, { originalSha256: 'f'.repeat(64) });
    await expect(attempt).rejects.toMatchObject({ code: 'source_not_allowed' });
  });

  it('do not get in by exchanging the file after it was compared: not as the picture, not as its history', async () => {
    const received = await workshop.sign(await workshop.picture('image/jpeg'));
    const exchanged = await workshop.sign(await workshop.picture('image/jpeg'));
    // Asked when the bytes are in memory already.
    const sourceInspector = {
      verify: async (file: MediaFile) => {
        const verification = await workshop.reader.verify(file);
        await rename(exchanged.path, received.path);
        return verification;
      },
    };
    const bytes = await readFile(received.path);
    const file = await sign(received, { change: { sourceInspector } });
    const { chain } = await workshop.verify(file);
    expect(chain?.ingredients.map(({ manifestLabel }) => manifestLabel)).toEqual([
      received.signed.manifestLabel,
    ]);
    const scan = (of: Buffer): Buffer => of.subarray(of.indexOf(Buffer.from('ffda', 'hex')));
    expect(scan(await readFile(file.path)).equals(scan(bytes))).toBe(true);
  });
});
