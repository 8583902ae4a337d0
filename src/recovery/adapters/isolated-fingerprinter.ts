import {
  type NormalizedPicture,
  type SeenPicture,
  type PictureFingerprinter,
  type PictureNormalizer,
} from '../../assets/domain/picture-fingerprint.js';
import { fingerprintOf } from '../domain/picture-codes.js';

/**
 * Fingerprints of our own assets. A child process decodes; what is left for this one is the transform of 1,024 numbers
 * that it hands over.
 */
export class IsolatedFingerprinter implements PictureFingerprinter {
  private failures = 0;

  constructor(
    private readonly normalizer: PictureNormalizer,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  async see(path: string, picture?: NormalizedPicture): Promise<SeenPicture | undefined> {
    try {
      const normalized = picture ?? (await this.normalizer.normalize(path));
      return { fingerprint: fingerprintOf(normalized), thumbnail: normalized.thumbnail };
    } catch (error) {
      this.failures += 1;
      this.onFailure(error);
      return undefined;
    }
  }

  /** Since the start of this process. */
  get failureCount(): number {
    return this.failures;
  }
}
