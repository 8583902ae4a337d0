import { sharp } from '../../assets/adapters/libvips.js';

/** 4:5, the portrait format of feeds. */
const WIDTH = 1600;
const HEIGHT = 2000;
const PRODUCT_HEIGHT = 1130;
/** Where the product stands: middle of the plinth's upper face. */
const FOOT_Y = 1590;
/** Rest of the old floor under the cut-out product, which is erased. */
const RIM = 18;

/**
 * What a person would do in a drawing program, done by hand-chosen numbers so that the demo needs no person: the cut-out
 * product is set on a plinth before an arch, in a warm palette, with a bar where the headline goes, in portrait format.
 *
 * @param cutOut a picture with transparency
 * @returns PNG, 1600 x 2000, opaque
 */
export async function editLikeADesigner(cutOut: Buffer): Promise<Buffer> {
  const { data, info } = await sharp(cutOut)
    .trim({ background: { r: 0, g: 0, b: 0, alpha: 0 }, threshold: 40 })
    .resize({ height: PRODUCT_HEIGHT, kernel: 'lanczos3' })
    .png()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const product = await sharp(data)
    .composite([{ input: Buffer.from(footMask(width, height)), blend: 'dest-in' }])
    .png()
    .toBuffer();
  const left = Math.round((WIDTH - width) / 2);
  const top = FOOT_Y - height + RIM;
  return sharp(Buffer.from(set()))
    .composite([
      { input: Buffer.from(shadow(width)), left: 0, top: 0 },
      { input: product, left, top },
      { input: Buffer.from(foot(width)), left: 0, top: 0 },
    ])
    .flatten({ background: '#f6e3cf' })
    .png({ compressionLevel: 8 })
    .toBuffer();
}

const svg = (content: string, width = WIDTH, height = HEIGHT): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${content}</svg>`;

/** Keeps the product down to its round foot. */
function footMask(width: number, height: number): string {
  const [y, ry] = [height - RIM - 38, 38];
  const [r, b] = [width - 4, 4];
  return svg(
    `<path d="M0 0 H${width} V${y - 60} L${r} ${y - 30} C${r} ${y + ry * 0.7} ${width * 0.8} ${y + ry} ${width / 2} ${y + ry} ` +
      `C${width * 0.2} ${y + ry} ${b} ${y + ry * 0.7} ${b} ${y - 30} L0 ${y - 60} Z" fill="#fff"/>`,
    width,
    height,
  );
}

/** Wall, arch, sun, floor, plinth and headline bar. */
function set(): string {
  return svg(`
    <defs>
      <linearGradient id="wall" x1="0" y1="0" x2="0.25" y2="1">
        <stop offset="0" stop-color="#fbefdf"/><stop offset="0.6" stop-color="#f4d9bf"/><stop offset="1" stop-color="#ebc3a1"/>
      </linearGradient>
      <linearGradient id="arch" x1="0" y1="0" x2="0.3" y2="1">
        <stop offset="0" stop-color="#e9ae86"/><stop offset="1" stop-color="#d98f66"/>
      </linearGradient>
      <linearGradient id="inside" x1="0" y1="0" x2="1" y2="0">
        <stop offset="0" stop-color="#8d4a2c" stop-opacity="0.30"/><stop offset="0.22" stop-color="#8d4a2c" stop-opacity="0"/>
      </linearGradient>
      <linearGradient id="floor" x1="0" y1="0" x2="0" y2="1">
        <stop offset="0" stop-color="#e2b08a"/><stop offset="1" stop-color="#f0cfb0"/>
      </linearGradient>
      <linearGradient id="side" x1="0" y1="0" x2="1" y2="0">
        <stop offset="0" stop-color="#d9a27c"/><stop offset="0.28" stop-color="#f7dfc8"/>
        <stop offset="0.6" stop-color="#ecc6a6"/><stop offset="1" stop-color="#c98d66"/>
      </linearGradient>
      <linearGradient id="face" x1="0" y1="0" x2="1" y2="0.6">
        <stop offset="0" stop-color="#fdf2e6"/><stop offset="1" stop-color="#f0d2b6"/>
      </linearGradient>
      <radialGradient id="sun"><stop offset="0" stop-color="#fff6e8" stop-opacity="0.95"/>
        <stop offset="0.55" stop-color="#fde3c4" stop-opacity="0.75"/><stop offset="1" stop-color="#fde3c4" stop-opacity="0"/></radialGradient>
      <filter id="soft" x="-20%" y="-20%" width="140%" height="140%"><feGaussianBlur stdDeviation="26"/></filter>
    </defs>
    <rect width="${WIDTH}" height="${HEIGHT}" fill="url(#wall)"/>
    <path d="M330 1640 V860 A470 470 0 0 1 1270 860 V1640 Z" fill="url(#arch)"/>
    <path d="M330 1640 V860 A470 470 0 0 1 1270 860 V1640 Z" fill="url(#inside)"/>
    <circle cx="800" cy="880" r="400" fill="url(#sun)"/>
    <rect y="1640" width="${WIDTH}" height="360" fill="url(#floor)"/>
    <ellipse cx="860" cy="1850" rx="560" ry="70" fill="#9a5a38" opacity="0.38" filter="url(#soft)"/>
    <path d="M370 1580 V1800 A430 92 0 0 0 1230 1800 V1580 Z" fill="url(#side)"/>
    <ellipse cx="800" cy="1580" rx="430" ry="92" fill="url(#face)"/>
    <rect x="120" y="150" width="560" height="26" rx="13" fill="#7c3a28"/>
    <rect x="120" y="206" width="330" height="12" rx="6" fill="#7c3a28" opacity="0.5"/>
    <circle cx="1450" cy="176" r="34" fill="none" stroke="#7c3a28" stroke-width="8"/>`);
}

/** Falls to the right on the plinth: the light comes from the left. */
function shadow(productWidth: number): string {
  const rx = productWidth * 0.62;
  return svg(`
    <defs><filter id="b" x="-40%" y="-80%" width="180%" height="260%"><feGaussianBlur stdDeviation="20"/></filter></defs>
    <ellipse cx="${WIDTH / 2 + 70}" cy="${FOOT_Y - 10}" rx="${rx}" ry="38" fill="#7a3e22" opacity="0.55" filter="url(#b)"/>`);
}

/** The contact shadow, over the lowest edge of the product: nothing floats. */
function foot(productWidth: number): string {
  const half = productWidth / 2;
  return svg(`
    <defs><filter id="b" x="-20%" y="-200%" width="140%" height="500%"><feGaussianBlur stdDeviation="7"/></filter></defs>
    <ellipse cx="${WIDTH / 2}" cy="${FOOT_Y - 2}" rx="${half * 0.97}" ry="9" fill="#54230f" opacity="0.55" filter="url(#b)"/>`);
}
