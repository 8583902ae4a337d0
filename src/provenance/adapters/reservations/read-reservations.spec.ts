import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import {
  dataMining,
  extendedXmpSegments,
  iimSegment,
  jpegWithSegments,
  languageAlternative,
  pictureWithXmp,
  PICTURE_FORMATS,
  plainPicture,
  type PictureFormat,
  pngWithChunk,
  pngWithText,
  trainingMining,
  xmpPacket,
  xmpSegment,
} from '../../testing/reserved-pictures.js';
import {
  action,
  generatedPlan,
  type MediaFile,
  parentOf,
  type PictureType,
  SigningWorkshop,
} from '../../testing/signing-workshop.js';
import { createFreeAuthority, redactFreely } from '../../testing/free-signer.js';
import { mediaVector } from '../../testing/media-vectors.js';
import { reservationsInChain } from '../../domain/reservations/training-mining-assertion.js';
import { avifMetadata } from './avif-metadata.js';
import { findMetadata } from './metadata-places.js';
import { readReservations } from './read-reservations.js';

let workshop: SigningWorkshop;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
});
afterAll(() => workshop.close());

async function readingOf(bytes: Buffer) {
  return readingOfFile({ path: await workshop.write(bytes), mediaType: 'image/png' });
}

async function readingOfFile(file: { path: string; mediaType: MediaFile['mediaType'] }) {
  return reservationsOf(file.path, await workshop.verify(file));
}

/** What it says of its making is another matter: see source-statements.spec.ts. */
async function reservationsOf(...asked: Parameters<typeof readReservations>) {
  const { found, unread } = await readReservations(...asked);
  return { found, unread };
}

const NOTHING = { found: [], unread: [] };
const plus = (act: string, use = 'notAllowed', constraint: string | null = null) => ({
  origin: 'plus.data-mining',
  act,
  use,
  constraint,
});
const EVERY_MINING = [plus('ai-training'), plus('data-mining'), plus('generative-ai-training')];

