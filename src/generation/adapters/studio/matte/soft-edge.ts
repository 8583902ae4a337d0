import { LINEAR_OF_BYTE, linearToSrgb, smoothstep } from '../color.js';
import type { RgbaImage } from '../open-picture.js';
import { dilate, erode, type Mask } from './mask.js';
import { math } from '../math.js';

/**
 * Turns a binary mask into soft alpha. A pixel on the edge is a mixture c = alpha f + (1 - alpha) b of the foreground
 * and the backdrop; f and b are taken from sure pixels nearby, alpha follows by projection, and the backdrop's share
 * is removed from the color, so no fringe of the old backdrop remains. Mixtures are made in linear light.
 * @param band half width in pixels of the zone in which the mask is not trusted
 */
export function softEdge(image: RgbaImage, mask: Mask, band: number): RgbaImage {
  const sure = erode(mask, band);
  const possible = dilate(mask, band);
  const data = Buffer.from(image.data);
  const mean: EdgeColors = { f: new Float64Array(3), b: new Float64Array(3), hasF: false, hasB: false };
  for (let at = 0; at < mask.data.length; at++) {
    if (sure.data[at] === 1) continue;
    if (possible.data[at] !== 1) {
      data.fill(0, at * 4, at * 4 + 4);
      continue;
    }
    collect(mean, image, sure, possible, at, band * 2 + 2);
    mix(data, image, mean, at, mask.data[at] === 1);
  }
  return { width: image.width, height: image.height, data };
}

interface EdgeColors {
  readonly f: Float64Array;
  readonly b: Float64Array;
  hasF: boolean;
  hasB: boolean;
}

/** Mean colors of sure foreground and sure backdrop in a window, nearer pixels counting more. */
function collect(
  out: EdgeColors,
  image: RgbaImage,
  sure: Mask,
  possible: Mask,
  at: number,
  radius: number,
): void {
  const { width, height, data } = image;
  const [x, y] = [at % width, math.floor(at / width)];
  out.f.fill(0);
  out.b.fill(0);
  let [weightF, weightB] = [0, 0];
  for (let j = math.max(0, y - radius); j <= math.min(height - 1, y + radius); j++) {
    for (let i = math.max(0, x - radius); i <= math.min(width - 1, x + radius); i++) {
      const p = j * width + i;
      const isF = sure.data[p] === 1;
      if (!isF && possible.data[p] === 1) continue;
      const weight = 1 / (1 + ((i - x) ** 2 + (j - y) ** 2) ** 1.5);
      const target = isF ? out.f : out.b;
      for (let c = 0; c < 3; c++) target[c] = (target[c] ?? 0) + weight * linearAt(data, p * 4 + c);
      if (isF) weightF += weight;
      else weightB += weight;
    }
  }
  out.hasF = weightF > 0;
  out.hasB = weightB > 0;
  for (let c = 0; c < 3; c++) {
    out.f[c] = (out.f[c] ?? 0) / (weightF || 1);
    out.b[c] = (out.b[c] ?? 0) / (weightB || 1);
  }
}

function mix(data: Buffer, image: RgbaImage, near: EdgeColors, at: number, inside: boolean): void {
  const share = foregroundShare(image, near, at);
  const alpha = share ?? (inside ? 1 : 0);
  for (let c = 0; c < 3; c++) {
    const own = linearAt(image.data, at * 4 + c);
    const color = share === undefined ? own : unmixed(own, near.f[c] ?? 0, near.b[c] ?? 0, alpha);
    data[at * 4 + c] = alpha === 0 ? 0 : math.round(linearToSrgb(color) * 255);
  }
  data[at * 4 + 3] = math.round(alpha * opacityAt(image.data, at) * 255);
}

/** Alpha by projection onto the line from b to f; undefined where both look alike and the mask has to be trusted. */
function foregroundShare(
  { data }: RgbaImage,
  { f, b, hasF, hasB }: EdgeColors,
  at: number,
): number | undefined {
  let [dot, length] = [0, 0];
  for (let c = 0; c < 3; c++) {
    const span = (f[c] ?? 0) - (b[c] ?? 0);
    dot += (linearAt(data, at * 4 + c) - (b[c] ?? 0)) * span;
    length += span * span;
  }
  return hasF && hasB && length > 0.0008 ? smoothstep(0.04, 0.96, dot / length) : undefined;
}

/** Solves the mixture for the foreground; where alpha is small that is noise, so it leans on the mean there. */
function unmixed(own: number, f: number, b: number, alpha: number): number {
  const pure = alpha > 0.05 ? (own - (1 - alpha) * b) / alpha : own;
  return pure * alpha + f * (1 - alpha);
}

function opacityAt(data: Buffer, at: number): number {
  return (data[at * 4 + 3] ?? 255) / 255;
}

function linearAt(data: Buffer, index: number): number {
  return LINEAR_OF_BYTE[data[index] ?? 0] ?? 0;
}
