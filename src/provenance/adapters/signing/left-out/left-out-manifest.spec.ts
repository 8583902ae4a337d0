import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { sha256Hex } from '../../../../shared/bytes.js';
import { EMBEDDABLE_MEDIA_TYPES, type EmbeddableMediaType } from '../../../domain/media-types.js';
import { riffChunk } from '../../../testing/large-sound.js';
import { MEDIA_VECTORS, mediaVector } from '../../../testing/media-vectors.js';
import {
  generatedPlan,
  type MediaFile,
  PICTURE_TYPES,
  SigningWorkshop,
} from '../../../testing/signing-workshop.js';
import { readManifestStore } from '../../carried-store.js';
import { MAX_BYTES_IN_MEMORY, MediaContent } from '../../media-content.js';
import { leaveOutManifest } from './left-out-manifest.js';

let workshop: SigningWorkshop;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(() => workshop.close());

const FILES: readonly (readonly [name: string, type: EmbeddableMediaType])[] = [
  ...PICTURE_TYPES.map((type) => [type, type] as const),
  ...MEDIA_VECTORS.flatMap(([name, type]) => {
    const embeddable = EMBEDDABLE_MEDIA_TYPES.find((each) => each === type);
    return embeddable === undefined ? [] : [[name, embeddable] as const];
  }),
  ['still.heif', 'image/heif'],
];
const ISO_MEDIA = /^image\/(avif|heic|heif)$|^video\/|^audio\/mp4$/;
/** What sharp can decode. */
const DECODABLE = /png|jpeg|webp|avif|tiff|gif|svg/;

async function bytesOf(name: string): Promise<Buffer> {
  const type = PICTURE_TYPES.find((each) => each === name);
  if (type !== undefined) return readFile((await workshop.picture(type)).path);
  if (name !== 'still.heif') return mediaVector(name);
  // The same still, called by the brand that says nothing of how it is coded.
  const heic = await mediaVector('still.heic');
  heic.write('mif1', 8, 'latin1');
  heic.write('mif1', 20, 'latin1');
  return heic;
}

/** A file with a manifest as a vendor would send it, and where the manifest lies. */
async function received(name: string, mediaType: EmbeddableMediaType) {
  const original = await bytesOf(name);
  const { path } = await workshop.sign({ path: await workshop.write(original), mediaType });
  const { store, places } = await readManifestStore(path);
  const [place] = places;
  if (store === undefined || place === undefined) throw new Error('the file has no manifest');
  return { original, bytes: await readFile(path), store, places, place };
}
type Received = Awaited<ReturnType<typeof received>>;

/** Headers of boxes stand behind the label of the one that they are in. In SVG the store is text. */
function damaged(bytes: Buffer, { place }: Received, from = 0): Buffer {
  const changed = Buffer.from(bytes);
  const label = changed.indexOf('c2pa.assertions', from);
  if (label < 0) return changed.fill('A', place.offset + 400, place.offset + 800);
  changed.fill(0, label + 16, label + 136);
  // The lengths of sub-blocks, of which all but the last are full, are none of the store's.
  const isGif = bytes.toString('latin1', 0, 3) === 'GIF';
  for (let at = label + 16; isGif && at < label + 136; at += 1) if (bytes[at] === 0xff) changed[at] = 0xff;
  return changed;
}

/** With its manifest once more. */
function twice({ bytes, place: { offset, sizeBytes } }: Received, type: EmbeddableMediaType): Buffer {
  const [end, part] = [offset + sizeBytes, bytes.subarray(offset, offset + sizeBytes)];
  const again = (start: number, stretch: Buffer): Buffer =>
    Buffer.concat([bytes.subarray(0, start), stretch, bytes.subarray(start)]);
  if (ISO_MEDIA.test(type)) return Buffer.concat([bytes, part]);
  if (type === 'image/tiff') return withSecondDirectory(bytes);
  if (type === 'image/svg+xml') {
    const element = /<c2pa:manifest>[^<]*<\/c2pa:manifest>/.exec(bytes.toString())?.[0] ?? '';
    return Buffer.from(bytes.toString().replace(element, element + element));
  }
  if (type === 'audio/mpeg' || type === 'audio/flac') {
    const frameAt = bytes.lastIndexOf('GEOB', offset);
    const frame = bytes.subarray(frameAt, end);
    const changed = again(frameAt, frame);
    const length = frame.length + bytes.subarray(6, 10).reduce((sum, each) => sum * 128 + each, 0);
    changed.set(
      [21, 14, 7, 0].map((shift) => (length >> shift) & 0x7f),
      6,
    );
    return changed;
  }
  const changed = again(end, part);
  if (type === 'image/webp' || type === 'audio/wav')
    changed.writeUInt32LE(bytes.readUInt32LE(4) + part.length, 4);
  return changed;
}

