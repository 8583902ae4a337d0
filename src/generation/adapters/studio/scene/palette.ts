import { contrastRatio, linearFromHex, type Rgb } from '../color.js';

/** Order of the colors in a palette: product, closure or accent, backdrop, then optional ink and second accent. */
export const NAMED_PALETTES = {
  terracotta: ['#b9532f', '#e2b98a', '#ecd5bf', '#fff4e6', '#d98c63'],
  sage: ['#6f8f73', '#d8c9a3', '#dfe6d8', '#fbfaf2', '#a9bf9f'],
  midnight: ['#182749', '#cfa45c', '#a9b8d2', '#f6ead2', '#4a66a0'],
  blush: ['#d88c93', '#e6c58f', '#f4dcd8', '#5b2a33', '#eab4b0'],
  citrus: ['#e89a1c', '#f7efe0', '#f8e3a6', '#3a2a10', '#f0c14b'],
  ocean: ['#0f6c7a', '#dcc08a', '#cfe4e4', '#f4fbfa', '#5fa9ae'],
  ivory: ['#efe6d6', '#b98d4f', '#cdb9a1', '#3b2f25', '#d9c7ae'],
  noir: ['#1c1b1d', '#c9a25f', '#b9b2a8', '#f3e7cf', '#6d6660'],
} as const satisfies Record<string, readonly string[]>;

export type PaletteName = keyof typeof NAMED_PALETTES;
export const PALETTE_NAMES = Object.keys(NAMED_PALETTES) as [PaletteName, ...PaletteName[]];

/** Linear RGB colors by what they are for. */
export interface ScenePalette {
  readonly product: Rgb;
  readonly accent: Rgb;
  readonly backdrop: Rgb;
  readonly second: Rgb;
  /** `#rrggbb` of the print on the label: whichever color reads best on the product. */
  readonly inkHex: string;
}

const INK_FALLBACKS = ['#fdf8ef', '#221c1a'];
/** Below this ratio (WCAG 2.2, large text) a palette color is not used as ink. */
const READABLE_CONTRAST = 3;

export function scenePalette(palette: PaletteName | readonly string[]): ScenePalette {
  const colors: readonly string[] = typeof palette === 'string' ? NAMED_PALETTES[palette] : palette;
  const [product = '#b9532f', accent = '#e2b98a', backdrop = '#ecd5bf'] = colors;
  return {
    product: linearFromHex(product),
    accent: linearFromHex(accent),
    backdrop: linearFromHex(backdrop),
    second: linearFromHex(colors[4] ?? accent),
    inkHex: readableInk(linearFromHex(product), [colors[3], accent]),
  };
}

function readableInk(product: Rgb, preferred: readonly (string | undefined)[]): string {
  const contrast = (hex: string) => contrastRatio(linearFromHex(hex), product);
  const own = preferred.find((hex) => hex !== undefined && contrast(hex) >= READABLE_CONTRAST);
  return own ?? INK_FALLBACKS.reduce((best, hex) => (contrast(hex) > contrast(best) ? hex : best));
}
