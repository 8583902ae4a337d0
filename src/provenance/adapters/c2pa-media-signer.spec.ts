import { readdir, readFile, writeFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Reader } from '@contentauth/c2pa-node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { normalizePicture } from '../../assets/adapters/normalize-picture.js';
import { sha256Hex } from '../../shared/bytes.js';
import { DIGITAL_SOURCE_TYPES } from '../domain/manifest-plan.js';
import { createFreeAuthority, signFreely } from '../testing/free-signer.js';
import {
  action,
  generatedPlan,
  parentOf,
  PICTURE_TYPES,
  SigningWorkshop,
  type MediaFile,
} from '../testing/signing-workshop.js';
import { C2paMediaSigner } from './c2pa-media-signer.js';
import { readManifestStore } from './carried-store.js';

let workshop: SigningWorkshop;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(() => workshop.close());

/** With one more C2PA chunk behind IHDR. */
function withManifestParts(png: Buffer, content: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from('caBX'), content]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  checksum.writeUInt32BE(crc32(typed));
  return Buffer.concat([png.subarray(0, 33), length, typed, checksum, png.subarray(33)]);
}

/** As other readers of the file show it. */
async function thumbnailIn({ path, mediaType }: MediaFile): Promise<Buffer | undefined> {
  const reader = await Reader.fromAsset({ path, mimeType: mediaType });
  const active = reader?.getActive() as { thumbnail?: { identifier: string } } | undefined;
  const identifier = active?.thumbnail?.identifier;
  if (reader === null || identifier === undefined) return undefined;
  const { buffer } = (await reader.resourceToAsset(identifier, { buffer: null })) as { buffer: Buffer };
  return buffer;
}

