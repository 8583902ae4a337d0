import { type Asset } from '../../assets/domain/asset.js';
import { type Reader, type ReadAsset } from '../../assets/application/read-asset.js';
import { type VerifyFile } from '../../provenance/application/verify-file.js';
import { type Clock, timestampUtc } from '../../shared/clock.js';
import { publicId } from '../../shared/ids.js';
import { PRODUCT_NAME, PRODUCT_VERSION } from '../../shared/product.js';
import { type CertificateFacts } from '../domain/certificate.js';
import { type DossierPicture } from '../domain/dossier.js';

export interface CertificateRenderer {
  pdf(facts: CertificateFacts): Promise<Buffer>;
  /** A small picture of an asset. */
  picture(assetId: string, path: string): Promise<DossierPicture>;
}

/** The certificate of provenance of an asset: the signed file is verified anew, and the page says what was found. */
export class MakeCertificate {
  constructor(
    private readonly readAsset: ReadAsset,
    private readonly verifyFile: VerifyFile,
    private readonly renderer: CertificateRenderer,
    private readonly clock: Clock,
  ) {}

  /** One page of PDF. It shows a small picture, so it counts as a reading of the content. */
  async make(reader: Reader, id: string): Promise<Buffer> {
    return this.readAsset.inspect(reader, id, 'content', async ({ path, asset }) => {
      const result = await this.verifyFile.verify(path);
      // Not every file has a picture of it: the page then says so.
      const picture = await this.renderer.picture(publicId('asset', asset.id), path).catch(() => undefined);
      return this.renderer.pdf({
        asset: aboutAsset(asset),
        result,
        picture,
        verifiedAt: timestampUtc(this.clock),
        product: { name: PRODUCT_NAME, version: PRODUCT_VERSION },
      });
    });
  }
}

function aboutAsset(asset: Asset): CertificateFacts['asset'] {
  const { title, mediaType, sizeBytes, width, height, durationMs, mode } = asset;
  return { id: publicId('asset', asset.id), title, mediaType, sizeBytes, width, height, durationMs, mode };
}
