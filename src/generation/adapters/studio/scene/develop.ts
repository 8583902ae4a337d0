import { linearToSrgb } from '../color.js';
import type { PictureLayers } from './picture-layers.js';
import { pixelNoise } from './seeded-random.js';
import { math } from '../math.js';

/** Linear light above this is compressed instead of clipped, so highlights keep their shape. */
const SHOULDER = 0.78;

const TABLE_SIZE = 4096;
const TABLE_MAX = 4;
/** Tone curve and sRGB transfer function in one table: 0..4 of linear light -> 0..255. */
const TONE = Float32Array.from({ length: TABLE_SIZE + 1 }, (_, i) => {
  // Quadratic spacing, so that the dark end has enough entries.
  return linearToSrgb(shoulder(TABLE_MAX * (i / TABLE_SIZE) ** 2)) * 255;
});

function shoulder(value: number): number {
  if (value <= SHOULDER) return value;
  const room = 1 - SHOULDER;
  const over = (value - SHOULDER) / room;
  return SHOULDER + room * (over / (1 + over));
}

function tone(value: number): number {
  const position = math.sqrt(math.min(math.max(value, 0), TABLE_MAX) / TABLE_MAX) * TABLE_SIZE;
  const index = math.min(TABLE_SIZE - 1, math.floor(position));
  const low = TONE[index] ?? 0;
  return low + ((TONE[index + 1] ?? 255) - low) * (position - index);
}

/** Half a step of noise before rounding hides the bands that eight bits leave in a soft gradient. */
function quantize(value: number, x: number, y: number, channel: number): number {
  const noise = pixelNoise(x, y, channel + 8) - 0.5;
  return math.min(255, math.max(0, math.round(value + noise)));
}

/** The finished picture, RGB8. */
export function developPicture({ width, height, backdrop, product }: PictureLayers): Buffer {
  const out = Buffer.allocUnsafe(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    const cover = 1 - (product[at * 4 + 3] ?? 0);
    for (let c = 0; c < 3; c++) {
      const light = (product[at * 4 + c] ?? 0) + (backdrop[at * 3 + c] ?? 0) * cover;
      out[at * 3 + c] = quantize(tone(light), at % width, math.floor(at / width), c);
    }
  }
  return out;
}

/** The backdrop alone, with the product's shadow and reflection, RGB8. */
export function developBackdrop({ width, height, backdrop }: PictureLayers): Buffer {
  const out = Buffer.allocUnsafe(width * height * 3);
  for (let i = 0; i < out.length; i++) {
    const at = math.floor(i / 3);
    out[i] = quantize(tone(backdrop[i] ?? 0), at % width, math.floor(at / width), i % 3);
  }
  return out;
}

/** The product alone, RGBA8 with straight alpha. */
export function developProduct({ width, height, product }: PictureLayers): Buffer {
  const out = Buffer.alloc(width * height * 4);
  for (let at = 0; at < width * height; at++) {
    const alpha = product[at * 4 + 3] ?? 0;
    if (alpha === 0) continue;
    for (let c = 0; c < 3; c++) {
      out[at * 4 + c] = quantize(
        tone((product[at * 4 + c] ?? 0) / alpha),
        at % width,
        math.floor(at / width),
        c,
      );
    }
    out[at * 4 + 3] = math.round(alpha * 255);
  }
  return out;
}
