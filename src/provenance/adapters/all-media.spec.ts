import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { effort } from '../../../test/support/effort.js';
import { sha256Hex } from '../../shared/bytes.js';
import { isColophonError } from '../../shared/errors.js';
import { manifestPlacementOf, type SignableMediaType } from '../domain/media-types.js';
import { type MediaVerification } from '../domain/media-verifier.port.js';
import { MEDIA_VECTORS, mediaVector } from '../testing/media-vectors.js';
import { type MediaFile, PICTURE_TYPES, SigningWorkshop } from '../testing/signing-workshop.js';
import { readManifestStore } from './carried-store.js';

let workshop: SigningWorkshop;

beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(() => workshop.close());

type Signed = Awaited<ReturnType<SigningWorkshop['sign']>>;

async function signedVector(name: string, mediaType: SignableMediaType): Promise<Signed> {
  return workshop.sign({ path: await workshop.write(await mediaVector(name)), mediaType });
}

/** What is said of a file that somebody changed, or the code with which it is refused. */
async function resultOf(file: MediaFile): Promise<MediaVerification | string> {
  try {
    return await workshop.verify(file);
  } catch (error) {
    if (isColophonError(error)) return error.code;
    throw error;
  }
}

const isIntact = (result: MediaVerification | string): result is MediaVerification =>
  typeof result !== 'string' && result.verdict.startsWith('intact');

function flipped(bytes: Buffer, at: number, bit = 0): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ (1 << bit);
  return changed;
}

describe.each(MEDIA_VECTORS)('%s', (name, mediaType) => {
  it('is recognized by its bytes, signed, and reads back as intact; all hashes can be redone', async () => {
    const original = await mediaVector(name);
    const file = await signedVector(name, mediaType);
    const bytes = await readFile(file.path);
    const placement = manifestPlacementOf(mediaType);
    expect(file.signed).toMatchObject({ sha256: sha256Hex(bytes), manifestPlacement: placement });
    expect(await workshop.verify(file)).toMatchObject({
      verdict: 'intact_and_trusted',
      mediaType,
      sha256: sha256Hex(bytes),
      sizeBytes: bytes.length,
      manifestPlacement: placement,
      manifestSha256: file.signed.manifestSha256,
      claimSha256: file.signed.claimSha256,
    });
    if (file.manifestPath !== undefined) {
      expect(bytes).toEqual(original);
      expect(sha256Hex(await readFile(file.manifestPath))).toBe(file.signed.manifestSha256);
    }
  });

  it('reads as none before it was signed', async () => {
    const path = await workshop.write(await mediaVector(name));
    expect(await workshop.verify({ path, mediaType })).toMatchObject({ verdict: 'none', mediaType });
  });

  it('one changed byte of what it shows, and one of its manifest, is found', async () => {
    const file = await signedVector(name, mediaType);
    const bytes = await readFile(file.path);
    // The last byte belongs to the content in all of these but WAV, whose manifest is the last chunk.
    const contentAt = mediaType === 'audio/wav' ? 60 : bytes.length - 1;
    await writeFile(file.path, flipped(bytes, contentAt));
    expect(isIntact(await resultOf(file))).toBe(false);
    await writeFile(file.path, bytes);
    const holder = file.manifestPath ?? file.path;
    const manifest = await readFile(holder);
    const signatureAt = manifestAt(manifest, 'c2pa.signature') + 60;
    await writeFile(holder, flipped(manifest, signatureAt));
    expect(isIntact(await resultOf(file))).toBe(false);
  });

  it('cut off anywhere it is never intact', async () => {
    const file = await signedVector(name, mediaType);
    const bytes = await readFile(file.path);
    for (let part = 1; part < 20; part += effort(6, 1)) {
      await writeFile(file.path, bytes.subarray(0, Math.floor((bytes.length * part) / 20)));
      expect(isIntact(await resultOf(file))).toBe(false);
    }
  });
});

/** Where a label stands; in SVG the manifest is base64, so any place in the second half of it will do. */
function manifestAt(manifest: Buffer, label: string): number {
  const at = manifest.lastIndexOf(label);
  return at >= 0 ? at : manifest.indexOf('</c2pa:manifest>') - 800;
}

/** Random places, the same in each run. */
function* places(length: number, count: number): Generator<readonly [at: number, bit: number]> {
  let state = 20_261_122;
  const next = (): number => (state = (state * 48_271) % 2_147_483_647);
  for (let i = 0; i < count; i += 1) yield [next() % length, next() % 8];
}

