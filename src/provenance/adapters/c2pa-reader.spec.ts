import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { effort } from '../../../test/support/effort.js';
import sharp from 'sharp';
import { isColophonError } from '../../shared/errors.js';
import {
  generatedPlan,
  PICTURE_TYPES,
  type PictureType,
  SigningWorkshop,
  type MediaFile,
} from '../testing/signing-workshop.js';
import { pictureWithRemoteManifest } from '../testing/remote-manifest-picture.js';
import { C2paReader } from './c2pa-reader.js';
import { readManifestStore } from './carried-store.js';

let workshop: SigningWorkshop;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(() => workshop.close());

async function altered(file: MediaFile, change: (bytes: Buffer) => Buffer): Promise<MediaFile> {
  return { ...file, path: await workshop.write(change(await readFile(file.path))) };
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x01;
  return copy;
}

/** What a reader may say about a file that somebody changed: never that it is intact. */
async function verdictOrRefusal(file: MediaFile): Promise<string> {
  try {
    return (await workshop.verify(file)).verdict;
  } catch (error) {
    if (isColophonError(error)) return error.code;
    throw error;
  }
}

describe('a changed file', () => {
  it.each(PICTURE_TYPES)('%s: one flipped bit in the picture', async (type) => {
    const file = await workshop.sign(await workshop.picture(type));
    const { store } = await readManifestStore(file.path);
    const bytes = await readFile(file.path);
    const manifestAt = bytes.indexOf(store?.subarray(0, 40) ?? '');
    const manifestEnd = manifestAt + (store?.length ?? 0);
    for (let trial = 0; trial < 20; trial += 1) {
      // In the second half of the picture: past headers, where a flip could make it another type of file.
      const before = manifestAt > bytes.length / 2;
      const range = before ? [manifestAt / 2, manifestAt - 64] : [manifestEnd + 512, bytes.length - 16];
      const at = Math.floor((range[0] ?? 0) + Math.random() * ((range[1] ?? 0) - (range[0] ?? 0)));
      const verdict = await verdictOrRefusal(await altered(file, (old) => flipped(old, at)));
      expect(['broken', 'media_corrupt', 'manifest_malformed']).toContain(verdict);
    }
  });

  // A few bytes of framing (box lengths, the label of the store, the name of the COSE padding, a PNG checksum) are
  // under no hash of the specification and ignored by readers. Changing them must at least change nothing we say.
  it('a flipped bit anywhere in the manifest changes nothing that is said, or is found', async () => {
    const file = await workshop.sign(await workshop.picture());
    const { chain } = await workshop.verify(file);
    const { store } = await readManifestStore(file.path);
    const manifestAt = (await readFile(file.path)).indexOf(store?.subarray(0, 40) ?? '');
    let found = 0;
    let tried = 0;
    for (let at = manifestAt; at < manifestAt + (store?.length ?? 0); at += effort(23, 1)) {
      const other = await altered(file, (old) => flipped(old, at));
      const verdict = await verdictOrRefusal(other);
      tried += 1;
      // Where the library reads on and we do not, the signer is no longer trusted: that is found as well.
      if (verdict === 'intact_and_trusted') expect((await workshop.verify(other)).chain).toEqual(chain);
      else found += 1;
    }
    expect(found / tried).toBeGreaterThan(0.95);
  });

  it('bytes added at the end', async () => {
    const file = await workshop.sign(await workshop.picture('image/jpeg'));
    const longer = await altered(file, (bytes) => Buffer.concat([bytes, Buffer.from('more')]));
    expect((await workshop.verify(longer)).verdict).toBe('broken');
  });

  it('the manifest of another picture', async () => {
    const [one, two] = [
      await workshop.sign(await workshop.picture()),
      await workshop.sign(await workshop.picture()),
    ];
    const foreign = manifestChunk(await readFile(two.path));
    const swapped = await altered(one, (bytes) => {
      const own = manifestChunk(bytes);
      return Buffer.concat([bytes.subarray(0, own.start), foreign.bytes, bytes.subarray(own.end)]);
    });
    const result = await workshop.verify(swapped);
    expect(result).toMatchObject({ verdict: 'broken', trustedBy: undefined });
    expect(result.sentences[0]).toContain('the file does not match the manifest');
  });
});

/** The caBX chunk of a PNG with its length, type and CRC. */
function manifestChunk(png: Buffer): { bytes: Buffer; start: number; end: number } {
  const start = png.indexOf('caBX') - 4;
  const end = start + 12 + png.readUInt32BE(start);
  return { bytes: png.subarray(start, end), start, end };
}