/** The last directory, in which the library puts the manifest, once more. */
function withSecondDirectory(tiff: Buffer): Buffer {
  const numbers = tiffNumbers(tiff);
  let [at, next] = [4, 4];
  for (let offset = numbers.u32(4); offset !== 0; offset = numbers.u32(next)) {
    at = offset;
    next = offset + 2 + 12 * numbers.u16(offset);
  }
  const padded = Buffer.concat([tiff, Buffer.alloc(tiff.length % 2)]);
  const changed = Buffer.concat([padded, tiff.subarray(at, next + 4)]);
  tiffNumbers(changed).write(padded.length, next);
  return changed;
}

function tiffNumbers(tiff: Buffer) {
  const isLittle = tiff[0] === 0x49;
  return {
    u16: (at: number) => (isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at)),
    u32: (at: number) => (isLittle ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at)),
    write: (value: number, at: number) =>
      isLittle ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at),
  };
}

/** By the rule alone. */
async function without(bytes: Buffer, mediaType: EmbeddableMediaType) {
  const path = await workshop.write(bytes);
  const content = await MediaContent.open(path);
  const origin = { kind: 'captured_from_provider', originalSha256: '', stepRunId: '' } as const;
  const request = { source: { path, mediaType }, origin, plan: generatedPlan(), destinationPath: '' };
  const leftOut = await leaveOutManifest(content, request, workshop.newPath());
  await content.close();
  return leftOut && { ...leftOut, bytes: leftOut.content.inMemory?.buffer ?? Buffer.alloc(0) };
}

async function expectSignedWithout(bytes: Buffer, mediaType: EmbeddableMediaType, plan = generatedPlan()) {
  const source = { path: await workshop.write(bytes), mediaType };
  const before = await readdir(workshop.folder);
  const file = await workshop.sign(source, plan);
  expect(file.signed.keptManifest).toEqual({
    ...{ verdict: 'broken', manifestLabel: undefined, isLeftOut: true },
  });
  const { verdict, chain } = await workshop.verify(file);
  expect(verdict).toBe('intact_and_trusted');
  expect(chain?.ingredients.map((node) => [node.relationship, node.manifestLabel])).toEqual([
    ['parentOf', undefined],
  ]);
  expect(chain?.assertions).toContainEqual(
    expect.objectContaining({
      label: 'org.colophon.preparation',
      data: {
        ...{ kind: 'manifest-removed', because: 'manifest_malformed' },
        receivedSha256: sha256Hex(bytes),
      },
    }),
  );
  expect((await readdir(workshop.folder)).length).toBe(before.length + 1);
  return file;
}

async function pixelsOf(file: MediaFile | Buffer): Promise<Buffer> {
  return sharp(Buffer.isBuffer(file) ? file : file.path)
    .raw()
    .toBuffer();
}

/** The samples of a film, by the offsets in its first `stco` box. */
function samplesOf(film: Buffer): Buffer[] {
  const at = film.indexOf('stco', 0, 'latin1');
  const count = film.readUInt32BE(at + 8);
  return Array.from({ length: count }, (_, i) => {
    const offset = film.readUInt32BE(at + 12 + 4 * i);
    return film.subarray(offset, offset + 64);
  });
}

