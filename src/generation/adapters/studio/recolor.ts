import { z } from 'zod';
import {
  LINEAR_OF_BYTE,
  linearFromHex,
  linearFromOklab,
  linearToSrgb,
  parseHexColor,
  smoothstep,
  writeOklab,
} from './color.js';
import { hueDistance, type MainColor, mainColor } from './main-color.js';
import { encodeRgbaPng, readRgba, type RgbaImage } from './open-picture.js';
import type { StudioPicture } from './studio-picture.js';
import { math } from './math.js';

const hexColor = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'a color of the form #rrggbb');

export const recolorParameters = z
  .strictObject({
    /** The main color becomes this hue and saturation; how light it is follows the original. */
    targetColor: hexColor.optional(),
    hueRotationDegrees: z.number().min(-360).max(360).optional(),
    /** Fills what is transparent; without it alpha is kept. */
    backdropColor: hexColor.optional(),
  })
  .refine((p) => (p.targetColor === undefined) !== (p.hueRotationDegrees === undefined), {
    message: 'exactly one of targetColor and hueRotationDegrees',
  });
export type RecolorParameters = z.output<typeof recolorParameters>;

/**
 * Gives the main color of the subject another hue. Lightness in OKLab stays as it is, so shading, highlights and
 * print survive; colors that are far from the main color stay too. PNG, sRGB.
 */
export async function recolor(parameters: RecolorParameters, image: Buffer): Promise<StudioPicture> {
  const picture = await readRgba(image);
  const main = mainColor(picture);
  const recolored = shiftMainColor(picture, main, wantedShift(parameters, main));
  if (parameters.backdropColor !== undefined) fillBackdrop(recolored, parameters.backdropColor);
  return encodeRgbaPng(recolored);
}

interface HueShift {
  /** Radians. */
  readonly hue: number;
  readonly chromaFactor: number;
  /** For a neutral product, which has no chroma to scale. */
  readonly chroma: number;
}

function wantedShift(parameters: RecolorParameters, main: MainColor): HueShift {
  if (parameters.targetColor === undefined) {
    const turned = main.hue + ((parameters.hueRotationDegrees ?? 0) * math.PI) / 180;
    return { hue: turned, chromaFactor: 1, chroma: 0 };
  }
  const lab = new Float32Array(3);
  writeOklab(lab, 0, ...linearFromHex(parameters.targetColor));
  const chroma = math.hypot(lab[1] ?? 0, lab[2] ?? 0);
  const factor = main.neutral ? 1 : math.min(4, chroma / main.chroma);
  return { hue: math.atan2(lab[2] ?? 0, lab[1] ?? 0), chromaFactor: factor, chroma };
}

function shiftMainColor(picture: RgbaImage, main: MainColor, shift: HueShift): RgbaImage {
  const data = Buffer.from(picture.data);
  const lab = new Float32Array(3);
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] === 0) continue;
    writeOklab(lab, 0, linear(data[i]), linear(data[i + 1]), linear(data[i + 2]));
    const [L = 0, a = 0, b = 0] = lab;
    const weight = main.neutral ? neutralWeight(main, L, a, b) : hueWeight(main, a, b);
    if (weight <= 0) continue;
    const [newA, newB] = main.neutral ? tinted(shift, L) : rotated(shift, main, a, b);
    writeInGamut(data, i, L, a + (newA - a) * weight, b + (newB - b) * weight);
  }
  return { width: picture.width, height: picture.height, data };
}

function linear(byte: number | undefined): number {
  return LINEAR_OF_BYTE[byte ?? 0] ?? 0;
}

/** Full within 17 degrees of the main hue, none beyond 29; grays have no hue to change. */
function hueWeight(main: MainColor, a: number, b: number): number {
  const away = hueDistance(math.atan2(b, a), main.hue);
  return (1 - smoothstep(0.3, 0.5, away)) * smoothstep(0.004, 0.02, math.hypot(a, b));
}

function neutralWeight(main: MainColor, L: number, a: number, b: number): number {
  return (
    (1 - smoothstep(0.035, 0.07, math.hypot(a, b))) *
    (1 - smoothstep(0.25, 0.5, math.abs(L - main.lightness)))
  );
}

function rotated(shift: HueShift, main: MainColor, a: number, b: number): [number, number] {
  const hue = math.atan2(b, a) - main.hue + shift.hue;
  const chroma = math.hypot(a, b) * shift.chromaFactor;
  return [chroma * math.cos(hue), chroma * math.sin(hue)];
}

/** White and black have no room for chroma: it is greatest at middle lightness. */
function tinted(shift: HueShift, L: number): [number, number] {
  const room = 1 - math.abs(2 * L - 1) ** 3;
  return [shift.chroma * room * math.cos(shift.hue), shift.chroma * room * math.sin(shift.hue)];
}

/** Reduces chroma until sRGB can show the color, so that lightness is kept where clipping would change it. */
function writeInGamut(data: Buffer, at: number, L: number, a: number, b: number): void {
  let scale = 1;
  let color = linearFromOklab(L, a, b);
  while (scale > 0.05 && color.some((c) => c < -0.0005 || c > 1.0005)) {
    scale *= 0.93;
    color = linearFromOklab(L, a * scale, b * scale);
  }
  for (let c = 0; c < 3; c++) data[at + c] = math.round(linearToSrgb(color[c] ?? 0) * 255);
}

function fillBackdrop({ data }: RgbaImage, hex: string): void {
  const backdrop = parseHexColor(hex);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = (data[i + 3] ?? 0) / 255;
    for (let c = 0; c < 3; c++) {
      data[i + c] = math.round((data[i + c] ?? 0) * alpha + (backdrop[c] ?? 0) * 255 * (1 - alpha));
    }
    data[i + 3] = 255;
  }
}
