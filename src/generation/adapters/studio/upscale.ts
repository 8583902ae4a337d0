import { z } from 'zod';
import { assertStudioSize, openPicture, readable, shownSize } from './open-picture.js';
import type { StudioPicture } from './studio-picture.js';

export const upscaleParameters = z.strictObject({ factor: z.int().min(2).max(4).default(2) });
export type UpscaleParameters = z.output<typeof upscaleParameters>;

/**
 * Resampling with Lanczos (a = 3) and mild sharpening of luminance. It invents nothing, which is why the manifest
 * calls it a proportional resize and not an edit. PNG, sRGB, alpha kept.
 * @throws ColophonError `media_too_large` when the result would be above 40 megapixels
 */
export async function upscale({ factor }: UpscaleParameters, image: Buffer): Promise<StudioPicture> {
  const { width, height } = await shownSize(image);
  const [targetWidth, targetHeight] = [width * factor, height * factor];
  assertStudioSize(targetWidth, targetHeight);
  const { data, info } = await readable(() =>
    openPicture(image)
      .resize(targetWidth, targetHeight, { kernel: 'lanczos3', fit: 'fill' })
      .sharpen({ sigma: 0.4 + 0.2 * factor, m1: 0.3, m2: 0.9, x1: 2, y2: 6, y3: 6 })
      .png({ compressionLevel: 6 })
      .toBuffer({ resolveWithObject: true }),
  );
  return { bytes: data, mediaType: 'image/png', width: info.width, height: info.height };
}
