import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { pngChunk, withTexts } from '../../../../test/fakes/comfyui/fake-comfyui.js';
import { removePromptTexts } from './clean-file.js';
import { UncleanableFileError } from './cleaned-parts.js';

const drawing = () => sharp({ create: { width: 16, height: 16, channels: 3, background: '#336699' } });
const picture = () => drawing().png().toBuffer();
const PROMPT = 'A SECRET bottle on a table';
const GRAPH = { '5': { class_type: 'CLIPTextEncode', inputs: { text: PROMPT } } };
const JSON_IN_JSON = JSON.stringify({ prompt: JSON.stringify(GRAPH) });
const AFTER_HEADER = 33;
const insert = (png: Buffer, ...chunks: Buffer[]): Buffer =>
  Buffer.concat([png.subarray(0, AFTER_HEADER), ...chunks, png.subarray(AFTER_HEADER)]);
const packed = (head: string, text: string): string => head + deflateSync(text).toString('latin1');
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

/** A directory with one entry, little-endian. */
function tiff(tag: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(26);
  bytes.write('II*\0\x08\0\0\0\x01\0', 'latin1');
  bytes.writeUInt16LE(tag, 10);
  if (value.length === 2) {
    bytes.writeUInt16LE(3, 12);
    bytes.writeUInt32LE(1, 14);
    value.copy(bytes, 18);
    return bytes;
  }
  bytes.writeUInt16LE(7, 12);
  bytes.writeUInt32LE(value.length, 14);
  bytes.writeUInt32LE(26, 18);
  return Buffer.concat([bytes, value]);
}
const COMMENT = tiff(0x9286, Buffer.concat([Buffer.from('UNICODE\0'), utf16(PROMPT)]));
const TURNED = tiff(0x0112, Buffer.from([6, 0]));

function segment(code: number, data: Buffer | string): Buffer {
  const content = Buffer.from(data as string, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.length + 2);
  return Buffer.concat([Buffer.from([0xff, code]), length, content]);
}
const afterStart = (jpeg: Buffer, ...segments: Buffer[]): Buffer =>
  Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);

function box(type: string, ...content: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part as string, 'utf8')));
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

async function sameShown(one: Buffer, other: Buffer): Promise<void> {
  expect((await sharp(one).raw().toBuffer()).equals(await sharp(other).raw().toBuffer())).toBe(true);
}

describe('what ComfyUI writes into a PNG', () => {
  it('is taken out whole, is named, and nothing else changes', async () => {
    const clean = await picture();
    const received = withTexts(clean, GRAPH);
    const { bytes, preparation } = removePromptTexts(received, [PROMPT]);
    expect(bytes.equals(clean)).toBe(true);
    expect(preparation).toEqual({
      kind: 'png-text-removed',
      receivedSha256: createHash('sha256').update(received).digest('hex'),
      removed: ['prompt', 'tEXt', 'workflow'],
    });
  });

  it.each([
    ['zTXt under a known keyword', pngChunk('zTXt', packed('Prompt\0\0', PROMPT)), 'prompt'],
    ['iTXt under a known keyword', pngChunk('iTXt', 'prompt\0\0\0\0\0plain'), 'prompt'],
    ['a comment', pngChunk('tEXt', `Comment\0{"prompt":"${PROMPT}"}`), 'tEXt'],
    ['a description', pngChunk('tEXt', `Description\0${PROMPT}`), 'tEXt'],
    ['a keyword that is the prompt', pngChunk('tEXt', `${PROMPT}\0x`), 'tEXt'],
    ['a packed graph', pngChunk('zTXt', packed('generation_data\0\0', JSON.stringify(GRAPH))), 'zTXt'],
    ['a packed text', pngChunk('iTXt', packed('workflow_json\0\x01\0\0\0', JSON.stringify(GRAPH))), 'iTXt'],
    ['EXIF in UTF-16', pngChunk('eXIf', COMMENT.toString('latin1')), 'eXIf'],
    ['a chunk of nobody', pngChunk('prMt', PROMPT), 'other'],
  ])('is taken out of %s', async (_name, chunk, removed) => {
    const clean = await picture();
    const prepared = removePromptTexts(insert(clean, chunk), [PROMPT]);
    expect(prepared.bytes.equals(clean)).toBe(true);
    expect(prepared.preparation?.removed).toEqual([removed]);
  });

  it('leaves what shows the picture: profile, resolution, transparency', async () => {
    const clean = await drawing()
      .ensureAlpha(0.5)
      .png({ palette: true })
      .withMetadata({ icc: 'p3', density: 300 })
      .toBuffer();
    const { bytes } = removePromptTexts(withTexts(clean, GRAPH));
    expect(bytes.includes('iCCP')).toBe(true);
    expect(bytes.includes('pHYs')).toBe(true);
    await sameShown(bytes, clean);
  });

  it('is taken out behind the end only where it is nothing', async () => {
    const clean = await picture();
    const padded = removePromptTexts(Buffer.concat([clean, Buffer.alloc(3)]));
    expect(padded.bytes.equals(clean)).toBe(true);
    expect(padded.preparation?.removed).toEqual(['padding']);
    const longer = Buffer.concat([withTexts(clean, GRAPH), Buffer.from('x')]);
    expect(() => removePromptTexts(longer)).toThrow('behind its end');
    for (const broken of [
      clean.subarray(0, 100),
      clean.subarray(0, -12),
      insert(clean, pngChunk('PrMt', 'x')),
    ])
      expect(() => removePromptTexts(broken)).toThrow('damaged');
  });

  it('is found in a packed profile', async () => {
    const profile = pngChunk('iCCP', packed('sRGB\0\0', JSON.stringify(GRAPH)));
    const bytes = insert(await picture(), profile);
    expect(() => removePromptTexts(bytes)).toThrow('where it cannot be removed');
  });

  it('is found among very many', async () => {
    const clean = await picture();
    const chunk = pngChunk('tEXt', 'prompt\0');
    const received = insert(clean, Buffer.concat(Array.from({ length: 200_000 }, () => chunk)));
    const started = process.cpuUsage();
    expect(removePromptTexts(received).bytes.equals(clean)).toBe(true);
    const { user, system } = process.cpuUsage(started);
    // Some 300 ms; quadratic time would be minutes.
    expect((user + system) / 1_000).toBeLessThan(5_000);
  });

  it('gives the same bytes each time, and none the second time', async () => {
    const received = withTexts(await picture(), GRAPH);
    const first = removePromptTexts(received);
    expect(removePromptTexts(received).bytes.equals(first.bytes)).toBe(true);
    expect(removePromptTexts(first.bytes).preparation).toBeUndefined();
  });

  it('is not touched under a C2PA manifest, which would break: the file is refused', async () => {
    const signed = withTexts(await picture(), GRAPH, true);
    expect(() => removePromptTexts(signed)).toThrow(UncleanableFileError);
    const withoutTexts = insert(await picture(), pngChunk('caBX', 'manifest'));
    expect(removePromptTexts(withoutTexts)).toEqual({ bytes: withoutTexts });
  });
});

