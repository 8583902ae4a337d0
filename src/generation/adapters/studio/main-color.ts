import { LINEAR_OF_BYTE, writeOklab } from './color.js';
import type { RgbaImage } from './open-picture.js';
import { math } from './math.js';

/** The color that covers most of the subject, in OKLCh. */
export interface MainColor {
  /** Radians, meaningless when neutral. */
  readonly hue: number;
  readonly chroma: number;
  readonly lightness: number;
  /** White, gray or black: there is no hue to rotate. */
  readonly neutral: boolean;
}

const HUE_BINS = 48;
/** Below this chroma the eye sees gray. */
const NEUTRAL_CHROMA = 0.028;
/** At most about this many pixels are looked at. */
const SAMPLES = 400_000;

export function mainColor(picture: RgbaImage): MainColor {
  const { data, width, height } = picture;
  const bins = Array.from({ length: HUE_BINS }, () => new ColorSum());
  const neutral = new ColorSum();
  const lab = new Float32Array(3);
  const stride = math.max(1, math.ceil(math.sqrt((width * height) / SAMPLES)));
  const opaque = isOpaque(data);
  for (let y = 0; y < height; y += stride) {
    for (let x = 0; x < width; x += stride) {
      const i = (y * width + x) * 4;
      // Without alpha the subject is taken to be in the middle.
      const weight = opaque ? centered(x / width, y / height) : (data[i + 3] ?? 0) / 255;
      if (weight < 0.01) continue;
      writeOklab(lab, 0, linear(data[i]), linear(data[i + 1]), linear(data[i + 2]));
      const [L = 0, a = 0, b = 0] = lab;
      const bin = math.floor(((math.atan2(b, a) / (2 * math.PI) + 1) % 1) * HUE_BINS) % HUE_BINS;
      const target = math.hypot(a, b) < NEUTRAL_CHROMA ? neutral : bins[bin];
      target?.add(L, a, b, weight);
    }
  }
  return largest(bins, neutral);
}

/** Angle between two hues, 0..pi. */
export function hueDistance(a: number, b: number): number {
  const difference = math.abs(a - b) % (2 * math.PI);
  return difference > math.PI ? 2 * math.PI - difference : difference;
}

class ColorSum {
  weight = 0;
  private L = 0;
  private a = 0;
  private b = 0;

  add(L: number, a: number, b: number, weight: number): void {
    this.weight += weight;
    this.L += L * weight;
    this.a += a * weight;
    this.b += b * weight;
  }

  join(other: ColorSum): void {
    this.add(other.L, other.a, other.b, 1);
    this.weight += other.weight - 1;
  }

  mean(neutral: boolean): MainColor {
    const [a, b] = [this.a / this.weight, this.b / this.weight];
    return { hue: math.atan2(b, a), chroma: math.hypot(a, b), lightness: this.L / this.weight, neutral };
  }
}

/** A hue bin counts with its neighbors: shading moves hue a little. */
function largest(bins: ColorSum[], neutral: ColorSum): MainColor {
  const joined = bins.map((_, i) => {
    const sum = new ColorSum();
    for (let d = -2; d <= 2; d++) {
      const bin = bins[(i + d + HUE_BINS) % HUE_BINS];
      if (bin) sum.join(bin);
    }
    return sum;
  });
  const best = joined.reduce((a, b) => (b.weight > a.weight ? b : a));
  // Print and highlights are gray on almost everything, so gray must clearly win to be the main color.
  if (best.weight > 0 && best.weight * 1.5 >= neutral.weight) return best.mean(false);
  if (neutral.weight > 0) return neutral.mean(true);
  return { hue: 0, chroma: 0, lightness: 0.5, neutral: true };
}

function centered(u: number, v: number): number {
  return math.exp(-(((u - 0.5) / 0.18) ** 2) - ((v - 0.5) / 0.25) ** 2);
}

function isOpaque(data: Buffer): boolean {
  for (let i = 3; i < data.length; i += 4) if ((data[i] ?? 0) < 250) return false;
  return true;
}

function linear(byte: number | undefined): number {
  return LINEAR_OF_BYTE[byte ?? 0] ?? 0;
}