describe('reservations in XMP', () => {
  it.each(PICTURE_FORMATS)('%s: a picture that says nothing reserves nothing', async (format) => {
    expect(await readingOf(await plainPicture(format))).toEqual(NOTHING);
  });

  it.each(PICTURE_FORMATS)('%s: plus:DataMining is read', async (format) => {
    const file = await pictureWithXmp(format, xmpPacket(dataMining('DMI-PROHIBITED')));
    expect(await readingOf(file)).toEqual({ found: EVERY_MINING, unread: [] });
  });

  it.each([
    ['DMI-UNSPECIFIED', []],
    ['DMI-ALLOWED', EVERY_MINING.map((each) => ({ ...each, use: 'allowed' }))],
    ['DMI-PROHIBITED-AIMLTRAINING', [plus('ai-training'), plus('generative-ai-training')]],
    ['DMI-PROHIBITED-GENAIMLTRAINING', [plus('generative-ai-training')]],
    ['DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING', EVERY_MINING],
    ['DMI-PROHIBITED', EVERY_MINING],
    ['DMI-PROHIBITED-SEECONSTRAINT', EVERY_MINING.map((each) => ({ ...each, use: 'constrained' }))],
  ])('reads %s', async (code, found) => {
    const file = await pictureWithXmp('jpeg', xmpPacket(dataMining(code)));
    expect(await readingOf(file)).toEqual({ found, unread: [] });
  });

  it('keeps the constraint that a value refers to', async () => {
    const constraint = languageAlternative('plus:OtherConstraints', 'Ask  the\nstudio first');
    const packet = xmpPacket(dataMining('DMI-PROHIBITED-SEECONSTRAINT') + constraint);
    const { found } = await readingOf(await pictureWithXmp('jpeg', packet));
    expect(found).toContainEqual(plus('data-mining', 'constrained', 'Ask the studio first'));
  });

  it('does not take a value that it does not know for "nothing"', async () => {
    const file = await pictureWithXmp('jpeg', xmpPacket(dataMining('DMI-SOMETHING-NEW')));
    expect(await readingOf(file)).toEqual({ found: [], unread: ['xmp'] });
  });

  it.each([
    ['an attribute', xmpPacket('', 'plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"')],
    [
      'an address',
      xmpPacket('<plus:DataMining rdf:resource="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"/>'),
    ],
    [
      'a qualified value',
      xmpPacket(
        '<plus:DataMining rdf:parseType="Resource"><rdf:value>DMI-PROHIBITED</rdf:value></plus:DataMining>',
      ),
    ],
    [
      'another prefix',
      xmpPacket('<q:DataMining xmlns:q="http://ns.useplus.org/ldf/xmp/1.0/">DMI-PROHIBITED</q:DataMining>'),
    ],
    ['character data', xmpPacket('<plus:DataMining><![CDATA[DMI-PROHIBITED]]></plus:DataMining>')],
  ])('reads a value that is written as %s', async (_how, packet) => {
    const file = await pictureWithXmp('jpeg', packet);
    expect(await readingOf(file)).toEqual({ found: EVERY_MINING, unread: [] });
  });

  it('reads the reservation protocol of W3C', async () => {
    const file = await pictureWithXmp('jpeg', xmpPacket('', 'tdm:reservation="1"'));
    expect((await readingOf(file)).found).toEqual([
      { origin: 'tdmrep', act: 'data-mining', use: 'notAllowed', constraint: null },
    ]);
    const policy = 'tdm:reservation="1" tdm:policy="https://example.com/tdm"';
    const other = await pictureWithXmp('jpeg', xmpPacket('', policy));
    expect((await readingOf(other)).found).toEqual([
      {
        origin: 'tdmrep',
        act: 'data-mining',
        use: 'constrained',
        constraint: 'See the policy at https://example.com/tdm',
      },
    ]);
  });

  it.each(['xmpRights:UsageTerms', 'dc:rights', 'plus:OtherConstraints'])(
    'shows a person a sentence about AI in %s',
    async (property) => {
      const file = await pictureWithXmp('jpeg', xmpPacket(languageAlternative(property, 'No AI use.')));
      expect((await readingOf(file)).found).toEqual([
        { origin: 'iptc', act: 'ai-inference', use: 'constrained', constraint: 'No AI use.' },
      ]);
      const name = await pictureWithXmp('jpeg', xmpPacket(languageAlternative(property, '(c) Ai Weiwei')));
      expect(await readingOf(name)).toEqual(NOTHING);
    },
  );

  it('says that a manifest elsewhere was not read', async () => {
    const packet = xmpPacket('', 'dcterms:provenance="http://127.0.0.1:9/manifest.c2pa"');
    expect(await readingOf(await pictureWithXmp('jpeg', packet))).toEqual({ found: [], unread: ['c2pa'] });
  });
});

describe('packets that are where they should not be', () => {
  it('takes the stricter of two packets, whichever comes first', async () => {
    const jpeg = await plainPicture('jpeg');
    const png = await plainPicture('png');
    const packets = [dataMining('DMI-ALLOWED'), dataMining('DMI-PROHIBITED')].map((each) => xmpPacket(each));
    for (const [a = '', b = ''] of [packets, packets.toReversed()]) {
      const twoSegments = jpegWithSegments(jpeg, [xmpSegment(a), xmpSegment(b)]);
      expect(await readingOf(twoSegments)).toEqual({ found: EVERY_MINING, unread: [] });
      const twoChunks = pngWithText(pngWithText(png, Buffer.from(a)), Buffer.from(b), { compressed: true });
      expect(await readingOf(twoChunks)).toEqual({ found: EVERY_MINING, unread: [] });
    }
  });

  it('joins a packet of many segments, and does not read one with a hole', async () => {
    const jpeg = await plainPicture('jpeg');
    const long = `<dc:description>${'x'.repeat(200_000)}</dc:description>${dataMining('DMI-PROHIBITED')}`;
    const packet = Buffer.from(xmpPacket(long));
    const main = xmpSegment(xmpPacket(''));
    const whole = jpegWithSegments(jpeg, [main, ...extendedXmpSegments(packet)]);
    expect(await readingOf(whole)).toEqual({ found: EVERY_MINING, unread: [] });
    const holed = jpegWithSegments(jpeg, [main, ...extendedXmpSegments(packet, 1)]);
    expect(await readingOf(holed)).toEqual({ found: [], unread: ['xmp'] });
  });

  it('says so when AVIF holds a packet beside the one that its reader shows', async () => {
    const packet = Buffer.from(xmpPacket(dataMining('DMI-PROHIBITED')));
    const box = Buffer.alloc(8);
    box.writeUInt32BE(packet.length + 8, 0);
    box.write('free', 4, 'latin1');
    for (const [avif, found] of [
      [await plainPicture('avif'), []],
      [await pictureWithXmp('avif', xmpPacket(dataMining('DMI-PROHIBITED'))), EVERY_MINING],
    ] as const) {
      const file = Buffer.concat([avif, box, packet]);
      expect(await readingOf(file)).toEqual({ found, unread: ['xmp'] });
    }
  });

  it('does not take text of an older program for "nothing"', async () => {
    const raw = Buffer.from('Raw profile type xmp\0\nxmp\n      4\n3c78\n', 'latin1');
    const file = pngWithChunk(await plainPicture('png'), 'tEXt', raw);
    expect(await readingOf(file)).toEqual({ found: [], unread: ['xmp'] });
  });

  it.each([
    [40, 'No use with AI'],
    [116, 'All rights reserved, text and data mining included'],
  ])('shows a person a sentence about AI in IPTC-IIM 2:%i', async (dataset, text) => {
    const file = jpegWithSegments(await plainPicture('jpeg'), [iimSegment(dataset, text)]);
    expect(await readingOf(file)).toEqual({
      found: [{ origin: 'iptc', act: 'ai-inference', use: 'constrained', constraint: text }],
      unread: [],
    });
  });

  it('says so when IPTC-IIM breaks off', async () => {
    const { code, data } = iimSegment(116, 'All rights reserved');
    const file = jpegWithSegments(await plainPicture('jpeg'), [{ code, data: data.subarray(0, -9) }]);
    expect(await readingOf(file)).toEqual({ found: [], unread: ['iptc-iim'] });
  });
});

