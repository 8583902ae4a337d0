import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** A picture of noise: its bytes are unlike any other's. */
export function noisePicture(size = 64): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  return sharp({ create: { width: size, height: size, channels: 3, background: '#888', noise } })
    .png()
    .toBuffer();
}

/** The same picture with one region painted over: what a person's retouching leaves behind. */
export function retouched(picture: Uint8Array): Promise<Buffer> {
  const patch = { create: { width: 8, height: 8, channels: 3, background: '#d00' } } as const;
  return sharp(picture)
    .composite([{ input: patch, left: 2, top: 2 }])
    .png()
    .toBuffer();
}

/** Declares width x height in a few bytes; the pixel data are zeros that do not suffice. */
export function pngThatClaims(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8; // bit depth; color type 0 (gray), no interlacing
  return Buffer.concat([
    PNG_SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1024 * 1024))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

export function withBadCrc(png: Buffer): Buffer {
  const damaged = Buffer.from(png);
  const at = png.indexOf('IDAT') - 4;
  const crcAt = at + 8 + png.readUInt32BE(at);
  damaged[crcAt] = (damaged[crcAt] ?? 0) ^ 0xff;
  return damaged;
}

/** Flips one bit of the compressed pixels and repairs the checksum: a change that the PNG format does not notice. */
export function withOneByteChanged(png: Buffer): Buffer {
  const changed = Buffer.from(png);
  const at = png.indexOf('IDAT') - 4;
  const length = png.readUInt32BE(at);
  const victim = at + 8 + Math.floor(length / 2);
  changed[victim] = (changed[victim] ?? 0) ^ 1;
  changed.writeUInt32BE(crc32(changed.subarray(at + 4, at + 8 + length)), at + 8 + length);
  return changed;
}

/** `picture` with the manifest store (chunk caBX) that was made for `donor`. */
export function withManifestOf(donor: Buffer, picture: Buffer): Buffer {
  const at = donor.indexOf('caBX') - 4;
  const manifest = donor.subarray(at, at + 12 + donor.readUInt32BE(at));
  const pixels = picture.indexOf('IDAT') - 4;
  return Buffer.concat([picture.subarray(0, pixels), manifest, picture.subarray(pixels)]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** Colored areas, another arrangement for each seed: what fingerprints can tell apart, unlike pure noise. */
export function scenePicture(seed: number, size = 320): Promise<Buffer> {
  let state = seed + 1;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
  for (let warmUp = 0; warmUp < 8; warmUp += 1) random();
  const parts = Array.from({ length: 14 }, () => {
    const [x, y, width, height] = [random(), random(), random() * 0.5, random() * 0.5].map(
      (share) => share * size,
    );
    return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="hsl(${random() * 360},60%,${20 + random() * 60}%)"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><rect width="100%" height="100%" fill="#999"/>${parts.join('')}</svg>`;
  return sharp(Buffer.from(svg)).removeAlpha().png().toBuffer();
}
