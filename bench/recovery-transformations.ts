import { sharp } from '../src/assets/adapters/libvips.js';

/** What happens to pictures that leave without their manifest. Each takes and gives the bytes of a picture. */
export const TRANSFORMATIONS: Readonly<Record<string, (picture: Buffer) => Promise<Buffer>>> = {
  'same pixels, PNG again': (picture) => sharp(picture).png({ compressionLevel: 1 }).toBuffer(),
  'JPEG 80': (picture) => sharp(picture).jpeg({ quality: 80 }).toBuffer(),
  'JPEG 50': (picture) => sharp(picture).jpeg({ quality: 50 }).toBuffer(),
  'JPEG 30': (picture) => sharp(picture).jpeg({ quality: 30 }).toBuffer(),
  'WebP 75': (picture) => sharp(picture).webp({ quality: 75 }).toBuffer(),
  'resized to 50 %': (picture) => resized(picture, 0.5),
  'resized to 25 %': (picture) => resized(picture, 0.25),
  'resized to 200 %': (picture) => resized(picture, 2),
  'cropped by 1 %': (picture) => cropped(picture, 0.01),
  'cropped by 2 %': (picture) => cropped(picture, 0.02),
  'cropped by 5 %': (picture) => cropped(picture, 0.05),
  'cropped by 10 %': (picture) => cropped(picture, 0.1),
  'like a screenshot': async (picture) =>
    sharp(await resized(picture, 0.8))
      .blur(0.7)
      .modulate({ saturation: 0.92 })
      .gamma(2.2, 2.1)
      .jpeg({ quality: 85 })
      .toBuffer(),
  'brightness +10 %': (picture) => sharp(picture).modulate({ brightness: 1.1 }).png().toBuffer(),
  'brightness -10 %': (picture) => sharp(picture).modulate({ brightness: 0.9 }).png().toBuffer(),
  'contrast +10 %': (picture) => sharp(picture).linear(1.1, -12.8).png().toBuffer(),
  'contrast -10 %': (picture) => sharp(picture).linear(0.9, 12.8).png().toBuffer(),
  grayscale: (picture) => sharp(picture).grayscale().png().toBuffer(),
  'white border of 5 %': (picture) => bordered(picture, '#fff'),
  'black border of 5 %': (picture) => bordered(picture, '#000'),
  'a line of text over it': withCaption,
  'rotated by 90 degrees': (picture) => sharp(picture).rotate(90).png().toBuffer(),
  'orientation tag instead': async (picture) =>
    sharp(await sharp(picture).rotate(90).toBuffer())
      .withMetadata({ orientation: 8 })
      .jpeg({ quality: 90 })
      .toBuffer(),
  mirrored: (picture) => sharp(picture).flop().png().toBuffer(),
};

async function sizeOf(picture: Buffer): Promise<{ width: number; height: number }> {
  const { width, height } = await sharp(picture).metadata();
  return { width, height };
}

async function resized(picture: Buffer, factor: number): Promise<Buffer> {
  const { width } = await sizeOf(picture);
  return sharp(picture)
    .resize(Math.round(width * factor))
    .jpeg({ quality: 90 })
    .toBuffer();
}

/** From each side half of it. */
async function cropped(picture: Buffer, share: number): Promise<Buffer> {
  const { width, height } = await sizeOf(picture);
  const [left, top] = [Math.round((width * share) / 2), Math.round((height * share) / 2)];
  return sharp(picture)
    .extract({ left, top, width: width - 2 * left, height: height - 2 * top })
    .jpeg({ quality: 90 })
    .toBuffer();
}

async function bordered(picture: Buffer, background: string): Promise<Buffer> {
  const { width } = await sizeOf(picture);
  const side = Math.round(width * 0.05);
  return sharp(picture)
    .extend({ top: side, bottom: side, left: side, right: side, background })
    .jpeg({ quality: 90 })
    .toBuffer();
}

/** White bars like letters on a dark band: no font is needed, and every machine draws the same. */
async function withCaption(picture: Buffer): Promise<Buffer> {
  const { width, height } = await sizeOf(picture);
  const band = Math.round(height * 0.08);
  const letters = Array.from({ length: 24 }, (_, at) => {
    const x = width * (0.05 + at * 0.037);
    return `<rect x="${String(x)}" y="${String(band * 0.25)}" width="${String(width * 0.02)}" height="${String(band * 0.5)}" fill="#fff"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(band)}"><rect width="100%" height="100%" fill="#000" fill-opacity="0.7"/>${letters.join('')}</svg>`;
  return sharp(picture)
    .composite([{ input: Buffer.from(svg), left: 0, top: height - band - 4 }])
    .jpeg({ quality: 90 })
    .toBuffer();
}