describe('hostile packets', () => {
  const LAUGHS =
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>';
  const deep = (levels: number) => '<dc:a>'.repeat(levels) + '</dc:a>'.repeat(levels);
  const HOSTILE: [string, Buffer][] = [
    ['a billion laughs', Buffer.from(LAUGHS + xmpPacket('<dc:rights>&c;</dc:rights>'))],
    [
      'an external entity',
      Buffer.from(
        `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${xmpPacket('<dc:rights>&e;</dc:rights>')}`,
      ),
    ],
    [
      'an external document type',
      Buffer.from(`<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">${xmpPacket('')}`),
    ],
    ['an unknown entity', Buffer.from(xmpPacket('<dc:rights>&nbsp;</dc:rights>'))],
    ['deep nesting', Buffer.from(xmpPacket(deep(50_000)))],
    ['10 MB', Buffer.from(xmpPacket(`<dc:rights>${'x'.repeat(10_000_000)}</dc:rights>`))],
    ['elements that do not close', Buffer.from(xmpPacket('<dc:rights>'))],
    ['bytes that are no UTF-8', Buffer.concat([Buffer.from(xmpPacket('')), Buffer.from([0xc3, 0x28])])],
    ['no XML at all', Buffer.from('plus:DataMining=DMI-ALLOWED')],
  ];
  it.each(HOSTILE)('%s is not read, and not taken for "nothing"', async (_what, packet) => {
    const compressed = pngWithText(await plainPicture('png'), packet, { compressed: true });
    expect(await readingOf(compressed)).toEqual({ found: [], unread: ['xmp'] });
    const plain = pngWithText(await plainPicture('png'), packet);
    expect(await readingOf(plain)).toEqual({ found: [], unread: ['xmp'] });
  });

  it('a file of nothing but packets is not read to its end, and keeps what was found', async () => {
    const packet = Buffer.from(xmpPacket(dataMining('DMI-PROHIBITED')));
    const segments = Array.from({ length: 200 }, () => xmpSegment(packet));
    const jpeg = jpegWithSegments(await plainPicture('jpeg'), segments);
    expect(await readingOf(jpeg)).toEqual({ found: EVERY_MINING, unread: ['xmp'] });
    let png = await plainPicture('png');
    for (let i = 0; i < 40; i += 1) png = pngWithText(png, packet, { compressed: true });
    expect(await readingOf(png)).toEqual({ found: EVERY_MINING, unread: ['xmp'] });
    const beginnings = Buffer.from('\x21\xff\x0bXMP DataXMP'.repeat(20_000), 'latin1');
    const gif = await plainPicture('gif');
    const file = Buffer.concat([gif.subarray(0, -1), beginnings, gif.subarray(-1)]);
    expect(findMetadata(file, 'image/gif')).toMatchObject({ xmp: [], xmpUnread: true });
  });

  it('keeps what was reserved before the packet broke', async () => {
    const broken = xmpPacket(`${dataMining('DMI-PROHIBITED')}<dc:rights>&boom;</dc:rights>`);
    const file = pngWithText(await plainPicture('png'), Buffer.from(broken));
    expect(await readingOf(file)).toEqual({ found: EVERY_MINING, unread: ['xmp'] });
    const unclosed = xmpPacket('').split('</rdf:Description>')[0] + '<plus:DataMining>DMI-PROHIBITED';
    const other = pngWithText(await plainPicture('png'), Buffer.from(unclosed));
    expect(await readingOf(other)).toEqual({ found: EVERY_MINING, unread: ['xmp'] });
  });

  it.each(['utf-16le', 'utf-16be'])('reads %s, with and without its mark', async (encoding) => {
    const text = xmpPacket(dataMining('DMI-PROHIBITED'));
    for (const marked of [`\ufeff${text}`, text]) {
      const bytes = Buffer.from(marked, 'utf16le');
      if (encoding === 'utf-16be') bytes.swap16();
      const file = pngWithText(await plainPicture('png'), bytes);
      expect(await readingOf(file)).toEqual({ found: EVERY_MINING, unread: [] });
    }
  });

  it('reads a packet that is padded with zeros, and a long one in good time', async () => {
    const padded = Buffer.concat([Buffer.from(xmpPacket(dataMining('DMI-PROHIBITED'))), Buffer.alloc(4000)]);
    expect((await readingOf(pngWithText(await plainPicture('png'), padded))).found).toEqual(EVERY_MINING);
    const spaces = Buffer.from(xmpPacket(`${' '.repeat(3_000_000)}${dataMining('DMI-PROHIBITED')}`));
    const long = pngWithText(await plainPicture('png'), spaces, { compressed: true });
    expect(await readingOf(long)).toEqual({ found: EVERY_MINING, unread: [] });
  });
});