describe.each(FILES)('the manifest that nobody can read, of a vendor: %s', (name, type) => {
  it('is left out, and what the file shows stays', async () => {
    const file = await received(name, type);
    const bytes = damaged(file.bytes, file);
    const signed = await expectSignedWithout(bytes, type);
    const written = await readFile(signed.path);
    // The end of the store was not damaged, and is in no other one.
    expect(written.includes(file.store.subarray(-120))).toBe(false);
    if (DECODABLE.test(type)) {
      // A directory of a TIFF without a picture, in which the library puts a manifest, is refused by sharp.
      const shown = type === 'image/tiff' ? (await without(written, type))?.bytes : signed;
      expect(await pixelsOf(shown ?? signed)).toEqual(await pixelsOf(file.original));
    }
    if (/^video|^audio\/mp4/.test(type)) expect(samplesOf(written)).toEqual(samplesOf(file.original));
  });

  it('leaves no room in a film or picture in which something could be put afterwards', async () => {
    if (!ISO_MEDIA.test(type)) return;
    const file = await received(name, type);
    const signed = await expectSignedWithout(damaged(file.bytes, file), type);
    const written = await readFile(signed.path);
    const room = written.indexOf(Buffer.concat([Buffer.from('uuid'), Buffer.alloc(400)]));
    written.fill('x', room + 20, room + 400);
    expect(room).toBeGreaterThan(0);
    const filled = { path: await workshop.write(written), mediaType: type };
    expect(await workshop.verify(filled)).toMatchObject({ verdict: 'broken' });
  });

  it('is left out where there are two: one whole, both damaged, the second damaged', async () => {
    const file = await received(name, type);
    const both = twice(file, type);
    const first = damaged(both, file);
    const second = both.lastIndexOf('c2pa.assertions');
    await expectSignedWithout(first, type);
    expect((await without(first, type))?.manifests).toBe(2);
    // The library signs some of these as they are, with a broken ingredient that it can read.
    for (const bytes of second < 0 ? [both] : [both, damaged(both, file, second - 1)]) {
      const { path, signed } = await workshop.sign({ path: await workshop.write(bytes), mediaType: type });
      expect(signed.keptManifest?.verdict).toBe('broken');
      expect(await workshop.verify({ path, mediaType: type })).toMatchObject({
        verdict: 'intact_and_trusted',
      });
    }
  });

  it('is left out by a rule that touches nothing else', async () => {
    const { bytes, place, places, original } = await received(name, type);
    const left = await without(bytes, type);
    const again = await without(bytes, type);
    expect(left).toMatchObject({ manifests: 1, bytes: again?.bytes });
    expect(await readManifestStore(await workshop.write(left?.bytes ?? bytes))).toMatchObject({
      mediaType: type,
      store: undefined,
    });
    expect(await without(original, type)).toBeUndefined();
    const { offset, sizeBytes } = place;
    if (ISO_MEDIA.test(type)) {
      expect(left?.bytes).toEqual(Buffer.from(bytes).fill(0, offset + 8, offset + sizeBytes));
    } else if (type === 'image/tiff') {
      // The entry gives way to those behind it, and the picture is where it was.
      expect(left?.bytes.length).toBe(bytes.length);
      expect(await pixelsOf(left?.bytes ?? bytes)).toEqual(await pixelsOf(original));
    } else if (/png|jpeg|gif|jxl/.test(type)) {
      const [end = place] = places.slice(-1);
      const kept = [bytes.subarray(0, offset), bytes.subarray(end.offset + end.sizeBytes)];
      expect(left?.bytes).toEqual(Buffer.concat(kept));
    } else if (/webp|wav/.test(type)) {
      const rest = Buffer.concat([bytes.subarray(0, offset), bytes.subarray(offset + sizeBytes)]);
      rest.writeUInt32LE(rest.length - 8, 4);
      expect(left?.bytes).toEqual(rest);
    } else if (type === 'image/svg+xml') {
      expect(left?.bytes.toString()).toBe(
        bytes.toString().replace(/<c2pa:manifest>[^<]*<\/c2pa:manifest>/, ''),
      );
    } else {
      // Without a tag the sound is all that is left.
      expect(left?.bytes.subarray(-1000)).toEqual(original.subarray(-1000));
      expect(left?.bytes.includes('GEOB')).toBe(false);
    }
  });

  it('stays in a file that ends in it, which fails and leaves nothing behind', async () => {
    const file = await received(name, type);
    const part = file.places.at(-1) ?? file.place;
    const cutOff = damaged(file.bytes, file).subarray(0, part.offset + Math.floor(part.sizeBytes / 2));
    expect(await without(cutOff, type)).toBeUndefined();
    const source = { path: await workshop.write(cutOff), mediaType: type };
    const before = await readdir(workshop.folder);
    await expect(workshop.sign(source)).rejects.toThrow();
    expect(await readdir(workshop.folder)).toEqual(before);
  });
});

