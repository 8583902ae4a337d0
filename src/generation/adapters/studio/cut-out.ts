import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { z } from 'zod';
import { sharp } from '../../../assets/adapters/libvips.js';
import { ColophonError } from '../../../shared/errors.js';
import { labFromRgb } from './matte/lab-image.js';
import { coverage, dilate, erode, invert, largestComponent, type Mask } from './matte/mask.js';
import { growBackdrop } from './matte/region-growing.js';
import { softEdge } from './matte/soft-edge.js';
import { encodeRgbaPng, readRgba, type RgbaImage } from './open-picture.js';
import type { StudioPicture } from './studio-picture.js';

export const cutOutParameters = z.strictObject({});
export type CutOutParameters = z.output<typeof cutOutParameters>;

/** Region growing works on at most this many pixels along the longer side; edges are refined at full size. */
const WORKING_SIDE = 1200;
const MIN_COVERAGE = 0.005;
const MAX_COVERAGE = 0.98;

export interface CutOutPicture extends StudioPicture {
  /** Share of the picture that the foreground covers, 0..1. */
  readonly coverage: number;
}

/**
 * Removes the backdrop of a studio-like picture: a fairly even one, seen all around the subject. PNG with alpha, same
 * size. A picture that comes with transparency keeps its own.
 * @throws ColophonError `upstream_invalid` when nothing can be told apart from the backdrop
 */
export async function cutOut(_parameters: CutOutParameters, image: Buffer): Promise<CutOutPicture> {
  const picture = await readRgba(image);
  const given = transparencyOf(picture);
  if (given !== undefined) {
    assertSeparable(given);
    return { ...(await encodeRgbaPng(picture)), coverage: given };
  }
  const scale = Math.max(1, Math.max(picture.width, picture.height) / WORKING_SIDE);
  const mask = await foregroundMask(picture, scale);
  const share = coverage(mask);
  assertSeparable(share);
  await yieldToEventLoop();
  const cut = softEdge(picture, mask, Math.ceil(1.5 * scale) + 1);
  return { ...(await encodeRgbaPng(cut)), coverage: share };
}

/** Share of opaque pixels when the picture is already cut out (1 % or more clearly transparent). */
function transparencyOf({ data }: RgbaImage): number | undefined {
  let [clear, opaque] = [0, 0];
  for (let i = 3; i < data.length; i += 4) {
    if ((data[i] ?? 0) < 128) clear += 1;
    else opaque += 1;
  }
  return clear > 0.01 * (clear + opaque) ? opaque / (clear + opaque) : undefined;
}

async function foregroundMask(picture: RgbaImage, scale: number): Promise<Mask> {
  const [width, height] = [
    Math.max(1, Math.round(picture.width / scale)),
    Math.max(1, Math.round(picture.height / scale)),
  ];
  const raw = { width: picture.width, height: picture.height, channels: 4 as const };
  // Slight blur: sensor grain must not look like edges.
  const small = await sharp(picture.data, { raw })
    .removeAlpha()
    .resize(width, height, { fit: 'fill' })
    .blur(0.6)
    .raw()
    .toBuffer();
  const backdrop = growBackdrop(labFromRgb(small, width, height, 3));
  const foreground = invert({ width, height, data: backdrop });
  // Opening removes hairs that remain of reflections and dust; the largest piece is the subject.
  const opened = dilate(erode(foreground, 2), 2);
  return enlarge(largestComponent(opened), picture.width, picture.height);
}

async function enlarge(mask: Mask, width: number, height: number): Promise<Mask> {
  if (mask.width === width && mask.height === height) return mask;
  const data = await sharp(Buffer.from(mask.data.map((value) => value * 255)), {
    raw: { width: mask.width, height: mask.height, channels: 1 },
  })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .extractChannel(0)
    .raw()
    .toBuffer();
  return { width, height, data: Uint8Array.from(data, (value) => (value >= 128 ? 1 : 0)) };
}

function assertSeparable(share: number): void {
  if (share >= MIN_COVERAGE && share <= MAX_COVERAGE) return;
  throw new ColophonError(
    'upstream_invalid',
    'No subject can be told apart from the backdrop. Use a picture with a plain, even backdrop around the subject.',
  );
}
