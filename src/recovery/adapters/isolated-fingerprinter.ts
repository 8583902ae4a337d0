import {
  type PictureFingerprint,
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

  async fingerprint(path: string): Promise<PictureFingerprint | undefined> {
    try {
      return fingerprintOf(await this.normalizer.normalize(path));
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
