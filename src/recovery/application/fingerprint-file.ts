import { type MediaProbe } from '../../assets/domain/media-probe/media-probe.port.js';
import { type PictureFingerprinter } from '../../assets/domain/picture-fingerprint.js';
import { ColophonError } from '../../shared/errors.js';

/** What a file of a stranger looks like. */
export class FingerprintFile {
  constructor(
    private readonly probe: MediaProbe,
    private readonly fingerprinter: PictureFingerprinter,
  ) {}

  /**
   * @returns 32 bytes
   * @throws ColophonError `unsupported_media`, `media_corrupt`, `media_too_large`
   */
  async of(path: string): Promise<Uint8Array> {
    await this.probe.probe({ path });
    const code = await this.fingerprinter.fingerprint(path);
    if (code === undefined)
      throw new ColophonError('media_corrupt', 'The picture cannot be compared with others.');
    return code;
  }
}
