import { open, readFile, truncate } from 'node:fs/promises';
import { Builder, CallbackSigner } from '@contentauth/c2pa-node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { manySamples, riffChunk, wave, WAVE_FORMAT, WAVE_NOTES } from '../../testing/large-sound.js';
import { generatedPlan, type MediaFile, parentOf, SigningWorkshop } from '../../testing/signing-workshop.js';
import { MediaContent } from '../media-content.js';
import { embedInLargeWave, type LargeWave, largeWave } from './large-wave.js';

let workshop: SigningWorkshop;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(() => workshop.close());

async function sound(bytes: Buffer): Promise<MediaFile> {
  return { path: await workshop.write(bytes), mediaType: 'audio/wav' };
}

interface Chunk {
  readonly id: string;
  readonly at: number;
  readonly length: number;
}

function chunksOf(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 12; at < bytes.length;) {
    const chunk = { id: bytes.toString('latin1', at, at + 4), at, length: bytes.readUInt32LE(at + 4) };
    chunks.push(chunk);
    at += 8 + chunk.length + (chunk.length % 2);
  }
  return chunks;
}

/** Everything between the length of the RIFF chunk and the manifest. */
function withoutManifest(bytes: Buffer): Buffer {
  const manifests = chunksOf(bytes).filter(({ id }) => id === 'C2PA');
  const [{ at, length } = { at: 0, length: 0 }] = manifests;
  expect(manifests).toHaveLength(1);
  expect(at + 8 + length + (length % 2)).toBe(bytes.length);
  expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
  return bytes.subarray(8, at);
}

/** What the library makes of the whole file, with all of it in memory. */
async function byTheLibraryAlone(source: Buffer): Promise<Buffer> {
  const { certificateChainPem: pem, algorithm: alg } = workshop.keystore.claimKey;
  const certs = [Buffer.from(pem)];
  const signer = CallbackSigner.newSigner({ alg, certs, reserveSize: 3000, directCoseHandling: true }, () =>
    Promise.resolve(Buffer.alloc(3000)),
  );
  const settings = { builder: { thumbnail: { enabled: false } } };
  const builder = Builder.withJson({ assertions: [] }, settings);
  const [from, path] = [await workshop.write(source), workshop.newPath()];
  await builder.signAsync(signer, { path: from, mimeType: 'audio/wav' }, { path, mimeType: 'audio/wav' });
  const written = await readFile(path);
  await Promise.all([from, path].map((each) => workshop.discard(each)));
  return written;
}

const even = manySamples();
const odd = manySamples(1);
const data = (samples: Buffer): Buffer => riffChunk('data', samples);

/** A chunk of an odd length at the end, without the byte that should follow. */
function withoutLastByte(file: Buffer): Buffer {
  const bytes = Buffer.from(file.subarray(0, -1));
  bytes.writeUInt32LE(bytes.length - 8, 4);
  return bytes;
}

const SHAPES: readonly (readonly [string, () => Buffer])[] = [
  ['notes before and behind the sound', () => wave(WAVE_NOTES, WAVE_FORMAT, data(even), WAVE_NOTES)],
  [
    'a sound of an odd length before a note of one',
    () => wave(WAVE_FORMAT, data(odd), riffChunk('note', 'abc')),
  ],
  ['a sound whose byte of padding is missing', () => withoutLastByte(wave(WAVE_FORMAT, data(odd)))],
  ['zeros behind the end', () => Buffer.concat([wave(WAVE_FORMAT, data(even)), Buffer.alloc(5)])],
];

