import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { type PlannedAssertion } from '../domain/manifest-plan.js';

/** For tests: pictures that say what may be done with them, in every container and vocabulary that upload takes. */
export type PictureFormat = 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff' | 'gif';
export const PICTURE_FORMATS: readonly PictureFormat[] = ['png', 'jpeg', 'webp', 'avif', 'tiff', 'gif'];

const NAMESPACES = [
  'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"',
  'xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"',
  'xmlns:dc="http://purl.org/dc/elements/1.1/"',
  'xmlns:dcterms="http://purl.org/dc/terms/"',
  'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"',
  'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"',
  'xmlns:tdm="http://www.w3.org/ns/tdmrep/"',
].join(' ');

/** One packet with these elements in its description. */
export function xmpPacket(elements: string, attributes = ''): string {
  return (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">' +
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    `<rdf:Description rdf:about="" ${NAMESPACES} ${attributes}>${elements}</rdf:Description>` +
    `</rdf:RDF></x:xmpmeta>${' '.repeat(64)}<?xpacket end="w"?>`
  );
}

export function dataMining(code: string): string {
  return `<plus:DataMining>http://ns.useplus.org/ldf/vocab/${code}</plus:DataMining>`;
}

export function languageAlternative(property: string, text: string): string {
  return `<${property}><rdf:Alt><rdf:li xml:lang="x-default">${text}</rdf:li></rdf:Alt></${property}>`;
}

export function plainPicture(format: PictureFormat): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  return sharp({ create: { width: 48, height: 48, channels: 3, background: '#888', noise } })
    .toFormat(format)
    .toBuffer();
}

/** As common writers do it; sharp writes no XMP into GIF. */
export async function pictureWithXmp(format: PictureFormat, packet: string): Promise<Buffer> {
  if (format === 'gif') return gifWithXmp(await plainPicture('gif'), packet);
  return sharp(await plainPicture(format))
    .withXmp(packet)
    .toFormat(format)
    .toBuffer();
}

/** XMP part 3 section 1.1.2: in front of the trailer, the packet as it is, then the bytes that lead readers to the end. */
export function gifWithXmp(gif: Buffer, packet: string): Buffer {
  const countdown = Buffer.from(Array.from({ length: 256 }, (_, i) => 255 - i));
  const end = Buffer.concat([Buffer.from([0x01]), countdown, Buffer.from([0x00])]);
  const extension = Buffer.concat([
    Buffer.from('\x21\xff\x0bXMP DataXMP', 'latin1'),
    Buffer.from(packet),
    end,
  ]);
  return Buffer.concat([gif.subarray(0, -1), extension, gif.subarray(-1)]);
}

/** Packets and image resources as segments behind SOI. */
export function jpegWithSegments(jpeg: Buffer, segments: readonly { code: number; data: Buffer }[]): Buffer {
  const framed = segments.map(({ code, data }) => {
    const head = Buffer.from([0xff, code, 0, 0]);
    head.writeUInt16BE(data.length + 2, 2);
    return Buffer.concat([head, data]);
  });
  return Buffer.concat([jpeg.subarray(0, 2), ...framed, jpeg.subarray(2)]);
}

export function xmpSegment(packet: Buffer | string): { code: number; data: Buffer } {
  const name = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1');
  return { code: 0xe1, data: Buffer.concat([name, Buffer.from(packet)]) };
}

/** A packet that is too long for one segment. `leaveOut` drops the part with this number. */
export function extendedXmpSegments(packet: Buffer, leaveOut?: number): { code: number; data: Buffer }[] {
  const partBytes = 60_000;
  const count = Math.ceil(packet.length / partBytes);
  return Array.from({ length: count }, (_, i) => i)
    .filter((i) => i !== leaveOut)
    .map((i) => {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(packet.length, 0);
      head.writeUInt32BE(i * partBytes, 4);
      const name = Buffer.from(`http://ns.adobe.com/xmp/extension/\0${'A'.repeat(32)}`, 'latin1');
      const part = packet.subarray(i * partBytes, (i + 1) * partBytes);
      return { code: 0xe1, data: Buffer.concat([name, head, part]) };
    });
}

/** Photoshop image resource 1028 with one IPTC-IIM dataset of record 2. */
export function iimSegment(dataset: number, text: string): { code: number; data: Buffer } {
  const value = Buffer.from(text);
  const record = Buffer.concat([
    Buffer.from([0x1c, 2, dataset, value.length >> 8, value.length & 0xff]),
    value,
  ]);
  const head = Buffer.alloc(12);
  head.write('8BIM', 0, 'latin1');
  head.writeUInt16BE(0x0404, 4);
  head.writeUInt32BE(record.length, 8);
  const padding = Buffer.alloc(record.length % 2);
  const name = Buffer.from('Photoshop 3.0\0', 'latin1');
  return { code: 0xed, data: Buffer.concat([name, head, record, padding]) };
}

/** A text chunk in front of the pixels. */
export function pngWithText(png: Buffer, text: Buffer, { compressed = false } = {}): Buffer {
  const head = Buffer.from(`XML:com.adobe.xmp\0${compressed ? '\x01' : '\0'}\0\0\0`, 'latin1');
  return pngWithChunk(png, 'iTXt', Buffer.concat([head, compressed ? deflateSync(text) : text]));
}

export function pngWithChunk(png: Buffer, type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  const pixels = png.indexOf('IDAT') - 4;
  return Buffer.concat([png.subarray(0, pixels), chunk, png.subarray(pixels)]);
}

/** A training and data mining assertion: of CAWG, or its forerunner in C2PA 1.x. */
export function trainingMining(
  vendor: 'cawg' | 'c2pa',
  entries: Readonly<Record<string, { use: string; constraint_info?: string }>>,
): PlannedAssertion {
  const named = Object.entries(entries).map(([act, entry]) => [`${vendor}.${act}`, entry] as const);
  return {
    label: `${vendor}.training-mining`,
    kind: 'gathered',
    data: { entries: Object.fromEntries(named) },
  };
}