describe('signing', () => {
  it('makes the four steps of a pipeline visible as one chain', async () => {
    const enhanced = DIGITAL_SOURCE_TYPES.algorithmicallyEnhanced;
    const step = (parent: MediaFile, name: string, what: string) =>
      generatedPlan({
        title: what,
        actions: [action(name, 'algorithmicallyEnhanced', what)],
        ingredients: [parentOf(parent, `before: ${what}`)],
      });
    const generated = await workshop.sign(await workshop.picture());
    const cutOut = await workshop.sign(
      await workshop.picture(),
      step(generated, 'c2pa.edited', 'Background removed'),
    );
    const upscaled = await workshop.sign(await workshop.picture(), step(cutOut, 'c2pa.edited', 'Upscaled'));
    const recolored = await workshop.sign(
      await workshop.picture(),
      step(upscaled, 'c2pa.adjustedColor', 'Recolored'),
    );

    const result = await workshop.verify(recolored);
    expect(result).toMatchObject({
      verdict: 'intact_and_trusted',
      trustedBy: 'this installation',
      brokenIngredient: false,
    });

    const seen = [];
    for (let node = result.chain; node; node = node.ingredients[0]) {
      expect(node.claimGenerator).toBe('Colophon 0.1.0');
      expect(node.actions.every((each) => each.attributedTo === 'created')).toBe(true);
      seen.push([node.manifestLabel, ...node.actions.map((each) => [each.action, each.digitalSourceType])]);
    }
    const opened = ['c2pa.opened', undefined];
    expect(seen).toEqual([
      [recolored.signed.manifestLabel, opened, ['c2pa.adjustedColor', enhanced]],
      [upscaled.signed.manifestLabel, opened, ['c2pa.edited', enhanced]],
      [cutOut.signed.manifestLabel, opened, ['c2pa.edited', enhanced]],
      [generated.signed.manifestLabel, ['c2pa.created', DIGITAL_SOURCE_TYPES.trainedAlgorithmicMedia]],
    ]);
    expect(result.sentences).toContain('Its history holds 4 signed manifests.');
  });

  it.each(PICTURE_TYPES)('signs %s so that it reads as intact and its hashes can be redone', async (type) => {
    const source = await workshop.picture(type);
    const file = await workshop.sign(source, generatedPlan({ thumbnail: true }));
    const bytes = await readFile(file.path);
    const result = await workshop.verify(file);
    expect(result).toMatchObject({
      verdict: 'intact_and_trusted',
      mediaType: type,
      sha256: sha256Hex(bytes),
      sizeBytes: bytes.length,
      manifestSha256: file.signed.manifestSha256,
      claimSha256: file.signed.claimSha256,
    });
    expect(file.signed).toMatchObject({ sha256: sha256Hex(bytes), sizeBytes: bytes.length });
    const { thumbnail } = await normalizePicture(source.path);
    expect(await thumbnailIn(file)).toEqual(Buffer.from(thumbnail));
  });

  it('makes no thumbnail by itself', async () => {
    const source = await workshop.picture('image/jpeg');
    expect(await thumbnailIn(await workshop.sign(source))).toBeUndefined();
  });

  it('names the certificate that signed', async () => {
    const { signed } = await workshop.sign(await workshop.picture());
    const leaf = new X509Certificate(workshop.keystore.claimKey.certificateChainPem);
    expect(signed.certificateSha256).toBe(sha256Hex(leaf.raw));
  });

  it('keeps what we know apart from what a vendor says', async () => {
    const file = await workshop.sign(
      await workshop.picture(),
      generatedPlan({
        assertions: [
          { label: 'com.colophon.clearance', data: { decision: 'allow' }, kind: 'created' },
          { label: 'com.vendor.model', data: { name: 'says the vendor' }, kind: 'gathered' },
        ],
      }),
    );
    const { chain } = await workshop.verify(file);
    expect(chain?.assertions).toEqual([
      { label: 'com.colophon.clearance', data: { decision: 'allow' }, attributedTo: 'created' },
      { label: 'com.vendor.model', data: { name: 'says the vendor' }, attributedTo: 'gathered' },
    ]);
    // Not only in the report: in the signed claim itself.
    const { store } = await readManifestStore(file.path);
    const text = store?.toString('latin1') ?? '';
    const gatheredAt = text.lastIndexOf('gathered_assertions');
    expect(text.lastIndexOf('c2pa.assertions/c2pa.actions.v2', gatheredAt)).toBeGreaterThan(
      text.indexOf('created_assertions'),
    );
    expect(text.indexOf('c2pa.assertions/com.vendor.model', gatheredAt)).toBeGreaterThan(gatheredAt);
  });

  it('writes inputs and components, and actions that point to them', async () => {
    const [reference, component, signedComponent] = [
      await workshop.picture('image/jpeg'),
      await workshop.picture('image/webp'),
      await workshop.sign(await workshop.picture()),
    ];
    const file = await workshop.sign(
      await workshop.picture(),
      generatedPlan({
        actions: [action('c2pa.created', 'composite'), action('c2pa.placed', undefined)],
        ingredients: [
          { ...reference, title: 'Reference', relationship: 'inputTo', digitalSourceType: 'digitalCapture' },
          { ...component, title: 'Logo', relationship: 'componentOf', digitalSourceType: undefined },
          { ...signedComponent, title: 'Scene', relationship: 'componentOf', digitalSourceType: undefined },
        ],
      }),
    );
    const { chain, verdict } = await workshop.verify(file);
    expect(verdict).toBe('intact_and_trusted');
    expect(chain?.ingredients.map((node) => [node.title, node.relationship, node.manifestLabel])).toEqual([
      ['Reference', 'inputTo', undefined],
      ['Logo', 'componentOf', undefined],
      ['Scene', 'componentOf', signedComponent.signed.manifestLabel],
    ]);
  });

  it('signs many at a time', async () => {
    const sources = await Promise.all(Array.from({ length: 16 }, () => workshop.picture()));
    const files = await Promise.all(sources.map((source) => workshop.sign(source)));
    expect(new Set(files.map((file) => file.signed.manifestLabel)).size).toBe(16);
    for (const file of files) expect((await workshop.verify(file)).verdict).toBe('intact_and_trusted');
  });
});