/**
 * The bytes that no hash of the specification covers: the manifest's own place in the file with the header that holds
 * it, and in ISO media the content of the first box, `ftyp` (C2PA 2.4 section 18.7 excludes both). Inside of the
 * manifest these are padding and framing.
 */
function isExcluded(bytes: Buffer, store: Buffer | undefined, at: number): boolean {
  const isIsoMedia = bytes.toString('latin1', 4, 8) === 'ftyp';
  if (isIsoMedia && at >= 8 && at < bytes.readUInt32BE(0)) return true;
  if (store === undefined) return false;
  const start = bytes.indexOf(store);
  // The header of the box in ISO media: 16 bytes of user type, 4 of version, 9 of purpose, 8 of offset, and its own 8.
  // The 4 bytes behind it are the checksum of its chunk in PNG.
  if (start >= 0) return at >= start - 48 && at < start + store.length + 4;
  // GIF writes a length before each 255 bytes of it.
  const first = bytes.indexOf(store.subarray(0, 200));
  if (first >= 0) return at >= first && at < first + store.length + Math.ceil(store.length / 255);
  const text = bytes.indexOf(store.toString('base64').slice(0, 64));
  return at >= text && at < text + Math.ceil(store.length / 3) * 4;
}

describe('single flipped bits', () => {
  const cases = [
    ...MEDIA_VECTORS.filter(([name]) => !/without|ascii|words\.md|opus/.test(name)),
    ...PICTURE_TYPES.map((type) => [type, type] as const),
  ];

  it.each(cases)(
    'of %s: intact only where no hash reaches, and then nothing else is said',
    async (name, type) => {
      const picture = PICTURE_TYPES.find((each) => each === name);
      const file = picture
        ? await workshop.sign(await workshop.picture(picture, 24))
        : await signedVector(name, type);
      const { chain } = await workshop.verify(file);
      const bytes = await readFile(file.path);
      const { store } = await readManifestStore(file.path);
      for (const [at, bit] of places(bytes.length, effort(12, 200))) {
        await writeFile(file.path, flipped(bytes, at, bit));
        const result = await resultOf(file);
        if (!isIntact(result)) continue;
        expect({ at, excluded: isExcluded(bytes, store, at) }).toEqual({ at, excluded: true });
        // Where our own reading of the signature fails, trust may be lost; it is never won.
        const trustedBy = chain?.signer?.trustedBy;
        const signer = { ...result.chain?.signer, trustedBy };
        // `ftyp` of ISO media says whether it is film or sound.
        const isIsoMedia = bytes.toString('latin1', 4, 8) === 'ftyp';
        const expected = isIsoMedia ? { ...chain, mediaType: result.chain?.mediaType } : chain;
        expect({ ...result.chain, signer }).toEqual({ ...expected, signer: { ...chain?.signer } });
        expect([undefined, trustedBy]).toContain(result.chain?.signer?.trustedBy);
        // The log knows every byte of the file: such a copy is never called ours.
        expect(result.sha256).not.toBe(file.signed.sha256);
      }
    },
  );
});

describe('a sidecar', () => {
  it('of another file, and one that is none, does not make a file intact', async () => {
    const film = await signedVector('clip.webm', 'video/webm');
    const words = await signedVector('words.txt', 'text/plain');
    expect(await resultOf({ ...film, manifestPath: words.manifestPath })).toMatchObject({
      verdict: 'broken',
    });
    for (const bytes of [Buffer.alloc(0), Buffer.from('no manifest'), Buffer.alloc(4000)]) {
      const result = await resultOf({ ...film, manifestPath: await workshop.write(bytes) });
      expect(isIntact(result)).toBe(false);
    }
  });

  it('is refused for a file that carries a manifest', async () => {
    const film = await signedVector('clip.mp4', 'video/mp4');
    const words = await signedVector('words.txt', 'text/plain');
    expect(await resultOf({ ...film, manifestPath: words.manifestPath })).toBe('sidecar_not_needed');
  });

  it('is for other files only: the bytes to be signed are never changed', async () => {
    for (const [name, type] of MEDIA_VECTORS.filter(([, each]) => manifestPlacementOf(each) === 'sidecar')) {
      const file = await signedVector(name, type);
      expect(await readFile(file.path)).toEqual(await mediaVector(name));
    }
  });
});

describe('a bare JPEG XL codestream', () => {
  it('is refused by the signer, and carries no manifest', async () => {
    const path = await workshop.write(await mediaVector('codestream.jxl'));
    const file = { path, mediaType: 'image/jxl' } as const;
    expect(await workshop.verify(file)).toMatchObject({ verdict: 'none' });
    await expect(workshop.sign(file)).rejects.toMatchObject({ code: 'unsupported_media' });
  });
});
