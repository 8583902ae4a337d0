import { describe, expect, it } from '@jest/globals';
import { isColophonError } from '../../shared/errors.js';
import { MEDIA_VECTORS, mediaVector } from '../../provenance/testing/media-vectors.js';
import { type ProbedMedia } from '../domain/media-probe/media-probe.port.js';
import { SharpMediaProbe } from './sharp-media-probe.js';

const probe = new SharpMediaProbe();

async function resultOf(bytes: Uint8Array): Promise<ProbedMedia | string> {
  try {
    return await probe.probe({ bytes });
  } catch (error) {
    if (isColophonError(error)) return error.code;
    throw error;
  }
}

const SHAPES: Readonly<Record<string, Partial<ProbedMedia>>> = {
  'still.heic': { kind: 'image', width: 32, height: 24 },
  'still.jxl': { kind: 'image', width: 32, height: 24 },
  'drawing.svg': { kind: 'image', width: 32, height: 24 },
  'clip.mp4': { kind: 'video', width: 32, height: 24, durationMs: 500 },
  'clip.mov': { kind: 'video', width: 32, height: 24, durationMs: 500 },
  'clip.webm': { kind: 'video', width: 32, height: 24, durationMs: 500 },
  'clip.mkv': { kind: 'video', width: 32, height: 24 },
  'tone.wav': { kind: 'audio', durationMs: 200 },
  'tone.mp3': { kind: 'audio' },
  'tone-without-tags.mp3': { kind: 'audio' },
  'tone.m4a': { kind: 'audio' },
  'tone.flac': { kind: 'audio', durationMs: 200 },
  'tone.ogg': { kind: 'audio', durationMs: 500 },
  'tone.opus': { kind: 'audio', durationMs: 200 },
  'triangle.glb': { kind: 'model3d' },
  'triangle.gltf': { kind: 'model3d' },
  'triangle.obj': { kind: 'model3d' },
  'triangle.stl': { kind: 'model3d' },
  'triangle-ascii.stl': { kind: 'model3d' },
  'triangle.usdz': { kind: 'model3d' },
  'words.txt': { kind: 'text' },
  'words.md': { kind: 'text' },
  'facts.json': { kind: 'text' },
};
/** Sound without a length, and words, end anywhere; so does the name in the last line of a model. */
const ENDLESS = /flac|obj|words|ascii/;

describe.each(MEDIA_VECTORS)('%s', (name, mediaType) => {
  it('is what its bytes say, with its size and duration', async () => {
    const bytes = await mediaVector(name);
    expect(await resultOf(bytes)).toMatchObject({ mediaType, sizeBytes: bytes.length, ...SHAPES[name] });
  });

  it('is refused when it is cut off', async () => {
    const bytes = await mediaVector(name);
    for (const part of [0.1, 0.3, 0.5, 0.7, 0.9, 0.99]) {
      const result = await resultOf(bytes.subarray(0, Math.floor(bytes.length * part)));
      // What is left of other texts is at most words.
      if (typeof result !== 'string')
        expect([ENDLESS.test(name) || result.kind === 'text', part]).toEqual([true, part]);
    }
  });

  it('is refused with an archive or a page behind it, or a document in front', async () => {
    const bytes = await mediaVector(name);
    const zip = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);
    expect(typeof (await resultOf(Buffer.concat([bytes, zip])))).toBe('string');
    expect(typeof (await resultOf(Buffer.concat([Buffer.from('%PDF-1.7\n'), bytes])))).toBe('string');
  });

  it('survives any single changed byte of its first kilobyte', async () => {
    const bytes = await mediaVector(name);
    for (let at = 0; at < Math.min(1024, bytes.length); at += 3) {
      const changed = Buffer.from(bytes);
      changed[at] = 0xff - (changed[at] ?? 0);
      const result = await resultOf(changed);
      expect(typeof result === 'string' || result.sizeBytes === bytes.length).toBe(true);
    }
  });
});