describe('whom the reader trusts', () => {
  it('not a certificate that only bears our names', async () => {
    const impostor = await SigningWorkshop.create();
    const file = await impostor.sign(await impostor.picture());
    const ours = await workshop.sign(await workshop.picture());
    const [theirs, own] = [await workshop.verify(file), await workshop.verify(ours)];
    expect(theirs.chain?.signer?.commonName).toBe(own.chain?.signer?.commonName);
    expect(theirs.chain?.claimGenerator).toBe(own.chain?.claimGenerator);
    expect(theirs).toMatchObject({ verdict: 'intact', trustedBy: 'no list' });
    expect(own).toMatchObject({ verdict: 'intact_and_trusted', trustedBy: 'this installation' });
    expect(theirs.sentences.join(' ')).toContain('on no list we know');
    await impostor.close();
  });

  it('nobody, when it knows no list', async () => {
    const file = await workshop.sign(await workshop.picture());
    const result = await new C2paReader({ trust: undefined }).verify(file);
    expect(result).toMatchObject({ verdict: 'intact', trustedBy: 'no list' });
  });

  it('not a certificate that has expired', async () => {
    const longAgo = { now: () => new Date(Date.now() - 400 * 86_400_000) };
    const old = await SigningWorkshop.create({ clock: longAgo });
    const source = await old.picture();
    // The signer itself notices, because what it signed does not read back as trusted.
    await expect(old.sign(source)).rejects.toThrow('it reads as broken');
    await old.close();
  });

  it('shows no character of a name that could rewrite the page', async () => {
    const title = 'evil\u202egnp.\n<script>alert(1)</script>';
    const upstream = await altered(await workshop.sign(await workshop.picture()), (bytes) =>
      flipped(bytes, bytes.length - 30),
    );
    const file = await workshop.sign(upstream, generatedPlan({ title }), 'received_with_declaration');
    const { sentences, chain } = await workshop.verify(file);
    expect(chain?.ingredients[0]?.title).toBe(title);
    expect(sentences.join('')).toContain('evilgnp.<script>');
    expect(sentences.join('')).not.toMatch(/[\u202e\n]/);
  });
});

describe('a file without a manifest', () => {
  it.each(PICTURE_TYPES)('%s reads as none', async (type) => {
    const file = await workshop.picture(type);
    expect(await workshop.verify(file)).toMatchObject({
      verdict: 'none',
      chain: undefined,
      manifestSha256: undefined,
      brokenIngredient: false,
    });
  });

  it('that names a manifest elsewhere: nobody goes there, and it can be signed', async () => {
    const file = await workshop.picture();
    const path = await pictureWithRemoteManifest(workshop, file, 'http://127.0.0.1:9/manifest.c2pa');
    expect((await workshop.verify({ ...file, path })).verdict).toBe('none');
    const signed = await workshop.sign({ ...file, path });
    expect((await workshop.verify(signed)).verdict).toBe('intact_and_trusted');
  });
});

describe('hostile files never crash the reader', () => {
  const magic: Readonly<Record<PictureType, Buffer>> = {
    'image/png': Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    'image/jpeg': Buffer.from('\xff\xd8\xff\xeb', 'latin1'),
    'image/webp': Buffer.from('RIFF\xff\xff\xff\x7fWEBPC2PA', 'latin1'),
    'image/avif': Buffer.from('\0\0\0\x18ftypavif\0\0\0\0avifmif1', 'latin1'),
    'image/tiff': Buffer.from('II*\0\x08\0\0\0\xff\xff', 'latin1'),
    'image/gif': Buffer.from('GIF89a\x01\0\x01\0\xf7\0\0', 'latin1'),
  };

  it.each(PICTURE_TYPES)('%s: truncated at any place', async (type) => {
    const file = await workshop.sign(await workshop.picture(type));
    const { length } = await readFile(file.path);
    for (let part = 1; part < 40; part += 1) {
      const short = await altered(file, (bytes) => bytes.subarray(0, Math.floor((length * part) / 40)));
      expect(await verdictOrRefusal(short)).not.toMatch(/^intact/);
    }
  });

  it.each(PICTURE_TYPES)('%s: random bytes after the right beginning', async (type) => {
    for (let trial = 0; trial < 25; trial += 1) {
      const path = await workshop.write(Buffer.concat([magic[type], randomBytes(trial * 40)]));
      expect(await verdictOrRefusal({ path, mediaType: type })).not.toMatch(/^intact/);
    }
  });

  it('a picture whose manifest is no manifest', async () => {
    const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#123' } })
      .png()
      .toBuffer();
    for (const body of [Buffer.from('not a manifest at all'), Buffer.alloc(400), randomBytes(300)]) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      const chunk = Buffer.concat([length, Buffer.from('caBX'), body, Buffer.alloc(4)]);
      const path = await workshop.write(Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]));
      const file = { path, mediaType: 'image/png' } as const;
      expect(await verdictOrRefusal(file)).toBe('manifest_malformed');
      const received = workshop.sign(file, generatedPlan(), 'received_with_declaration');
      await expect(received).rejects.toMatchObject({ code: 'manifest_malformed' });
      // A vendor was paid for it: signed without that manifest, which is told.
      const captured = await workshop.sign(file);
      expect(captured.signed.keptManifest).toMatchObject({ isLeftOut: true, verdict: 'broken' });
      expect(await workshop.verify(captured)).toMatchObject({ verdict: 'intact_and_trusted' });
    }
  });

  it('refuses what is no medium', async () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('<html>'),
      Buffer.from('%PDF-1.7'),
      randomBytes(2000),
    ]) {
      const path = await workshop.write(bytes);
      expect(await verdictOrRefusal({ path, mediaType: 'image/png' })).toBe('unsupported_media');
    }
  });
});