describe('reservations in manifests', () => {
  const NO_INFERENCE = trainingMining('cawg', { ai_inference: { use: 'notAllowed' } });
  const FORBIDDEN = {
    origin: 'cawg.training-mining',
    act: 'ai-inference',
    use: 'notAllowed',
    constraint: null,
  };

  async function signed(assertions = [NO_INFERENCE], mediaType: PictureType = 'image/png') {
    return workshop.sign(await workshop.picture(mediaType), generatedPlan({ assertions }));
  }

  it.each(PICTURE_FORMATS)('%s: the assertion of CAWG is read', async (format: PictureFormat) => {
    const file = await signed([NO_INFERENCE], `image/${format}`);
    expect(await readingOfFile(file)).toEqual({ found: [FORBIDDEN], unread: [] });
  });

  it('reads all four acts, conditions, and the older label', async () => {
    const file = await signed([
      trainingMining('c2pa', {
        ai_inference: { use: 'constrained' },
        ai_generative_training: { use: 'constrained', constraint_info: 'https://example.com/license' },
        ai_training: { use: 'allowed' },
        data_mining: { use: 'notAllowed' },
      }),
    ]);
    const origin = 'c2pa.training-mining';
    expect(await readingOfFile(file)).toEqual({
      found: [
        { origin, act: 'ai-inference', use: 'constrained', constraint: null },
        { origin, act: 'ai-training', use: 'allowed', constraint: null },
        { origin, act: 'data-mining', use: 'notAllowed', constraint: null },
        {
          origin,
          act: 'generative-ai-training',
          use: 'constrained',
          constraint: 'https://example.com/license',
        },
      ],
      unread: [],
    });
  });

  it.each(['parentOf', 'componentOf', 'inputTo'] as const)(
    'reads what an ingredient reserves: %s',
    async (relationship) => {
      const inner = await signed();
      const middle = await workshop.sign(
        await workshop.picture(),
        generatedPlan({
          actions:
            relationship === 'parentOf' ? [action('c2pa.edited', 'humanEdits')] : generatedPlan().actions,
          ingredients: [{ ...parentOf(inner), relationship }],
        }),
      );
      const outer = await workshop.sign(
        await workshop.picture(),
        generatedPlan({ actions: [action('c2pa.edited', 'humanEdits')], ingredients: [parentOf(middle)] }),
      );
      expect(await readingOfFile(outer)).toEqual({ found: [FORBIDDEN], unread: [] });
    },
  );

  it('a later manifest that allows does not take back what an earlier one forbids', async () => {
    const outer = await workshop.sign(
      await workshop.picture(),
      generatedPlan({
        actions: [action('c2pa.edited', 'humanEdits')],
        ingredients: [parentOf(await signed())],
        assertions: [trainingMining('cawg', { ai_inference: { use: 'allowed' } })],
      }),
    );
    expect((await readingOfFile(outer)).found).toEqual([FORBIDDEN]);
  });

  it.each([
    ['the reservation', 'cawg.training-mining', ['c2pa']],
    ['the way to the manifest that has it', 'c2pa.ingredient.v3', ['c2pa']],
    ['something else', 'org.example.note', []],
  ])('does not take a redaction of %s for "nothing"', async (_what, assertion, unread) => {
    const note: typeof NO_INFERENCE = { ...NO_INFERENCE, label: 'org.example.note', data: { a: 1 } };
    const inner = await signed(assertion === 'org.example.note' ? [note] : [NO_INFERENCE]);
    const edited = generatedPlan({
      actions: [action('c2pa.edited', 'humanEdits')],
      ingredients: [parentOf(inner)],
    });
    const file =
      assertion === 'c2pa.ingredient.v3' ? await workshop.sign(await workshop.picture(), edited) : inner;
    const label = (await workshop.verify(file)).chain?.manifestLabel ?? '';
    const uri = `self#jumbf=/c2pa/${label}/c2pa.assertions/${assertion}`;
    const redacted = await redactFreely(file, workshop.newPath(), await createFreeAuthority(), [uri]);
    expect((await workshop.verify(redacted)).chain?.manifestLabel).not.toBe(label);
    expect((await readingOfFile(redacted)).unread).toEqual(unread);
  });

  it('does not take an address of a redaction that it cannot take apart for "nothing"', async () => {
    const { chain } = await workshop.verify(await workshop.sign(await workshop.picture()));
    expect(reservationsInChain(chain && { ...chain, redacted: [''] }).unread).toEqual(['c2pa']);
  });

  it('respects a manifest of a picture that was changed afterwards, and says so', async () => {
    const bytes = await readFile((await signed()).path);
    const at = bytes.lastIndexOf('IEND') - 20;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    expect(await readingOf(bytes)).toEqual({ found: [{ ...FORBIDDEN, manifestBroken: true }], unread: [] });
  });

  it('does not believe a manifest whose reservation was rewritten', async () => {
    const bytes = await readFile((await signed()).path);
    const at = bytes.indexOf('notAllowed');
    expect(at).toBeGreaterThan(0);
    bytes.write('NotAllowed', at, 'latin1');
    expect(await readingOf(bytes)).toEqual({ found: [], unread: ['c2pa'] });
  });

  it('does not take a version or a value that it does not know for "nothing"', async () => {
    const node = (await workshop.verify(await signed())).chain;
    const later = node?.assertions.map((each) => ({ ...each, label: `${each.label}.v2` })) ?? [];
    expect(later).toHaveLength(1);
    expect(reservationsInChain(node && { ...node, assertions: later }).unread).toEqual(['c2pa']);
    const unknownUse = trainingMining('cawg', { ai_inference: { use: 'perhaps' } });
    expect(await readingOfFile(await signed([unknownUse]))).toEqual({ found: [], unread: ['c2pa'] });
    const noEntries = { ...NO_INFERENCE, data: { metadata: 'x' } };
    expect(await readingOfFile(await signed([noEntries]))).toEqual({ found: [], unread: ['c2pa'] });
  });

  it("leaves a vendor's own act aside", async () => {
    const data = { entries: { 'com.example.printing': { use: 'notAllowed' } } };
    expect(await readingOfFile(await signed([{ ...NO_INFERENCE, data }]))).toEqual(NOTHING);
  });

  it('respects XMP beside a manifest', async () => {
    const source = {
      path: await workshop.write(await pictureWithXmp('jpeg', xmpPacket(dataMining('DMI-PROHIBITED')))),
      mediaType: 'image/jpeg' as const,
    };
    const file = await workshop.sign(source, generatedPlan({ assertions: [NO_INFERENCE] }));
    expect(await readingOfFile(file)).toEqual({ found: [FORBIDDEN, ...EVERY_MINING], unread: [] });
  });
});

