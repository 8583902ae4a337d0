import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { eventually } from '../../../test/support/eventually.js';
import { pngThatClaims } from '../../../test/support/pictures.js';
import { IsolatedMediaProbe } from '../../assets/adapters/isolated-media-probe.js';
import { normalizePicture } from '../../assets/adapters/normalize-picture.js';
import { SharpMediaProbe } from '../../assets/adapters/sharp-media-probe.js';
import { isColophonError } from '../../shared/errors.js';
import { type MediaFile, PICTURE_TYPES, SigningWorkshop } from '../testing/signing-workshop.js';
import { VerificationProcess, type VerificationProcessOptions } from './verification-process.js';

const TYPESCRIPT = {
  childModuleUrl: new URL('./verification-child.ts', import.meta.url),
  childExecArgv: ['--import', new URL('../testing/typescript-loader.js', import.meta.url).href],
};

let workshop: SigningWorkshop;
let picture: MediaFile;
let real: IsolatedMediaProbe;
const open: VerificationProcess[] = [];
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
  picture = await workshop.picture('image/png', 200);
  real = decoder();
});
afterAll(async () => {
  for (const each of open) each.close();
  await workshop.close();
});

function decoder(options: Partial<VerificationProcessOptions> = {}): IsolatedMediaProbe {
  const created = new VerificationProcess({ trust: undefined, ...TYPESCRIPT, ...options });
  open.push(created);
  return new IsolatedMediaProbe(created);
}

async function childThat(onMessage: string): Promise<Partial<VerificationProcessOptions>> {
  const program = `process.on('message', (job) => { ${onMessage} }); process.send({ kind: 'ready' });`;
  const path = await workshop.write(Buffer.from(program));
  return { childModuleUrl: pathToFileURL(path), childExecArgv: [] };
}

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'answered',
    (error: unknown) => (isColophonError(error) ? error.code : String(error)),
  );

/** Small files that unpack to much, or that never come to an end. */
async function bombs(): Promise<Record<string, Buffer>> {
  const png = await readFile(picture.path);
  const jpeg = await readFile((await workshop.picture('image/jpeg', 200)).path);
  const gif = await readFile((await workshop.picture('image/gif', 200)).path);
  return {
    'a header of 30,000 x 30,000': pngThatClaims(30_000, 30_000),
    'a header of 9,000 x 9,000 without its pixels': pngThatClaims(9_000, 9_000),
    'a profile that unpacks to 64 MB': withChunk(
      png,
      'iCCP',
      Buffer.concat([Buffer.from('p\0\0'), deflateSync(Buffer.alloc(64 * 1024 * 1024), { level: 1 })]),
    ),
    'half of a PNG': png.subarray(0, png.length / 2),
    'half of a JPEG': jpeg.subarray(0, jpeg.length / 2),
    'half of a GIF': gif.subarray(0, gif.length / 2),
    'a JPEG whose scan repeats for ever': Buffer.concat([
      jpeg.subarray(0, -2),
      ...Array.from({ length: 20_000 }, () => jpeg.subarray(jpeg.indexOf('ffda', 0, 'hex'), -2)),
    ]),
    'a GIF of frames without end': Buffer.concat([
      gif.subarray(0, -1),
      ...Array.from({ length: 3000 }, () =>
        Buffer.from('2c000000000100010000024401003b', 'hex').subarray(0, -1),
      ),
    ]),
  };
}

/** After IHDR. The checksum is left wrong: libpng tells, libspng may not. */
function withChunk(png: Buffer, type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([png.subarray(0, 33), head, data, Buffer.alloc(4), png.subarray(33)]);
}

const flat = (side: number): Promise<Buffer> =>
  sharp({ create: { width: side, height: side, channels: 3, background: '#345' } })
    .jpeg()
    .toBuffer();
const smallJpeg = await flat(100);
const largeJpeg = await flat(300);
const base64Of = (...parts: (Uint8Array | string)[]): string =>
  Buffer.concat(parts.map((part) => Buffer.from(part))).toString('base64');
/** A child whose pixels are as they should be. */
function withThumbnail(thumbnail: string): string {
  const pixels = base64Of(Buffer.alloc(1024));
  const answer = { kind: 'normalized', pixels: { trimmed: pixels, whole: pixels, thumbnail } };
  return `process.send(${JSON.stringify(answer)})`;
}

function probedWithThumbnail(thumbnail: string): string {
  const pixels = base64Of(Buffer.alloc(1024));
  const picture = { trimmed: pixels, whole: pixels, thumbnail: base64Of(thumbnail) };
  const media = { mediaType: 'image/png', kind: 'image', frames: 1, sizeBytes: 9, picture };
  return `process.send(${JSON.stringify({ kind: 'probed', media })})`;
}

