import { createHash } from 'node:crypto';
import sharp from 'sharp';

export interface PictureRequest {
  readonly prompt: string;
  readonly seed: number;
  readonly index: number;
  readonly width: number;
  readonly height: number;
  readonly format: 'png' | 'jpeg';
}

/** A real picture, the same for the same request: one object before an even background, as a product shot is. */
export function renderPicture(request: PictureRequest): Promise<Buffer> {
  const { width, height, format } = request;
  const digest = createHash('sha256').update(`${request.prompt}\n${request.seed}\n${request.index}`).digest();
  const at = (index: number): number => digest[index] ?? 0;
  const color = (index: number): string => `rgb(${at(index)},${at(index + 1)},${at(index + 2)})`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="${width}" height="${height}"
    preserveAspectRatio="none">
    <rect width="100" height="100" fill="rgb(240,240,${220 + (at(0) % 30)})"/>
    <ellipse cx="50" cy="86" rx="30" ry="4" fill="rgba(0,0,0,0.25)"/>
    <rect x="${30 + (at(1) % 8)}" y="30" width="${24 + (at(2) % 12)}" height="55" rx="8" fill="${color(3)}"/>
    <rect x="43" y="${14 + (at(6) % 6)}" width="12" height="18" fill="${color(7)}"/>
    <circle cx="48" cy="58" r="${6 + (at(10) % 5)}" fill="${color(11)}"/></svg>`;
  const picture = sharp(Buffer.from(svg)).resize(width, height, { fit: 'fill' });
  return (format === 'png' ? picture.png() : picture.jpeg({ quality: 90 })).toBuffer();
}