describe('what the signer refuses', () => {
  it('bytes that are not the declared ones: it is no signing oracle', async () => {
    const source = await workshop.picture();
    const destinationPath = workshop.newPath();
    await expect(
      workshop.signer.sign({
        source,
        destinationPath,
        origin: { kind: 'captured_from_provider', originalSha256: 'f'.repeat(64), stepRunId: 'stp_1' },
        plan: generatedPlan(),
      }),
    ).rejects.toMatchObject({ code: 'source_not_allowed' });
  });

  it('a type that is not what the bytes are', async () => {
    const { path } = await workshop.picture('image/png');
    await expect(workshop.sign({ path, mediaType: 'image/jpeg' })).rejects.toMatchObject({
      code: 'unsupported_media',
    });
    const text = await workshop.write(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
    await expect(workshop.sign({ path: text, mediaType: 'image/png' })).rejects.toMatchObject({
      code: 'unsupported_media',
    });
  });

  it('an existing destination, and leaves it as it was', async () => {
    const source = await workshop.picture();
    const destinationPath = await workshop.write(Buffer.from('precious'));
    await expect(
      workshop.signer.sign({
        source,
        destinationPath,
        origin: {
          kind: 'captured_from_provider',
          originalSha256: sha256Hex(await readFile(source.path)),
          stepRunId: 'stp_1',
        },
        plan: generatedPlan(),
      }),
    ).rejects.toMatchObject({ code: 'internal' });
    expect(await readFile(destinationPath, 'utf8')).toBe('precious');
  });

  it('a key that fails, or signs with something else, and leaves nothing behind', async () => {
    const other = await SigningWorkshop.create();
    const source = await workshop.picture();
    const origin = {
      kind: 'captured_from_provider',
      originalSha256: sha256Hex(await readFile(source.path)),
      stepRunId: 'stp_1',
    } as const;
    const before = await readdir(workshop.folder);
    for (const sign of [
      () => Promise.reject(new Error('secret detail of the key service')),
      (bytes: Uint8Array) => other.keystore.claimKey.sign(bytes),
      () => Promise.resolve(Buffer.alloc(64)),
      () => Promise.resolve(Buffer.alloc(0)),
    ]) {
      const signer = new C2paMediaSigner({
        key: { ...workshop.keystore.claimKey, sign },
        trust: { name: 'this installation', anchorsPem: workshop.keystore.caCertificatePem },
        sourceInspector: workshop.reader,
        version: '0.1.0',
        clock: { now: () => new Date() },
      });
      const attempt = signer.sign({
        source,
        destinationPath: workshop.newPath(),
        origin,
        plan: generatedPlan(),
      });
      await expect(attempt).rejects.toMatchObject({ code: 'signer_unavailable' });
      await expect(attempt).rejects.not.toThrow(/secret/);
    }
    expect(await readdir(workshop.folder)).toEqual(before);
    await other.close();
  });

  it('to sign with a certificate that has expired meanwhile', async () => {
    const inTwoYears = { now: () => new Date(Date.now() + 2 * 366 * 86_400_000) };
    const later = await SigningWorkshop.create({ clock: inTwoYears, keyClock: { now: () => new Date() } });
    await expect(later.sign(await later.picture())).rejects.toMatchObject({ code: 'signer_unavailable' });
    await later.close();
  });

  it('to deliver what does not read back as trusted', async () => {
    const other = await SigningWorkshop.create();
    const signer = new C2paMediaSigner({
      key: workshop.keystore.claimKey,
      trust: { name: 'this installation', anchorsPem: other.keystore.caCertificatePem },
      sourceInspector: workshop.reader,
      version: '0.1.0',
      clock: { now: () => new Date() },
    });
    const source = await other.picture();
    const before = await readdir(other.folder);
    await expect(
      signer.sign({
        source,
        destinationPath: other.newPath(),
        origin: {
          kind: 'captured_from_provider',
          originalSha256: sha256Hex(await readFile(source.path)),
          stepRunId: 'stp_1',
        },
        plan: generatedPlan(),
      }),
    ).rejects.toThrow('did not read back as planned: it reads as intact');
    expect(await readdir(other.folder)).toEqual(before);
    await other.close();
  });
});

describe('a source that arrives with a manifest of its own', () => {
  it('keeps it as the parent, and still says that a provider generated the bytes', async () => {
    const vendor = await SigningWorkshop.create();
    const upstream = await vendor.sign(
      await vendor.picture(),
      generatedPlan({ title: 'Forged', actions: [action('c2pa.created', 'digitalCapture')] }),
    );
    const file = await workshop.sign(upstream);
    const { chain, verdict, brokenIngredient } = await workshop.verify(file);
    expect({ verdict, brokenIngredient }).toEqual({ verdict: 'intact_and_trusted', brokenIngredient: false });
    expect(file.signed.keptManifest).toEqual({
      verdict: 'intact',
      manifestLabel: upstream.signed.manifestLabel,
    });
    expect(chain?.actions.map((each) => [each.action, each.digitalSourceType])).toEqual([
      ['c2pa.opened', undefined],
      ['c2pa.edited', DIGITAL_SOURCE_TYPES.trainedAlgorithmicMedia],
    ]);
    expect(chain?.ingredients).toMatchObject([
      { relationship: 'parentOf', manifestLabel: upstream.signed.manifestLabel },
    ]);
    await vendor.close();
  });

  it('does not repeat what an uploader declared where the manifest says otherwise', async () => {
    const generated = await workshop.sign(await workshop.picture());
    const declared = generatedPlan({ actions: [action('c2pa.created', 'digitalCapture')] });
    const file = await workshop.sign(generated, declared, 'received_with_declaration');
    const { chain } = await workshop.verify(file);
    expect(chain?.actions.map((each) => each.action)).toEqual(['c2pa.opened']);
    expect(chain?.ingredients[0]?.actions[0]?.digitalSourceType).toBe(
      DIGITAL_SOURCE_TYPES.trainedAlgorithmicMedia,
    );
  });

  it('turns a planned parent into an input, because there is one parent only', async () => {
    const parent = await workshop.sign(await workshop.picture());
    const upstream = await workshop.sign(await workshop.picture());
    const edit = generatedPlan({
      actions: [action('c2pa.edited', 'compositeWithTrainedAlgorithmicMedia')],
      ingredients: [parentOf(parent, 'Worked from')],
    });
    const { chain } = await workshop.verify(await workshop.sign(upstream, edit));
    expect(chain?.ingredients.map((node) => [node.relationship, node.manifestLabel])).toEqual([
      ['parentOf', upstream.signed.manifestLabel],
      ['inputTo', parent.signed.manifestLabel],
    ]);
    const same = generatedPlan({ ...edit, ingredients: [parentOf(upstream)] });
    const again = await workshop.verify(await workshop.sign(upstream, same));
    expect(again.chain?.ingredients.map((node) => node.relationship)).toEqual(['parentOf']);
  });

  it('refuses one that the library breaks when it copies it, and says that the file is at fault', async () => {
    const definition = { title: 'x', assertions: [{ label: 'com.example.a/b', data: { text: 'y' } }] };
    const by = await createFreeAuthority();
    const upstream = await signFreely(await workshop.picture(), workshop.newPath(), by, definition);
    expect((await workshop.verify(upstream)).verdict).toBe('intact');
    for (const signing of [
      () => workshop.sign(upstream, generatedPlan(), 'received_with_declaration'),
      async () =>
        workshop.sign(
          await workshop.picture(),
          generatedPlan({
            actions: [action('c2pa.edited', 'humanEdits')],
            ingredients: [parentOf(upstream)],
          }),
        ),
    ])
      await expect(signing()).rejects.toMatchObject({ code: 'manifest_malformed' });
  });

  const BROKEN: readonly (readonly [string, (png: Buffer) => Buffer])[] = [
    ['junk', (png) => withManifestParts(png, Buffer.alloc(100, 0x41))],
    ['two parts', (png) => withManifestParts(withManifestParts(png, Buffer.alloc(8)), Buffer.alloc(8))],
  ];
  it.each(BROKEN)('of a vendor that nobody can read (%s) is left out of the picture', async (_, broken) => {
    // Large enough that the library reads it from the disk.
    const { path, mediaType } = await workshop.picture('image/png', 800);
    const received = broken(await readFile(path));
    const upstream = { path: await workshop.write(received), mediaType };
    await expectLeftOut(upstream, await readFile(path));
    await expect(workshop.sign(upstream, generatedPlan(), 'received_with_declaration')).rejects.toMatchObject(
      { code: 'manifest_malformed' },
    );
  });

  it.each(['image/png', 'image/jpeg', 'image/webp'] as const)(
    'of a vendor that is damaged inside is left out of the picture: %s',
    async (type) => {
      const upstream = await workshop.sign(await workshop.picture(type));
      const bytes = await readFile(upstream.path);
      // Headers of boxes stand behind the label of the one that they are in.
      const label = bytes.indexOf('c2pa.assertions');
      bytes.fill(0, label + 16, label + 136);
      await writeFile(upstream.path, bytes);
      await expectLeftOut(upstream);
    },
  );

  /** @param pixels a file whose picture it still is */
  async function expectLeftOut(upstream: MediaFile, pixels?: Buffer): Promise<void> {
    const file = await workshop.sign(upstream);
    expect(file.signed.keptManifest).toEqual({
      ...{ verdict: 'broken', manifestLabel: undefined, isLeftOut: true },
    });
    const { verdict, chain } = await workshop.verify(file);
    expect(verdict).toBe('intact_and_trusted');
    expect(chain?.ingredients.map((node) => [node.relationship, node.manifestLabel])).toEqual([
      ['parentOf', undefined],
    ]);
    expect(chain?.actions.map((each) => each.digitalSourceType)).toContain(
      DIGITAL_SOURCE_TYPES.trainedAlgorithmicMedia,
    );
    expect(chain?.assertions).toContainEqual(
      expect.objectContaining({
        label: 'org.colophon.preparation',
        data: {
          ...{ kind: 'manifest-removed', because: 'manifest_malformed' },
          receivedSha256: sha256Hex(await readFile(upstream.path)),
        },
      }),
    );
    const decoded = await sharp(file.path).raw().toBuffer();
    const expected = await sharp(pixels ?? upstream.path)
      .raw()
      .toBuffer();
    expect(decoded.equals(expected)).toBe(true);
  }

  it.each(['picture', 'signature'] as const)('keeps and reports a broken one (%s altered)', async (what) => {
    const upstream = await workshop.sign(await workshop.picture('image/jpeg'));
    const bytes = await readFile(upstream.path);
    // The COSE_Sign1 ends with a null payload and a byte string of 64: the signature.
    const signatureAt = bytes.lastIndexOf(Buffer.from('f65840', 'hex')) + 3;
    const at = what === 'picture' ? bytes.length - 40 : signatureAt + 10;
    bytes[at] = (bytes[at] ?? 0) ^ 0x01;
    await writeFile(upstream.path, bytes);
    expect((await workshop.verify(upstream)).verdict).toBe('broken');

    const file = await workshop.sign(upstream, generatedPlan(), 'received_with_declaration');
    expect(file.signed.keptManifest).toMatchObject({ verdict: 'broken' });
    const result = await workshop.verify(file);
    expect(result).toMatchObject({ verdict: 'intact_and_trusted', brokenIngredient: true });
    expect(result.chain?.ingredients[0]?.failures.map((failure) => failure.code)).toContain(
      what === 'picture' ? 'assertion.dataHash.mismatch' : 'claimSignature.mismatch',
    );
    expect(result.sentences.join(' ')).toMatch(/An ingredient, "Product shot", is broken/);

    // and stays visible when work goes on
    const next = await workshop.sign(
      await workshop.picture(),
      generatedPlan({
        actions: [action('c2pa.edited', 'algorithmicallyEnhanced')],
        ingredients: [parentOf(file)],
      }),
    );
    expect(await workshop.verify(next)).toMatchObject({
      verdict: 'intact_and_trusted',
      brokenIngredient: true,
    });
  });
});
