import { sharp } from '../src/assets/adapters/libvips.js';
import { BACKDROP_KINDS } from '../src/generation/adapters/studio/scene/backdrop-shading.js';
import { PRODUCT_KINDS } from '../src/generation/adapters/studio/scene/product-shape.js';
import { renderScene, renderSceneParameters } from '../src/generation/adapters/studio/render-scene.js';

/** Families of distinct pictures, made from numbers alone: the same number gives the same picture. */
export const PICTURE_FAMILIES = ['product', 'noise', 'shapes', 'landscape', 'page'] as const;
export type PictureFamily = (typeof PICTURE_FAMILIES)[number];
/** One in twenty is a product: the studio needs a second for it. */
const BY_LAST_DIGIT: readonly PictureFamily[] = [
  'product',
  'noise',
  'noise',
  'shapes',
  'shapes',
  'shapes',
  'landscape',
  'landscape',
  'page',
  'page',
];

type Random = () => number;

export function familyOf(number: number): PictureFamily {
  if (number % 20 === 10) return 'noise';
  return BY_LAST_DIGIT[number % BY_LAST_DIGIT.length] ?? 'noise';
}

/** PNG of 144 to 256 pixels a side. */
export async function syntheticPicture(number: number): Promise<Buffer> {
  const random = randomFrom(number);
  const width = 144 + Math.floor(random() * 15) * 8;
  const height = 144 + Math.floor(random() * 15) * 8;
  switch (familyOf(number)) {
    case 'product':
      return productPicture(number, random);
    case 'noise':
      return noisePicture(width, height, random);
    case 'shapes':
      return fromSvg(width, height, shapes(width, height, random));
    case 'landscape':
      return fromSvg(width, height, landscape(width, height, random));
    case 'page':
      return fromSvg(width, height, page(width, height, random));
  }
}

/** mulberry32 */
function randomFrom(seed: number): Random {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function choose<T>(values: readonly T[], random: Random): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error('nothing to choose from');
  return value;
}

/** What the product's own studio makes: one bottle, jar or box in the middle. The hardest family to tell apart. */
async function productPicture(number: number, random: Random): Promise<Buffer> {
  const { bytes } = await renderScene(
    renderSceneParameters.parse({
      product: choose(PRODUCT_KINDS, random),
      backdrop: choose(BACKDROP_KINDS, random),
      brandName: `Brand ${String(number)}`,
      prompt: `picture ${String(number)}`,
      seed: number,
      width: 256,
      height: 256,
    }),
  );
  return Buffer.from(bytes);
}

/** Value noise of five octaves, another one for each channel. */
async function noisePicture(width: number, height: number, random: Random): Promise<Buffer> {
  const layers = await Promise.all(
    [3, 6, 12, 24, 48].map(async (side, octave) => {
      const cells = Buffer.from({ length: side * side * 3 } as ArrayLike<number>).fill(0);
      for (let at = 0; at < cells.length; at += 1) cells[at] = Math.floor(random() * 256);
      const pixels = await sharp(cells, { raw: { width: side, height: side, channels: 3 } })
        .resize(width, height, { fit: 'fill', kernel: 'cubic' })
        .raw()
        .toBuffer();
      return { pixels, weight: 0.5 ** octave };
    }),
  );
  const sum = layers.reduce((total, { weight }) => total + weight, 0);
  const mixed = Buffer.alloc(width * height * 3);
  for (let at = 0; at < mixed.length; at += 1)
    mixed[at] = layers.reduce((value, { pixels, weight }) => value + (pixels[at] ?? 0) * weight, 0) / sum;
  return sharp(mixed, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

function fromSvg(width: number, height: number, content: string): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}">${content}</svg>`;
  return sharp(Buffer.from(svg)).removeAlpha().png().toBuffer();
}

function color(random: Random): string {
  const hue = Math.floor(random() * 360);
  const saturation = 20 + Math.floor(random() * 70);
  return `hsl(${String(hue)},${String(saturation)}%,${String(15 + Math.floor(random() * 75))}%)`;
}

function gradient(id: string, random: Random): string {
  const angle = random() * 2 * Math.PI;
  const [x, y] = [0.5 + Math.cos(angle) / 2, 0.5 + Math.sin(angle) / 2];
  return `<linearGradient id="${id}" x1="${String(1 - x)}" y1="${String(1 - y)}" x2="${String(x)}" y2="${String(y)}"><stop offset="0" stop-color="${color(random)}"/><stop offset="1" stop-color="${color(random)}"/></linearGradient>`;
}

function shapes(width: number, height: number, random: Random): string {
  const parts = Array.from({ length: 4 + Math.floor(random() * 14) }, () => {
    const [x, y] = [random() * width, random() * height];
    const size = (0.05 + random() * 0.3) * width;
    const fill = `fill="${color(random)}" fill-opacity="${String(0.4 + random() * 0.6)}"`;
    const turn = `transform="rotate(${String(random() * 360)} ${String(x)} ${String(y)})"`;
    return random() < 0.5
      ? `<ellipse cx="${String(x)}" cy="${String(y)}" rx="${String(size)}" ry="${String(size * (0.3 + random()))}" ${fill} ${turn}/>`
      : `<rect x="${String(x)}" y="${String(y)}" width="${String(size)}" height="${String(size * (0.3 + random()))}" ${fill} ${turn}/>`;
  });
  return `<defs>${gradient('g', random)}</defs><rect width="100%" height="100%" fill="url(#g)"/>${parts.join('')}`;
}

/** Sky, sun and three ranges of hills. */
function landscape(width: number, height: number, random: Random): string {
  const hills = [0.45, 0.6, 0.78].map((level) => {
    const points = Array.from({ length: 12 }, (_, at) => {
      const y = height * (level + (random() - 0.5) * 0.3);
      return `${String((at * width) / 11)},${String(y)}`;
    });
    return `<polygon fill="${color(random)}" points="0,${String(height)} ${points.join(' ')} ${String(width)},${String(height)}"/>`;
  });
  const sun = `<circle cx="${String(random() * width)}" cy="${String(random() * height * 0.5)}" r="${String(width * (0.03 + random() * 0.1))}" fill="${color(random)}"/>`;
  return `<defs>${gradient('s', random)}</defs><rect width="100%" height="100%" fill="url(#s)"/>${sun}${hills.join('')}`;
}

/** Lines like text, a picture and a chart on white paper: an even border, and little to tell pages apart by. */
function page(width: number, height: number, random: Random): string {
  const margin = width * (0.05 + random() * 0.1);
  const parts: string[] = [];
  for (let y = margin; y < height - margin;) {
    const block = random();
    if (block < 0.2) {
      const tall = height * (0.1 + random() * 0.25);
      const left = margin + random() * width * 0.3;
      parts.push(
        `<rect x="${String(left)}" y="${String(y)}" width="${String(width * (0.2 + random() * 0.3))}" height="${String(tall)}" fill="${color(random)}"/>`,
      );
      y += tall + 10;
    } else {
      const long = (width - 2 * margin) * (0.3 + random() * 0.7);
      const thick = block < 0.35 ? 14 : 5;
      parts.push(
        `<rect x="${String(margin)}" y="${String(y)}" width="${String(long)}" height="${String(thick)}" fill="#222"/>`,
      );
      y += thick + 7;
    }
  }
  return `<rect width="100%" height="100%" fill="#fff"/>${parts.join('')}`;
}
