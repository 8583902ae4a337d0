import { normalizePicture } from '../../src/assets/adapters/normalize-picture.js';
import { type PictureFingerprint } from '../../src/assets/domain/picture-fingerprint.js';
import { fingerprintOf } from '../../src/recovery/domain/picture-codes.js';

/** What the service makes of a picture, made in this process. */
export async function pictureFingerprint(picture: string | Uint8Array): Promise<PictureFingerprint> {
  return fingerprintOf(await normalizePicture(picture));
}