describe('decoding in a child process', () => {
  it.each(PICTURE_TYPES)('says the same of %s as in this process', async (type) => {
    const { path } = await workshop.picture(type, 120);
    const { picture: seen, ...probed } = await real.probe({ path });
    const { picture: here, ...media } = await new SharpMediaProbe().probe({ path });
    expect(probed).toEqual(JSON.parse(JSON.stringify(media)));
    expect(here).toEqual(await normalizePicture(path));
    for (const there of [await real.normalize(path), seen]) {
      expect(Buffer.from(there?.trimmed ?? [])).toEqual(Buffer.from(here?.trimmed ?? []));
      expect(Buffer.from(there?.whole ?? [])).toEqual(Buffer.from(here?.whole ?? []));
      expect(Buffer.from(there?.thumbnail ?? [])).toEqual(Buffer.from(here?.thumbnail ?? []));
    }
  });

  it('passes on what a file is refused for, and no word of the decoder', async () => {
    const path = await workshop.write(Buffer.from([0, 1, 2, 0xff]));
    expect(await codeOf(real.probe({ path }))).toBe('unsupported_media');
    const error = await real.normalize(path).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: 'media_corrupt',
      message: expect.not.stringContaining(path) as unknown,
    });
  });

  it('refuses bombs, halves and endless files by a clear word, and answers others meanwhile', async () => {
    for (const [name, bytes] of Object.entries(await bombs())) {
      const path = await workshop.write(bytes);
      const [probed, normalized, other] = await Promise.all([
        codeOf(real.probe({ path })),
        codeOf(real.normalize(path)),
        real.probe(picture),
      ]);
      // What a profile unpacks to is bounded by the decoder; the picture beside it is whole.
      const sober = name.startsWith('a profile')
        ? /^(media_corrupt|answered)$/
        : /^media_(corrupt|too_large)$/;
      expect([name, probed]).toEqual([name, expect.stringMatching(sober)]);
      // Without the walk before it, the decoder alone is still bounded.
      expect([name, normalized]).toEqual([name, expect.stringMatching(/^(media_corrupt|answered)$/)]);
      expect(other.width).toBe(200);
    }
  });

  it.each([
    ['dies', 'process.kill(process.pid, "SIGSEGV")'],
    ['hangs', 'while (true) {}'],
    ['answers another question', `process.send({ kind: 'verified', verification: {} })`],
    ['calls a stranger a picture', `process.send({ kind: 'probed', media: { mediaType: 'text/html' } })`],
    [
      'hands over too few pixels',
      `process.send({ kind: 'normalized', pixels: { trimmed: 'AA', whole: 'AA' } })`,
    ],
    ['hands over no pixels', `process.send({ kind: 'normalized', pixels: { whole: 3 } })`],
    ['hands over no thumbnail', withThumbnail('')],
    ['hands over a page as thumbnail', withThumbnail(base64Of('<script>alert(1)</script>'))],
    ['hands over a page as thumbnail of what it probed', probedWithThumbnail('<script>alert(1)</script>')],
    ['hides something behind a thumbnail', withThumbnail(base64Of(smallJpeg, '<script>'))],
    ['hands over a picture of 300 pixels as thumbnail', withThumbnail(base64Of(largeJpeg))],
  ])('survives a child that %s', async (_what, program) => {
    const child = decoder({ ...(await childThat(program)), deadlineMs: 1000 });
    expect(await codeOf(child.probe(picture))).toBe('media_corrupt');
    expect(await codeOf(child.normalize(picture.path))).toBe('media_corrupt');
  });

  it('looks at a file twice before it calls it damaged, where that is asked for', async () => {
    const marker = workshop.newPath();
    const onceDead = `const fs = process.getBuiltinModule('node:fs');
      if (!fs.existsSync('${marker}')) { fs.writeFileSync('${marker}', ''); process.kill(process.pid, 'SIGKILL'); }
      else process.send({ kind: 'probed', media: { mediaType: 'image/png', kind: 'image', frames: 1, sizeBytes: 9 } });`;
    const isolation = { command: [], hasNoNetwork: false, hasKernelLimits: false, text: '' };
    const child = decoder({ ...(await childThat(onceDead)), isolation, attempts: 2 });
    expect((await child.probe(picture)).mediaType).toBe('image/png');
    const hopeless = decoder({ ...(await childThat('process.exit(1)')), attempts: 2 });
    expect(await codeOf(hopeless.probe(picture))).toBe('media_corrupt');
  });

  it('says that it is our fault when it is shut down, so that nobody loses what was paid for', async () => {
    const marker = workshop.newPath();
    const isAtWork = `process.getBuiltinModule('node:fs').writeFileSync('${marker}', '');`;
    const isolation = { command: [], hasNoNetwork: false, hasKernelLimits: false, text: '' };
    const child = new VerificationProcess({ trust: undefined, ...(await childThat(isAtWork)), isolation });
    const call = codeOf(new IsolatedMediaProbe(child).probe(picture));
    await eventually('the child is at work', () => existsSync(marker) || undefined);
    child.close();
    expect(await call).toBe('reader_unavailable');
  });
});