describe('films, sounds, models and texts', () => {
  const packet = Buffer.from(xmpPacket(dataMining('DMI-PROHIBITED')));
  const MEDIA = ['clip.mp4', 'tone.mp3', 'tone.flac', 'clip.webm', 'triangle.glb', 'drawing.svg'];

  async function readingWith(name: string, extra: Buffer) {
    const path = await workshop.write(Buffer.concat([await mediaVector(name), extra]));
    const mediaType = 'video/mp4';
    return reservationsOf(path, {
      ...(await workshop.verify(await workshop.picture())),
      chain: undefined,
      mediaType,
    });
  }

  it.each(MEDIA)(
    '%s: a packet is found wherever it stands, and nothing where there is none',
    async (name) => {
      expect(await readingWith(name, Buffer.alloc(0))).toEqual(NOTHING);
      const { found, unread } = await readingWith(name, packet);
      expect(found.map(({ use }) => use)).toContain('notAllowed');
      expect(unread).toEqual([]);
    },
  );

  it('a packet that is declared but not whole, compressed or in another encoding is unread', async () => {
    for (const extra of [
      packet.subarray(0, packet.length - 400),
      Buffer.from('brobxml \x1b\0\0', 'latin1'),
      Buffer.from(packet.toString(), 'utf16le'),
      Buffer.from('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'),
    ]) {
      expect((await readingWith('clip.mp4', extra)).unread).toEqual(['xmp']);
    }
    const resource = Buffer.from('8BIM\x04\x04\0\0\0\0\0\0', 'latin1');
    expect((await readingWith('clip.mp4', resource)).unread).toEqual(['iptc-iim']);
  });

  it.each(['still.heic', 'still.jxl', 'clip.mov'])(
    '%s: EXIF is not read there, so what it says is unknown and never "nothing"',
    async (name) => {
      const item = Buffer.from('\0\0\0\x15infe\x02\0\0\0\0\x02\0\0Exif\0', 'latin1');
      expect((await readingWith(name, Buffer.alloc(0))).unread).toEqual([]);
      expect((await readingWith(name, item)).unread).toEqual(['exif']);
    },
  );

  it('an item of metadata whose packet is not seen, because it is compressed, is unread', async () => {
    const item = Buffer.from('mime\0application/rdf+xml\0deflate\0', 'latin1');
    const gap = Buffer.alloc(4 * 1024 * 1024 - item.length / 2 - (await mediaVector('still.heic')).length);
    for (const extra of [item, Buffer.concat([gap, item]), Buffer.concat([item, packet, gap, item])])
      expect((await readingWith('still.heic', extra)).unread).toEqual(['xmp']);
    expect((await readingWith('still.heic', Buffer.concat([item, packet]))).unread).toEqual([]);
    const avif = await pictureWithXmp('avif', xmpPacket(dataMining('DMI-PROHIBITED')));
    expect((await avifMetadata(avif)).xmpUnread).toBe(false);
    expect((await avifMetadata(Buffer.concat([avif, item]))).xmpUnread).toBe(true);
  });

  it('a packet across the pieces in which a large file is read is found', async () => {
    const gap = Buffer.alloc(4 * 1024 * 1024 - 4000 - packet.length / 2);
    expect(
      (await readingWith('clip.mp4', Buffer.concat([gap, packet, gap, packet]))).found.length,
    ).toBeGreaterThan(0);
  });

  it('beginnings of packets without an end are searched through once', async () => {
    const started = process.cpuUsage();
    const beginnings = Buffer.from('<x:xmpmeta'.repeat(1_500_000));
    expect((await readingWith('clip.mp4', Buffer.concat([beginnings, packet]))).unread).toEqual(['xmp']);
    const { user, system } = process.cpuUsage(started);
    // Some 500 ms; quadratic time would be minutes.
    expect((user + system) / 1_000).toBeLessThan(10_000);
  });

  it('a compressed frame of a sound is unread', async () => {
    const bytes = Buffer.from(await mediaVector('tone.mp3'));
    bytes[19] = 0x08;
    const path = await workshop.write(bytes);
    expect((await readingOfFile({ path, mediaType: 'audio/mpeg' })).unread).toEqual(['xmp']);
  });
});
