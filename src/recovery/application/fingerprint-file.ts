import { type MediaProbe } from '../../assets/domain/media-probe/media-probe.port.js';
import { isStillImageType } from '../../assets/domain/media-probe/still-image-type.js';
import { codesOf, type PictureNormalizer } from '../../assets/domain/picture-fingerprint.js';
import { ColophonError } from '../../shared/errors.js';
import { fingerprintOf } from '../domain/picture-codes.js';

/** What a file of a stranger looks like. It is decoded where files of strangers are parsed, never in this process. */
export class FingerprintFile {
  constructor(private readonly decoder: MediaProbe & PictureNormalizer) {}

  /**
   * @returns one code, or two where an even border was cut
   * @throws ColophonError `unsupported_media`, `media_corrupt`, `media_too_large`; `rate_limited` when too many wait
   */
  async of(path: string): Promise<Uint8Array[]> {
    const { mediaType, picture } = await this.decoder.probe({ path });
    if (!isStillImageType(mediaType))
      throw new ColophonError('unsupported_media', 'Only still pictures are compared with others.');
    return codesOf(fingerprintOf(picture ?? (await this.decoder.normalize(path))));
  }
}
