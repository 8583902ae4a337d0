import { sharp } from '../../../../assets/adapters/libvips.js';
import { LINEAR_OF_BYTE } from '../color.js';
import { textPath } from '../letter-paths.js';
import { pick, type SeededRandom } from './seeded-random.js';

/** Print on the product: straight-alpha linear RGBA floats, row by row. */
export interface LabelTexture {
  readonly width: number;
  readonly height: number;
  readonly texels: Float32Array;
}

export interface LabelDesign {
  readonly brandName: string;
  /** `#rrggbb` */
  readonly inkHex: string;
  /** Width over height of the printed area. */
  readonly aspect: number;
  /** How much of the width may carry text; the rest of a round product turns away from the camera. */
  readonly textWidth: number;
}

const HEIGHT = 1000;
const SMALL_TRACKING = 62;
const LAYOUTS = ['centered', 'framed', 'ruled'] as const;

/** Draws the label as SVG strokes and rasterizes it. `heightPx` should be about twice what the picture shows. */
export async function renderLabel(
  design: LabelDesign,
  random: SeededRandom,
  heightPx: number,
): Promise<LabelTexture> {
  const svg = labelSvg(design, random);
  const width = Math.max(8, Math.round(heightPx * design.aspect));
  const { data, info } = await sharp(Buffer.from(svg), { density: 72 })
    .resize(width, heightPx, { fit: 'fill' })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const texels = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const byte = data[i] ?? 0;
    texels[i] = i % 4 === 3 ? byte / 255 : (LINEAR_OF_BYTE[byte] ?? 0);
  }
  return { width: info.width, height: info.height, texels };
}

function labelSvg(design: LabelDesign, random: SeededRandom): string {
  const width = HEIGHT * design.aspect;
  const layout = pick(random, LAYOUTS);
  const number = String(1 + Math.floor(random() * 98)).padStart(2, '0');
  const usable = width * design.textWidth;
  const parts = [
    ...brandLines(design.brandName, width, usable),
    smallLine(`No. ${number}`, width / 2, 215, 46, usable * 0.5),
    smallLine('Studio Edition', width / 2, 795, 36, usable * 0.84),
    ...ornament(layout, width, usable),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}">` +
    `<g fill="none" stroke="${design.inkHex}" stroke-linejoin="round">${parts.join('')}</g></svg>`
  );
}

/** One or two lines, as large as the width allows. */
function brandLines(brandName: string, width: number, usable: number): string[] {
  const lines = brandLineBreak(brandName);
  const tracking = 40;
  const longest = Math.max(...lines.map((line) => textPath(line, tracking).width));
  const capHeight = Math.min(lines.length > 1 ? 120 : 150, (usable * 94) / longest);
  const pitch = capHeight * 1.55;
  const top = 500 - ((lines.length - 1) * pitch + capHeight) / 2;
  return lines.map((line, i) => strokedText(line, width / 2, top + i * pitch, capHeight, tracking, 15));
}

/** Names of several words and more than nine letters stand on two lines, broken at the space nearest the middle. */
export function brandLineBreak(brandName: string): string[] {
  const text = brandName.trim().replace(/\s+/gu, ' ');
  if (text.length <= 9 || !text.includes(' ')) return [text];
  const spaces = [...text.matchAll(/ /g)].map((match) => match.index);
  const middle = text.length / 2;
  const at = spaces.reduce((best, s) => (Math.abs(s - middle) < Math.abs(best - middle) ? s : best));
  return [text.slice(0, at), text.slice(at + 1)];
}

function smallLine(text: string, centerX: number, top: number, capHeight: number, room: number): string {
  const fitted = Math.min(capHeight, (room * 100) / textPath(text, SMALL_TRACKING).width);
  return strokedText(text, centerX, top, fitted, SMALL_TRACKING, 14);
}

function strokedText(
  text: string,
  centerX: number,
  top: number,
  capHeight: number,
  tracking: number,
  weight: number,
): string {
  const { data, width } = textPath(text, tracking);
  const scale = capHeight / 100;
  const x = centerX - (width * scale) / 2;
  return `<path d="${data}" stroke-width="${weight}" transform="translate(${x.toFixed(2)} ${top.toFixed(2)}) scale(${scale.toFixed(4)})"/>`;
}

function ornament(layout: (typeof LAYOUTS)[number], width: number, usable: number): string[] {
  const left = (width - usable) / 2;
  const right = left + usable;
  switch (layout) {
    case 'centered':
      return [`<path d="M${width / 2 - 45} 330 H${width / 2 + 45}" stroke-width="5"/>`];
    case 'framed':
      return [
        `<rect x="${left - 34}" y="130" width="${usable + 68}" height="775" stroke-width="5"/>`,
        `<path d="M${width / 2 - 45} 718 H${width / 2 + 45}" stroke-width="5"/>`,
      ];
    case 'ruled':
      return [`<path d="M${left} 320 H${right} M${left} 715 H${right}" stroke-width="5"/>`];
  }
}
