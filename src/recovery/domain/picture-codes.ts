import { type NormalizedPicture, type PictureFingerprint } from '../../assets/domain/picture-fingerprint.js';
import { imageCodeBits } from './iscc/image-code.js';

export function fingerprintOf({
  trimmed,
  whole,
}: Pick<NormalizedPicture, 'trimmed' | 'whole'>): PictureFingerprint {
  return { trimmed: imageCodeBits(trimmed), whole: imageCodeBits(whole) };
}
