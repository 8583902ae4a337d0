import { math } from './math.js';

/** Color arithmetic shared by the studio operations. Channels are 0..1 unless a name says otherwise. */
export type Rgb = readonly [number, number, number];

const HEX = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i;

/** `#rrggbb` -> gamma-encoded sRGB. @throws RangeError on anything else; schemas check the form first. */
export function parseHexColor(hex: string): Rgb {
  const match = HEX.exec(hex);
  if (!match) throw new RangeError('not a color of the form #rrggbb');
  return [channelOfHex(match[1]), channelOfHex(match[2]), channelOfHex(match[3])];
}

function channelOfHex(digits: string | undefined): number {
  return parseInt(digits ?? '0', 16) / 255;
}

/** sRGB transfer function, IEC 61966-2-1. */
export function srgbToLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

export function linearToSrgb(value: number): number {
  if (value <= 0) return 0;
  if (value >= 1) return 1;
  return value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;
}

export function linearFromHex(hex: string): Rgb {
  const [r, g, b] = parseHexColor(hex);
  return [srgbToLinear(r), srgbToLinear(g), srgbToLinear(b)];
}

/** Relative luminance of linear RGB (ITU-R BT.709). */
export function luminance([r, g, b]: Rgb): number {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function mixRgb(a: Rgb, b: Rgb, t: number): Rgb {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

export function scaleRgb(a: Rgb, factor: number): Rgb {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

export function smoothstep(from: number, to: number, value: number): number {
  const t = math.min(1, math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

/** Contrast ratio of WCAG 2.2 between two linear colors, 1..21. */
export function contrastRatio(a: Rgb, b: Rgb): number {
  const [la, lb] = [luminance(a), luminance(b)];
  return (math.max(la, lb) + 0.05) / (math.min(la, lb) + 0.05);
}

/** Eight-bit sRGB value -> linear, as a table: the inverse function is too slow per pixel. */
export const LINEAR_OF_BYTE: Float32Array = Float32Array.from({ length: 256 }, (_, i) =>
  srgbToLinear(i / 255),
);

/**
 * Linear RGB -> OKLab (Ottosson 2020): L 0..1, a and b about -0.4..0.4. Equal distances look about equally far
 * apart, which RGB and HSL do not give. Writes three values at `offset`.
 */
export function writeOklab(target: Float32Array, offset: number, r: number, g: number, b: number): void {
  const l = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  target[offset] = 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s;
  target[offset + 1] = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  target[offset + 2] = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
}

/** OKLab -> linear RGB, possibly outside 0..1 for colors that sRGB cannot show. */
export function linearFromOklab(L: number, a: number, b: number): Rgb {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}