describe('what nodes write into other files', () => {
  it.each([
    ['EXIF in UTF-16', segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), COMMENT])), 'EXIF'],
    ['XMP', segment(0xe1, `http://ns.adobe.com/xap/1.0/\0${PROMPT}`), 'XMP'],
    ['a comment', segment(0xfe, JSON_IN_JSON), 'COM'],
    ['IPTC', segment(0xed, `Photoshop 3.0\0${PROMPT}`), 'APP13'],
    ['a segment of nobody', segment(0xe9, PROMPT), 'APP9'],
    ['a false profile', segment(0xe2, PROMPT), 'APP2'],
    ['a manifest that is none', segment(0xeb, PROMPT), 'APP11'],
  ])('is taken out of a JPEG: %s', async (_name, extra, removed) => {
    const clean = await drawing().jpeg({ progressive: true }).withIccProfile('p3').toBuffer();
    // libvips writes EXIF beside a profile.
    const plain = removePromptTexts(clean).bytes;
    const prepared = removePromptTexts(afterStart(plain, extra), [PROMPT]);
    expect(prepared.bytes.equals(plain)).toBe(true);
    expect(prepared.preparation).toMatchObject({ kind: 'metadata-removed', removed: [removed] });
    expect(plain.includes('ICC_PROFILE')).toBe(true);
    await sameShown(plain, clean);
  });

  it('is taken out of a JPEG between its scans and behind its end', async () => {
    const clean = await drawing().jpeg({ progressive: true }).toBuffer();
    const second = clean.indexOf(Buffer.from([0xff, 0xda]), clean.indexOf(Buffer.from([0xff, 0xda])) + 2);
    const between = Buffer.concat([
      clean.subarray(0, second),
      segment(0xfe, PROMPT),
      clean.subarray(second),
      afterStart(clean, segment(0xfe, PROMPT)),
    ]);
    const { bytes, preparation } = removePromptTexts(between, [PROMPT]);
    expect(bytes.equals(clean)).toBe(true);
    expect(preparation?.removed).toEqual(['COM', 'further pictures']);
    expect(() => removePromptTexts(clean.subarray(0, -2))).toThrow('damaged');
  });

  it('is not taken out of a picture that its EXIF turns, or that has a manifest', async () => {
    const exif = segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), TURNED]));
    const jpeg = await drawing().jpeg().toBuffer();
    expect(() => removePromptTexts(afterStart(jpeg, exif))).toThrow('turned by its EXIF');
    const jumbf = segment(0xeb, 'JP\0\x01\0\0\0\x01\0\0\0\x20jumb');
    const comment = segment(0xfe, 'x');
    expect(() => removePromptTexts(afterStart(jpeg, jumbf, comment))).toThrow('would break');
    expect(removePromptTexts(afterStart(jpeg, jumbf)).preparation).toBeUndefined();
    const turned = insert(await picture(), pngChunk('eXIf', TURNED.toString('latin1')));
    expect(() => removePromptTexts(turned)).toThrow('turned by its EXIF');
  });

  it('is taken out of a WebP, whose head says so', async () => {
    const clean = await drawing().webp().toBuffer();
    const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/">${PROMPT}</x:xmpmeta>`;
    const received = await drawing()
      .webp()
      .withXmp(xmp)
      .withExif({ IFD0: { ImageDescription: PROMPT } })
      .toBuffer();
    expect(received.includes(PROMPT)).toBe(true);
    const { bytes, preparation } = removePromptTexts(received, [PROMPT]);
    expect(bytes.includes('SECRET')).toBe(false);
    expect(preparation).toMatchObject({ kind: 'metadata-removed', removed: ['EXIF', 'XMP'] });
    expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 16, height: 16 });
    expect((await sharp(bytes).metadata()).exif).toBeUndefined();
    await sameShown(bytes, clean);
  });

  it.each([
    ['JSON in JSON in a comment', box('udta', box('meta', JSON_IN_JSON))],
    ['a workflow of the editor', box('meta', '{"nodes":[{"widgets_values":["SECRET"]}]}')],
    ['XMP', box('uuid', Buffer.from('be7acfcb97a942e89c71999491e3afac', 'hex'), PROMPT)],
  ])('is blanked in a film, which keeps its length: %s', (_name, extra) => {
    const clip = readFileSync('test/vectors/media/clip.mp4');
    const moov = clip.indexOf('moov') - 4;
    const end = moov + clip.readUInt32BE(moov);
    const received = Buffer.concat([clip.subarray(0, end), extra, clip.subarray(end)]);
    received.writeUInt32BE(end - moov + extra.length, moov);
    const { bytes, preparation } = removePromptTexts(received, [PROMPT]);
    expect(bytes.length).toBe(received.length);
    expect(bytes.includes('SECRET')).toBe(false);
    expect(preparation?.kind).toBe('metadata-removed');
    expect(bytes.subarray(end, end + 8)).toEqual(box('free', Buffer.alloc(extra.length - 8)).subarray(0, 8));
    expect(removePromptTexts(bytes).preparation).toBeUndefined();
  });

  it.each([
    ['a graph', JSON.stringify(GRAPH)],
    ['JSON in JSON', JSON_IN_JSON],
    ['JSON in JSON in JSON', JSON.stringify(JSON_IN_JSON)],
    ['a workflow of the editor', '{"nodes":[{"type":"CLIPTextEncode","widgets_values":["x"]}]}'],
    ['UTF-16', utf16(JSON.stringify(GRAPH))],
    ['the other UTF-16', Buffer.from(JSON.stringify(GRAPH), 'utf16le')],
    ['the prompt alone', PROMPT],
    ['the prompt alone in UTF-16', utf16(PROMPT)],
    ['parameters as other tools write them', 'x\nNegative prompt: y\nSteps: 20'],
  ])('is not signed where it cannot be taken out: %s', (_name, text) => {
    const bytes = Buffer.concat([Buffer.from('fLaC\0\0\0'), Buffer.from(text as string)]);
    expect(() => removePromptTexts(bytes, [PROMPT])).toThrow('where it cannot be removed');
  });

  it.each(['Бутылка', '一个瓶子在桌上的照片', 'a "b" <c> & \\d', 'Fläschchen'])(
    'is found in every spelling of %s',
    (prompt) => {
      const ascii = prompt.replaceAll(
        /[^ -~]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
      for (const form of [
        prompt,
        JSON.stringify(prompt),
        JSON.stringify({ a: JSON.stringify({ prompt }) }),
        ascii,
      ])
        for (const bytes of [Buffer.from(form), utf16(form)])
          expect(() => removePromptTexts(bytes, [prompt])).toThrow('where it cannot be removed');
    },
  );

  it('leaves everything else as it came', async () => {
    const others = [
      await picture(),
      await drawing().gif().toBuffer(),
      Buffer.from('not a picture'),
      Buffer.alloc(0),
    ];
    for (const bytes of others) {
      const prepared = removePromptTexts(bytes, [PROMPT, 'short', '']);
      expect(prepared.bytes).toBe(bytes);
      expect(prepared.preparation).toBeUndefined();
    }
  });
});
