import { FindSimilar, type SimilarManifest } from '../../provenance/domain/find-similar.port.js';
import { isColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type FindSimilarPictures, type Viewer } from './find-similar-pictures.js';
import { type FingerprintFile } from './fingerprint-file.js';

const SHOWN = 5;

/** What the verification shows beside a file without a manifest. */
export class FindSimilarToFile extends FindSimilar {
  constructor(
    private readonly fingerprintFile: FingerprintFile,
    private readonly similarPictures: FindSimilarPictures,
  ) {
    super();
  }

  async to(path: string, viewer: Viewer | undefined): Promise<readonly SimilarManifest[] | undefined> {
    const codes = await this.codesOf(path);
    if (codes === undefined) return undefined;
    const found = await this.similarPictures.find(codes, viewer, SHOWN);
    return found.map(({ similarityScore, manifestLabel, assetId, isOwn }) => ({
      similarityScore,
      manifestId: manifestLabel,
      manifestUrl: `/sbr/manifests/${manifestLabel}`,
      assetId: publicId('asset', assetId),
      isOwn,
    }));
  }

  /** A picture that cannot be decoded was verified all the same: it is not compared, and the answer says so. */
  private async codesOf(path: string): Promise<Uint8Array[] | undefined> {
    try {
      return await this.fingerprintFile.of(path);
    } catch (error) {
      if (isColophonError(error) && error.status < 500) return undefined;
      throw error;
    }
  }
}
