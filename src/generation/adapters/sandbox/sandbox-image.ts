import { type Sharp } from 'sharp';
import { z } from 'zod';
import { sharp } from '../../../assets/adapters/libvips.js';
import { sha256 } from '../../../shared/bytes.js';
import { textPath } from '../studio/letter-paths.js';
import type { StudioPicture } from '../studio/studio-picture.js';

/** The sandbox runs no model: its pictures are drawn by an algorithm, and the manifest must say just that. */
export const SANDBOX_DIGITAL_SOURCE_TYPE = 'algorithmicMedia';
export const SANDBOX_ACTION = 'c2pa.created';

/** What it writes, by the words that vendors have for it. */
const FORMATS = { png: 'png', jpeg: 'jpeg', jpg: 'jpeg', webp: 'webp' } as const;
export type SandboxFormat = (typeof FORMATS)[keyof typeof FORMATS];
const formatWords = Object.keys(FORMATS) as (keyof typeof FORMATS)[];

export const sandboxImageParameters = z.strictObject({
  prompt: z.string().max(10_000),
  width: z.int().min(256).max(2048).default(1024),
  height: z.int().min(256).max(2048).default(1024),
  seed: z.int().min(0).max(4_294_967_295).default(0),
  output_format: z
    .enum(formatWords, `the sandbox draws ${formatWords.join(', ')}`)
    .transform((word) => FORMATS[word])
    .default('png'),
});
export type SandboxImageParameters = z.output<typeof sandboxImageParameters>;

/**
 * A test card that nobody takes for a work: the notice stands in the middle, the pattern comes from
 * SHA-256(prompt || 0x00 || seed), so different prompts look different and the same one gives the same bytes.
 * Nothing of the prompt can be read from it. sRGB.
 */
export function renderSandboxImage(parameters: SandboxImageParameters): Promise<StudioPicture> {
  const { prompt, seed, width, height, output_format: format } = parameters;
  return renderTestCard(digestOf(prompt, seed), { width, height, format });
}

/** From which everything that the sandbox makes for a request is drawn. */
export function digestOf(text: string, seed: number): Buffer {
  return sha256(text, '\u0000', String(seed));
}

export async function renderTestCard(
  digest: Buffer,
  {
    width,
    height,
    format,
  }: { readonly width: number; readonly height: number; readonly format: SandboxFormat },
): Promise<StudioPicture> {
  const card = sharp(Buffer.from(testCardSvg(digest, width, height))).removeAlpha();
  const bytes = await written(card, format).toBuffer();
  return { bytes, mediaType: `image/${format}`, width, height };
}

function written(card: Sharp, format: SandboxFormat): Sharp {
  switch (format) {
    case 'png':
      return card.png({ compressionLevel: 7 });
    case 'jpeg':
      return card.jpeg({ quality: 90 });
    case 'webp':
      return card.webp({ quality: 90 });
  }
}

const COLUMNS = 8;

function testCardSvg(digest: Buffer, width: number, height: number): string {
  const hue = ((digest[0] ?? 0) / 256) * 360;
  const unit = Math.min(width, height) / 100;
  const lines = ['Sandbox', 'not AI generated', 'for tests'];
  const panelHeight = 38 * unit;
  const top = (height - panelHeight) / 2;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="${hsl(hue, 26, 90)}"/>` +
    tiles(digest, hue, width, height) +
    `<rect x="${7 * unit}" y="${top}" width="${width - 14 * unit}" height="${panelHeight}" rx="${2 * unit}" fill="#fffdf8"/>` +
    `<rect x="${8.5 * unit}" y="${top + 1.5 * unit}" width="${width - 17 * unit}" height="${panelHeight - 3 * unit}" rx="${1.2 * unit}" fill="none" stroke="#23303a" stroke-width="${0.35 * unit}"/>` +
    line(lines[0] ?? '', width, top + 7 * unit, 9 * unit) +
    line(lines[1] ?? '', width, top + 20.5 * unit, 4.6 * unit) +
    line(lines[2] ?? '', width, top + 28.5 * unit, 3 * unit) +
    '</svg>'
  );
}

/** A field of quarter circles, mirrored about the vertical axis: each of the 32 digest bytes places one pair. */
function tiles(digest: Buffer, hue: number, width: number, height: number): string {
  const size = width / COLUMNS;
  const rows = Math.ceil(height / size);
  const shapes: string[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < COLUMNS / 2; column++) {
      const byte = digest[(row * (COLUMNS / 2) + column) % digest.length] ?? 0;
      const fill = hsl(hue + ((byte >> 2) % 4) * 28, 32, 58 + ((byte >> 4) % 4) * 8);
      const corner = byte & 1;
      shapes.push(quarter(column * size, row * size, size, corner, fill));
      shapes.push(quarter(width - (column + 1) * size, row * size, size, 1 - corner, fill));
    }
  }
  return shapes.join('');
}

function quarter(x: number, y: number, size: number, corner: number, fill: string): string {
  const path =
    corner === 0
      ? `M${x} ${y} h${size} a${size} ${size} 0 0 1 ${-size} ${size} Z`
      : `M${x} ${y} h${size} v${size} a${size} ${size} 0 0 1 ${-size} ${-size} Z`;
  return `<path d="${path}" fill="${fill}"/>`;
}

function line(text: string, width: number, top: number, capHeight: number): string {
  const path = textPath(text, 40);
  const scale = capHeight / 100;
  const x = (width - path.width * scale) / 2;
  return `<path d="${path.data}" transform="translate(${x} ${top}) scale(${scale})" fill="none" stroke="#23303a" stroke-width="13" stroke-linejoin="round"/>`;
}

/** Hexadecimal, because SVG renderers disagree about hsl(). Degrees, percent, percent. */
function hsl(hue: number, saturation: number, lightness: number): string {
  const [s, l] = [saturation / 100, lightness / 100];
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    const value = l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}