describe('a WAV file that is too large for memory', () => {
  it.each(SHAPES)(
    'with %s is what the library would have written, but for the manifest',
    async (_shape, make) => {
      const source = make();
      const signed = await workshop.sign(await sound(source));
      expect(await workshop.verify(signed)).toMatchObject({
        verdict: 'intact_and_trusted',
        brokenIngredient: false,
      });
      const [ours, theirs] = [await readFile(signed.path), await byTheLibraryAlone(source)];
      expect(withoutManifest(ours).equals(withoutManifest(theirs))).toBe(true);
    },
  );

  it('says everything that a manifest can say, with a manifest of any length', async () => {
    const picture = await workshop.sign(await workshop.picture('image/jpeg'));
    const source = await sound(wave(WAVE_FORMAT, data(even)));
    // The length of its certificate is another one each time.
    const identities = [await workshop.identity(['cawg.creator'])];
    const lengths = new Set<number>();
    for (const title of ['Tone', 'Tones']) {
      const plan = generatedPlan({
        title,
        ingredients: [{ ...parentOf(picture, 'Cover'), relationship: 'inputTo' }],
        identities,
      });
      const signed = await workshop.sign(source, plan);
      const { verdict, chain, statuses } = await workshop.verify(signed);
      expect({ verdict, title: chain?.title }).toEqual({ verdict: 'intact_and_trusted', title: plan.title });
      expect(chain?.identities).toMatchObject([{ state: 'valid' }]);
      expect(statuses.map(({ code }) => code)).toContain('assertion.dataHash.match');
      lengths.add((chunksOf(await readFile(signed.path)).at(-1)?.length ?? 0) % 2);
    }
    expect([...lengths].sort()).toEqual([0, 1]);
  });

  it('keeps the manifest that it came with as its parent, and carries one', async () => {
    const first = await workshop.sign(
      await sound(wave(WAVE_FORMAT, data(odd))),
      generatedPlan({ title: 'First' }),
    );
    // Another program has put a note behind the manifest: it is broken, and does not stand at the end.
    const noted = [first, await sound(wave((await readFile(first.path)).subarray(12), WAVE_NOTES))];
    for (const [source, ids] of [
      [noted[0], ['fmt ', 'data', 'C2PA']],
      [noted[1], ['fmt ', 'data', 'LIST', 'C2PA']],
    ] as const) {
      const second = await workshop.sign(source as MediaFile, generatedPlan({ title: 'Second' }));
      const { verdict, chain } = await workshop.verify(second);
      expect({ verdict, parent: chain?.ingredients[0]?.manifestLabel }).toEqual({
        verdict: 'intact_and_trusted',
        parent: first.signed.manifestLabel,
      });
      expect(chunksOf(await readFile(second.path)).map(({ id }) => id)).toEqual(ids);
    }
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['its length is more than there is', (bytes) => withLength(bytes, bytes.length)],
    ['its length ends within a chunk', (bytes) => withLength(bytes, bytes.length - 100)],
    [
      'its length ends within the header of a chunk',
      (bytes) => Buffer.concat([withLength(bytes, bytes.length - 5), Buffer.from('not')]),
    ],
    ['it has no chunk', (bytes) => withLength(bytes, 4)],
  ])('is refused when %s', async (_what, change) => {
    const source = await sound(change(wave(WAVE_FORMAT, data(even))));
    const content = await MediaContent.open(source.path);
    const refused = largeWave(content, 'audio/wav').finally(() => content.close());
    await expect(refused).rejects.toMatchObject({ code: 'media_corrupt' });
    await workshop.discard(source.path);
  });

  it('is refused when it would have more than 4 GiB with its manifest, before anything is written', async () => {
    const path = await workshop.write(withLength(Buffer.from('RIFF----WAVEdata----'), 0xffff_f000));
    await truncate(path, 0xffff_f008);
    const handle = await open(path, 'r+');
    await handle.write(withLength(Buffer.alloc(8), 0xffff_f000 - 12).subarray(4), 0, 4, 16);
    await handle.close();
    const content = await MediaContent.open(path);
    const [target, store] = [workshop.newPath(), Buffer.alloc(12_000)];
    try {
      const wave = (await largeWave(content, 'audio/wav')) as LargeWave;
      const written = embedInLargeWave(wave, target, () => Promise.resolve(store));
      await expect(written).rejects.toMatchObject({ code: 'media_too_large' });
    } finally {
      await content.close();
    }
    await expect(readFile(target)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

function withLength(bytes: Buffer, riffBytes: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt32LE(riffBytes, 4);
  return changed;
}

describe('a signed one that was changed', () => {
  let signed: Buffer;
  let manifest: Chunk;
  let others: Buffer;
  beforeAll(async () => {
    const source = wave(WAVE_NOTES, WAVE_FORMAT, data(odd), WAVE_NOTES);
    // The length of certificates is by chance; a letter more makes it an odd one, so that a byte of padding follows.
    for (const title of ['Tone', 'Tones']) {
      signed = await manifested(title, source);
      manifest = chunksOf(signed).at(-1) as Chunk;
      if (manifest.length % 2 === 1) break;
    }
    expect(manifest.length % 2).toBe(1);
    const other = await manifested('Tone', wave(WAVE_FORMAT, data(odd)));
    others = other.subarray(chunksOf(other).at(-1)?.at);
  });

  const manifested = async (title: string, source: Buffer): Promise<Buffer> =>
    readFile((await workshop.sign(await sound(source), generatedPlan({ title }))).path);
  const at = (id: string): number => chunksOf(signed).find((chunk) => chunk.id === id)?.at ?? 0;
  const flipped = (place: number): Buffer => {
    const bytes = Buffer.from(signed);
    bytes[place] = (bytes[place] ?? 0) ^ 4;
    return bytes;
  };
  const inRiff = (...parts: readonly Buffer[]): Buffer => {
    const bytes = Buffer.concat([...parts]);
    bytes.writeUInt32LE(bytes.length - 8, 4);
    return bytes;
  };

  it.each<[string, () => Buffer]>([
    ['a bit of the first sample', () => flipped(at('data') + 8)],
    ['a bit of the last sample', () => flipped(at('data') + 8 + odd.length - 1)],
    ['the padding of the sound', () => flipped(at('data') + 8 + odd.length)],
    ['how it sounds', () => flipped(at('fmt ') + 12)],
    ['the name of a chunk', () => flipped(at('LIST'))],
    ['the length of a chunk', () => flipped(at('data') + 4)],
    ['the length of the whole', () => flipped(4)],
    [
      'the length of the whole, so that it ends before the manifest',
      () => withLength(signed, manifest.at - 8),
    ],
    ['that it is a WAVE', () => flipped(9)],
    ['the name of the manifest', () => flipped(manifest.at)],
    ['the length of the manifest', () => flipped(manifest.at + 5)],
    ['the padding of the manifest', () => flipped(manifest.at + 8 + manifest.length)],
    ['a second manifest behind its own', () => inRiff(signed, others)],
    [
      'a second manifest before its own',
      () => inRiff(signed.subarray(0, manifest.at), others, signed.subarray(manifest.at)),
    ],
    ['another manifest in the place of its own', () => inRiff(signed.subarray(0, manifest.at), others)],
    ['its own manifest twice', () => inRiff(signed, signed.subarray(manifest.at))],
    ['a note behind the manifest', () => inRiff(signed, WAVE_NOTES)],
    ['bytes behind the end', () => Buffer.concat([signed, Buffer.from('more')])],
    ['a zero behind the end', () => Buffer.concat([signed, Buffer.alloc(1)])],
    ['a chunk taken out', () => inRiff(signed.subarray(0, 12), signed.subarray(at('fmt ')))],
  ])('is never taken for it: %s', async (_what, change) => {
    const file = await sound(change());
    const verdict = await workshop.verify(file).then(
      (verification) => verification.verdict,
      (error: unknown) => (error as { code: string }).code,
    );
    await workshop.discard(file.path);
    expect(['broken', 'none', 'media_corrupt', 'manifest_malformed', 'unsupported_media']).toContain(verdict);
  });
});