function box(type: string, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

const FTYP = box('ftyp', Buffer.from('isom\0\0\0\0isommp42', 'latin1'));

async function patched(
  name: string,
  find: string,
  change: (bytes: Buffer, at: number) => void,
): Promise<Buffer> {
  const bytes = Buffer.from(await mediaVector(name));
  const at = bytes.indexOf(Buffer.from(find, 'latin1'));
  expect(at).toBeGreaterThan(0);
  change(bytes, at);
  return bytes;
}

/** tkhd of version 0: width and height in 16.16 are its last eight bytes. */
const WIDTH_IN_TKHD = 4 + 76;

const HOSTILE: readonly [string, () => Buffer | Promise<Buffer>, string][] = [
  ['nothing', () => Buffer.alloc(0), 'unsupported_media'],
  ['zeros', () => Buffer.alloc(5000), 'unsupported_media'],
  ['an MP4 of its first box alone', () => FTYP, 'media_corrupt'],
  ['an MP4 without media data', () => Buffer.concat([FTYP, box('moov')]), 'media_corrupt'],
  [
    'an MP4 whose box is longer than the file',
    () => Buffer.concat([FTYP, Buffer.from('\x7f\xff\xff\xffmdat', 'latin1')]),
    'media_corrupt',
  ],
  [
    'an MP4 whose box has a length below its header',
    () => Buffer.concat([FTYP, Buffer.from('\0\0\0\x02mdat', 'latin1')]),
    'media_corrupt',
  ],
  [
    'an MP4 whose box claims 2^63 bytes',
    () => Buffer.concat([FTYP, Buffer.from('\0\0\0\x01mdat\x7f\xff\xff\xff\xff\xff\xff\xff', 'latin1')]),
    'media_corrupt',
  ],
  [
    'an MP4 of 300,000 empty boxes',
    () => Buffer.concat([FTYP, ...Array.from({ length: 300_000 }, () => box('free'))]),
    'media_too_large',
  ],
  [
    'an MP4 with an unknown box at its top',
    () => Buffer.concat([FTYP, box('moov'), box('evil')]),
    'unsupported_media',
  ],
  ['a fragmented MP4', () => Buffer.concat([FTYP, box('moov'), box('moof')]), 'unsupported_media'],
  [
    'an MP4 with HTML behind it',
    async () => Buffer.concat([await mediaVector('clip.mp4'), Buffer.from('<script>alert(1)</script>')]),
    'media_corrupt',
  ],
  [
    'an MP4 that claims to be 65,535 pixels wide',
    () => patched('clip.mp4', 'tkhd', (bytes, at) => bytes.writeUInt32BE(0xffff0000, at + WIDTH_IN_TKHD)),
    'media_too_large',
  ],
  [
    'an MP4 whose pictures lie in another file',
    () => patched('clip.mp4', 'url ', (bytes, at) => bytes.writeUInt32BE(0, at + 4)),
    'media_not_allowed',
  ],
  [
    'an MP4 with a table of 2^32 entries',
    () => patched('clip.mp4', 'stts', (bytes, at) => bytes.writeUInt32BE(0xffffffff, at + 8)),
    'media_corrupt',
  ],
  [
    'a HEIC that claims 60,000 pixels',
    () => patched('still.heic', 'ispe', (bytes, at) => bytes.writeUInt32BE(60_000, at + 8)),
    'media_too_large',
  ],
  [
    'a HEIC with a zip inside of an unknown box',
    async () => Buffer.concat([await mediaVector('still.heic'), box('zipp', Buffer.alloc(20))]),
    'unsupported_media',
  ],
  ['a bare JPEG XL codestream', () => mediaVector('codestream.jxl'), 'unsupported_media'],
  [
    'a WAV whose sound is longer than the file',
    () => patched('tone.wav', 'data', (bytes, at) => bytes.writeUInt32LE(0xfffffff0, at + 4)),
    'media_corrupt',
  ],
  [
    'a WAV of no channels',
    () => patched('tone.wav', 'fmt ', (bytes, at) => bytes.writeUInt16LE(0, at + 10)),
    'media_corrupt',
  ],
  [
    'an MP3 with a tag of 256 MB',
    () => patched('tone.mp3', 'TSSE', (bytes) => bytes.fill(0x7f, 6, 10)),
    'unsupported_media',
  ],
  [
    'an MP3 with words between its frames',
    async () => {
      const bytes = await mediaVector('tone-without-tags.mp3');
      return Buffer.concat([bytes, Buffer.from('hidden words'), bytes]);
    },
    'unsupported_media',
  ],
  [
    'a WebM with an attached file',
    async () => {
      const bytes = await mediaVector('clip.webm');
      return patchedSegment(bytes);
    },
    'media_not_allowed',
  ],
  [
    'a GLB that claims more than it has',
    () => patched('triangle.glb', 'JSON', (bytes) => bytes.writeUInt32LE(9999, 8)),
    'media_corrupt',
  ],
  [
    'a GLB with something behind it',
    async () => Buffer.concat([await mediaVector('triangle.glb'), Buffer.alloc(4)]),
    'unsupported_media',
  ],
  [
    'a glTF that takes data from elsewhere',
    async () =>
      Buffer.from(
        (await mediaVector('triangle.gltf')).toString().replace(/data:[^"]*/, 'https://example.com/x.bin'),
      ),
    'media_not_allowed',
  ],
  [
    'a glTF whose view lies outside',
    async () =>
      Buffer.from(
        (await mediaVector('triangle.gltf'))
          .toString()
          .replace('"buffer": 0', '"buffer": 0, "byteOffset": 99'),
      ),
    'media_corrupt',
  ],
  [
    'a USDZ with a program in it',
    () =>
      patched(
        'triangle.usdz',
        'triangle.usda',
        (bytes, at) => void bytes.write('triangle.exe\0', at, 'latin1'),
      ),
    'unsupported_media',
  ],
  ['text with a zero byte', () => Buffer.from('some words\0and more'), 'unsupported_media'],
  ['text in Latin-1', () => Buffer.from('Gr\xfc\xdfe aus Z\xfcrich', 'latin1'), 'unsupported_media'],
  ['text of 17 MiB', () => Buffer.alloc(17 * 1024 * 1024, 'word '), 'unsupported_media'],
  ['a page', () => Buffer.from('<!doctype html><p>words</p>'), 'unsupported_media'],
  ['XML of another kind', () => Buffer.from('<?xml version="1.0"?><rss/>'), 'unsupported_media'],
  ['a PDF', () => Buffer.from('%PDF-1.7\n%%EOF\n'), 'unsupported_media'],
  ['a zip', () => Buffer.from('PK\x03\x04'.padEnd(200, '\0'), 'latin1'), 'unsupported_media'],
];

/** The segment of the WebM grown by an empty list of attachments at its end. */
function patchedSegment(bytes: Buffer): Buffer {
  const segment = bytes.indexOf(Buffer.from('18538067', 'hex'));
  const attachments = Buffer.from('1941a46980', 'hex');
  const grown = Buffer.concat([bytes, attachments]);
  // ffmpeg writes the length in eight bytes.
  grown.writeUInt32BE(bytes.readUInt32BE(segment + 8) + attachments.length, segment + 8);
  return grown;
}

describe('hostile files', () => {
  it.each(HOSTILE)('%s', async (_what, bytes, code) => {
    expect(await resultOf(await bytes())).toBe(code);
  });
});

const svg = (content: string, attributes = ''): Buffer =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9" ${attributes}>${content}</svg>`,
  );

describe('SVG', () => {
  it.each([
    ['a script', svg('<script>alert(1)</script>')],
    [
      'a script in another case and prefix',
      svg('<x:ScRiPt xmlns:x="http://www.w3.org/2000/svg">1</x:ScRiPt>'),
    ],
    ['foreign content', svg('<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>')],
    ['a handler', svg('<rect onload="alert(1)"/>')],
    ['a handler on the root', svg('', 'onload="alert(1)"')],
    ['a picture from elsewhere', svg('<image href="https://example.com/x.png"/>')],
    ['a file of this machine', svg('<image xlink:href="file:///etc/passwd"/>')],
    ['a relative reference', svg('<use href="other.svg#a"/>')],
    ['a link that runs something', svg('<a href="javascript:alert(1)"><rect/></a>')],
    ['a drawing inside of it', svg('<image href="data:image/svg+xml;base64,PHN2Zz4="/>')],
    ['a style from elsewhere', svg('<style>@import url(https://example.com/x.css);</style>')],
    ['a fill from elsewhere', svg('<rect fill="url(https://example.com/x.svg#a)"/>')],
    ['a fill spelled with escapes', svg('<rect style="fill:\\75rl(https://example.com/x)"/>')],
    [
      'a style split by comments',
      svg('<style>rect{fill:ur/**/l(https://example.com/x)} @im\\port "x";</style>'),
    ],
    ['an animated reference', svg('<a><animate attributeName="href" values="javascript:alert(1)"/></a>')],
    [
      'an animated reference with a prefix',
      svg('<a><set attributeName="xlink:href" to="javascript:alert(1)"/></a>'),
    ],
    ['an animated handler behind a prefix', svg('<a><set attributeName="x:onclick" to="alert(1)"/></a>')],
    ['a reference inside of another', svg('<rect fill="url(#a url(#b))"/>')],
    ['a reference with a space before it', svg('<rect fill="url (#b)"/>')],
    ['a reference that goes on behind its quotation', svg(`<rect fill="url('#a'b)"/>`)],
    ['another base', svg('<rect/>', 'xml:base="https://example.com/"')],
    [
      'a style sheet by instruction',
      Buffer.from(
        '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><?xml-stylesheet href="x.css"?></svg>',
      ),
    ],
    [
      'a document type',
      Buffer.from(
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x"><svg xmlns="http://www.w3.org/2000/svg"/>',
      ),
    ],
    [
      'entities that laugh',
      Buffer.from(
        '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>',
      ),
    ],
  ])('with %s is not allowed', async (_what, bytes) => {
    expect(await resultOf(bytes)).toBe('media_not_allowed');
  });

  it.each([
    ['unknown entities', svg('&nbsp;'), 'media_corrupt'],
    ['a missing end', svg('<g>'), 'media_corrupt'],
    ['a root of another namespace', Buffer.from('<svg xmlns="http://example.com/"/>'), 'media_corrupt'],
    ['300 levels', svg('<g>'.repeat(300) + '</g>'.repeat(300)), 'media_too_large'],
    ['2,000 repetitions', svg('<use href="#a"/>'.repeat(2000)), 'media_too_large'],
    [
      '100,000 pixels',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="100000" height="9"/>'),
      'media_too_large',
    ],
  ])('with %s is refused', async (_what, bytes, code) => {
    expect(await resultOf(bytes)).toBe(code);
  });

  it.each([
    ['spaces without an end', svg(`<style>a{fill:url(${' '.repeat(200_000)}x</style>`), 'media_not_allowed'],
    ['references without an end', svg(`<style>${'url('.repeat(200_000)}</style>`), 'media_not_allowed'],
    ['comments without an end', svg(`<style>${'/*'.repeat(400_000)}</style>`), undefined],
    ['names of handlers', svg(`<set attributeName="${':on'.repeat(200_000)}&#10;"/>`), 'media_not_allowed'],
    [
      'attributes',
      svg(`<g ${Array.from({ length: 200_000 }, (_, at) => `a${at}=""`).join(' ')}/>`),
      'media_too_large',
    ],
    ['ends without beginnings', svg('</g>'.repeat(500_000)), 'media_corrupt'],
  ])('is looked at in time that grows with its length only: %s', async (_what, bytes, code) => {
    const started = process.cpuUsage();
    const result = await resultOf(bytes);
    if (code === undefined) expect(result).toMatchObject({ mediaType: 'image/svg+xml' });
    else expect(result).toBe(code);
    const { user, system } = process.cpuUsage(started);
    // Some 200 ms; quadratic time would be minutes.
    expect((user + system) / 1_000).toBeLessThan(5_000);
  });

  it('with gradients, inner pictures, styles and metadata is fine', async () => {
    const picture = 'data:image/png;base64,iVBORw0KGgo=';
    const bytes = svg(
      `<title>T</title><metadata><a xmlns="http://example.com/">x</a></metadata><defs><linearGradient id="g"/></defs>
       <style>rect { fill: url(#g); stroke: red }</style><rect fill="url('#g')" transform="translate(1 2)"/>
       <image href="${picture}" width="1" height="1"/><use xlink:href="#g"/>`,
      'viewBox="0 0 9 9"',
    );
    expect(await resultOf(bytes)).toMatchObject({ mediaType: 'image/svg+xml', width: 9, height: 9 });
  });
});
