import { z } from 'zod';
import { ColophonError } from '../../../shared/errors.js';
import { openPicture, readable, shownSize } from './open-picture.js';
import type { StudioPicture } from './studio-picture.js';

const GRAVITIES = [
  'center',
  'north',
  'south',
  'east',
  'west',
  'north-east',
  'north-west',
  'south-east',
  'south-west',
] as const;

const rectangle = z.strictObject({
  left: z.int().min(0).max(65_535),
  top: z.int().min(0).max(65_535),
  width: z.int().min(1).max(65_535),
  height: z.int().min(1).max(65_535),
});
const byAspect = z.strictObject({
  /** Width to height, e.g. `4:5`. */
  aspect: z.string().regex(/^[1-9][0-9]{0,2}:[1-9][0-9]{0,2}$/, 'two numbers such as 4:5'),
  gravity: z.enum(GRAVITIES).default('center'),
});

/** Either a rectangle in pixels of the picture as shown, or the largest part of an aspect ratio. */
export const cropParameters = z.union([rectangle, byAspect]);
export type CropParameters = z.output<typeof cropParameters>;

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** PNG, sRGB, alpha kept. @throws ColophonError `invalid_request` when the rectangle leaves the picture */
export async function crop(parameters: CropParameters, image: Buffer): Promise<StudioPicture> {
  const size = await shownSize(image);
  const area = 'aspect' in parameters ? largestArea(parameters, size) : parameters;
  if (area.left + area.width > size.width || area.top + area.height > size.height) {
    throw new ColophonError(
      'invalid_request',
      `The crop leaves the picture, which is ${size.width} x ${size.height} pixels.`,
    );
  }
  const { data, info } = await readable(() =>
    openPicture(image).extract(area).png({ compressionLevel: 7 }).toBuffer({ resolveWithObject: true }),
  );
  return { bytes: data, mediaType: 'image/png', width: info.width, height: info.height };
}

/** The largest rectangle of this aspect ratio, moved to where gravity pulls it. */
export function largestArea(
  { aspect, gravity }: z.output<typeof byAspect>,
  picture: { readonly width: number; readonly height: number },
): Rectangle {
  const [across = 1, down = 1] = aspect.split(':').map(Number);
  const scale = Math.min(picture.width / across, picture.height / down);
  const width = Math.max(1, Math.min(picture.width, Math.round(across * scale)));
  const height = Math.max(1, Math.min(picture.height, Math.round(down * scale)));
  const share = (low: boolean, high: boolean) => (low ? 0 : high ? 1 : 0.5);
  return {
    left: Math.floor((picture.width - width) * share(gravity.includes('west'), gravity.includes('east'))),
    top: Math.floor(
      (picture.height - height) * share(gravity.startsWith('north'), gravity.startsWith('south')),
    ),
    width,
    height,
  };
}
