import { type MediaProbe } from '../../assets/domain/media-probe/media-probe.port.js';
import { isStillImageType } from '../../assets/domain/media-probe/still-image-type.js';
import { codesOf, type PictureFingerprinter } from '../../assets/domain/picture-fingerprint.js';
import { ColophonError } from '../../shared/errors.js';

/** What a file of a stranger looks like. */
export class FingerprintFile {
  constructor(
    private readonly probe: MediaProbe,
    private readonly fingerprinter: PictureFingerprinter,
  ) {}

  /**
   * @returns one code, or two where an even border was cut
   * @throws ColophonError `unsupported_media`, `media_corrupt`, `media_too_large`
   */
  async of(path: string): Promise<Uint8Array[]> {
    const { mediaType } = await this.probe.probe({ path });
    if (!isStillImageType(mediaType))
      throw new ColophonError('unsupported_media', 'Only still pictures are compared with others.');
    const fingerprint = await this.fingerprinter.fingerprint(path);
    if (fingerprint === undefined)
      throw new ColophonError('media_corrupt', 'The picture cannot be compared with others.');
    return codesOf(fingerprint);
  }
}