describe('a manifest in a file that is too large for memory', () => {
  const ZEROS = Buffer.alloc(MAX_BYTES_IN_MEMORY + 1);

  /** Zeros in a part of the container that readers pass over, at the place where it must be. */
  function enlarged(bytes: Buffer, type: EmbeddableMediaType): Buffer {
    if (type === 'audio/wav') {
      const changed = Buffer.concat([bytes, riffChunk('junk', ZEROS)]);
      changed.writeUInt32LE(changed.length - 8, 4);
      return changed;
    }
    const header = Buffer.alloc(8);
    if (type === 'image/png') {
      header.writeUInt32BE(ZEROS.length);
      header.write('zeRo', 4);
      // Nobody looks at the checksum of a chunk that nobody knows.
      return Buffer.concat([bytes.subarray(0, 33), header, ZEROS, Buffer.alloc(4), bytes.subarray(33)]);
    }
    header.writeUInt32BE(header.length + ZEROS.length);
    header.write('mdat', 4);
    return Buffer.concat([bytes, header, ZEROS]);
  }
  const metadata = {
    properties: [{ namespace: 'http://ns.adobe.com/xap/1.0/', prefix: 'xmp', name: 'Label', value: 'red' }],
  };

  it.each([
    ['clip.mp4', 'video/mp4', undefined],
    ['clip.mov', 'video/quicktime', undefined],
    ['tone.wav', 'audio/wav', undefined],
    ['image/png', 'image/png', undefined],
    ['image/png', 'image/png', metadata],
  ] as const)('is left out on the disk: %s', async (name, type, embeddedMetadata) => {
    const file = await received(name, type);
    const bytes = enlarged(damaged(file.bytes, file), type);
    const signed = await expectSignedWithout(bytes, type, generatedPlan({ embeddedMetadata }));
    const written = await readFile(signed.path);
    expect(written.includes(file.store.subarray(-120))).toBe(false);
    expect(written.length).toBeGreaterThan(ZEROS.length);
    expect(written.includes('>red<') || written.includes('"red"')).toBe(embeddedMetadata !== undefined);
    if (type === 'image/png') expect(await pixelsOf(signed)).toEqual(await pixelsOf(file.original));
    if (type.startsWith('video/')) expect(samplesOf(written)).toEqual(samplesOf(file.original));
  });

  it('is more than memory holds itself, and every byte of it is zero', async () => {
    const film = await mediaVector('clip.mp4');
    const header = Buffer.alloc(24);
    header.writeUInt32BE(header.length + ZEROS.length);
    header.write('uuid', 4);
    header.write('d8fec3d61b0e483c92975828877ec481', 8, 'hex');
    const bytes = Buffer.concat([film, header, Buffer.alloc(ZEROS.length, 'x')]);
    const left = await without(bytes, 'video/mp4');
    const parts =
      left &&
      [
        await left.content.bytes.read(0, film.length),
        await left.content.bytes.read(film.length, header.length + ZEROS.length),
      ].map((part) => Buffer.from(part));
    await left?.content.close();
    expect(parts?.[0]?.equals(film)).toBe(true);
    const expected = Buffer.alloc(header.length + ZEROS.length);
    header.copy(expected, 0, 0, 8);
    expect(parts?.[1]?.equals(expected)).toBe(true);
  });

  it('stays in one that is cut off, which fails and leaves nothing behind', async () => {
    const file = await received('clip.mp4', 'video/mp4');
    const bytes = enlarged(damaged(file.bytes, file), 'video/mp4').subarray(0, -1);
    const source = { path: await workshop.write(bytes), mediaType: 'video/mp4' } as const;
    const before = await readdir(workshop.folder);
    await expect(workshop.sign(source)).rejects.toThrow();
    expect(await readdir(workshop.folder)).toEqual(before);
  });
});

