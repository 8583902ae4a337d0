import { z } from 'zod';
import { openPicture, readable } from './open-picture.js';
import type { StudioPicture } from './studio-picture.js';

export const convertParameters = z.strictObject({
  format: z.enum(['png', 'jpeg', 'webp', 'avif']),
  /** Of the lossy formats; PNG has none. */
  quality: z.int().min(1).max(100).default(85),
  /** Stands behind transparent pixels in a JPEG, which has no alpha. */
  backdropColor: z
    .string()
    .regex(/^#[0-9a-fA-F]{6}$/, 'a color of the form #rrggbb')
    .default('#ffffff'),
});
export type ConvertParameters = z.output<typeof convertParameters>;

/** The same picture in another format: sRGB, orientation applied, metadata gone, alpha kept where the format has it. */
export async function convert(parameters: ConvertParameters, image: Buffer): Promise<StudioPicture> {
  const { format, quality } = parameters;
  const { data, info } = await readable(() => {
    const picture = openPicture(image);
    switch (format) {
      case 'png':
        return picture.png({ compressionLevel: 7 }).toBuffer({ resolveWithObject: true });
      case 'jpeg':
        return picture
          .flatten({ background: parameters.backdropColor })
          .jpeg({ quality, mozjpeg: true })
          .toBuffer({ resolveWithObject: true });
      case 'webp':
        return picture.webp({ quality }).toBuffer({ resolveWithObject: true });
      case 'avif':
        return picture.avif({ quality, effort: 4 }).toBuffer({ resolveWithObject: true });
    }
  });
  return { bytes: data, mediaType: `image/${format}`, width: info.width, height: info.height };
}