describe('a manifest that was never one', () => {
  it('of which not even the header of its box is left goes out of a JPEG', async () => {
    const file = await received('image/jpeg', 'image/jpeg');
    const at = file.bytes.indexOf(file.store.subarray(0, 40));
    const bytes = Buffer.from(file.bytes).fill('A', at, at + 60);
    const signed = await expectSignedWithout(bytes, 'image/jpeg');
    expect(await pixelsOf(signed)).toEqual(await pixelsOf(file.original));
  });

  it('that is no base64, or empty, goes out of an SVG, whatever characters stand before it', async () => {
    const { bytes } = await received('drawing.svg', 'image/svg+xml');
    const manifest = /<c2pa:manifest>[^<]*<\/c2pa:manifest>/;
    const xml = bytes.toString().replace(/(<svg[^>]*>)/, '$1<!-- \u00e9\u{1f600} -->');
    for (const other of [
      '<c2pa:manifest>!</c2pa:manifest>',
      '<c2pa:manifest/><c2pa:manifest a="b"\n>=</c2pa:manifest >',
    ]) {
      const changed = Buffer.from(xml.replace(manifest, other));
      expect((await without(changed, 'image/svg+xml'))?.bytes.toString()).toBe(xml.replace(manifest, ''));
    }
    await expectSignedWithout(
      Buffer.from(xml.replace(manifest, '<c2pa:manifest>!</c2pa:manifest>')),
      'image/svg+xml',
    );
  });

  it('is not looked for in directories of a TIFF that lie in each other or go round in a circle', async () => {
    const { bytes } = await received('image/tiff', 'image/tiff');
    const numbers = tiffNumbers(bytes);
    const first = numbers.u32(4);
    for (const next of [first, first + 12]) {
      const changed = Buffer.from(bytes);
      tiffNumbers(changed).write(next, first + 2 + 12 * numbers.u16(first));
      expect(await without(changed, 'image/tiff')).toBeUndefined();
    }
  });

  it('goes out of what stands behind the RIFF chunk, too, and a missing last byte does not matter', async () => {
    const tone = await mediaVector('tone.wav');
    const behind = Buffer.concat([tone, riffChunk('C2PA', 'odd')]);
    expect((await without(behind, 'audio/wav'))?.bytes).toEqual(tone);
    expect((await without(behind.subarray(0, -1), 'audio/wav'))?.bytes).toEqual(tone);
  });

  it('leaves the other frames of an ID3v2 tag, its padding and its footer', async () => {
    const { bytes } = await received('tone.mp3', 'audio/mpeg');
    const left = await without(bytes, 'audio/mpeg');
    expect(left?.bytes.toString('latin1', 0, 3)).toBe('ID3');
    const frame = (id: string, body: string): Buffer => {
      const header = Buffer.alloc(10);
      header.write(id, 'latin1');
      header[7] = body.length;
      return Buffer.concat([header, Buffer.from(body, 'latin1')]);
    };
    const sound = await mediaVector('tone-without-tags.mp3');
    const tagged = (kind: 'footer' | 'padding', ...frames: Buffer[]): Buffer => {
      const body = Buffer.concat([...frames, Buffer.alloc(kind === 'padding' ? 20 : 0)]);
      const header = Buffer.from([
        0x49,
        0x44,
        0x33,
        4,
        0,
        kind === 'footer' ? 0x10 : 0,
        0,
        0,
        0,
        body.length,
      ]);
      const footer = Buffer.concat([Buffer.from('3DI'), header.subarray(3)]);
      return Buffer.concat([header, body, ...(kind === 'footer' ? [footer] : []), sound]);
    };
    const manifest = frame('GEOB', '\0application/c2pa\0junk');
    const title = frame('TIT2', '\0a title');
    for (const kind of ['footer', 'padding'] as const) {
      const both = tagged(kind, manifest, title, manifest);
      expect((await without(both, 'audio/mpeg'))?.bytes).toEqual(tagged(kind, title));
      expect((await without(tagged(kind, manifest), 'audio/mpeg'))?.bytes).toEqual(sound);
    }
  });
});
