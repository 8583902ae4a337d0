import { type ManifestPlan, type SigningOrigin } from '../../provenance/domain/manifest-plan.js';
import {
  type MediaSigner,
  SIDECAR_SUFFIX,
  type SignedMedia,
} from '../../provenance/domain/media-signer.port.js';
import { type AssetStore } from '../domain/asset-store.port.js';
import { isStillImageType } from '../domain/media-probe/still-image-type.js';
import {
  type NormalizedPicture,
  type PictureFingerprint,
  type PictureFingerprinter,
} from '../domain/picture-fingerprint.js';

/** A signed file and what it looks like. */
export interface SignedAsset extends SignedMedia {
  /** See {@link PictureFingerprinter}. */
  readonly fingerprint: PictureFingerprint | undefined;
}

/**
 * From an original in the store to a signed file in the store. Repeatable: a crash anywhere leaves a file that no
 * asset points to, and the next attempt signs again. What counts is the asset row, written with its log entry.
 */
export class SignAsset {
  constructor(
    private readonly store: AssetStore,
    private readonly signer: MediaSigner,
    private readonly fingerprinter: PictureFingerprinter,
  ) {}

  async sign(request: {
    organizationId: string;
    /**
     * `path`: where the store has it, as it gave it out to the caller. `picture`: what the probe saw of it; it is decoded
     * again when that is absent.
     */
    original: { path: string; mediaType: string; picture?: NormalizedPicture | undefined };
    origin: SigningOrigin;
    plan: ManifestPlan;
  }): Promise<SignedAsset> {
    const { organizationId, original, origin, plan } = request;
    const source = { path: original.path, mediaType: original.mediaType };
    const destinationPath = await this.store.stage();
    const sidecarPath = `${destinationPath}${SIDECAR_SUFFIX}`;
    try {
      // Signing changes no pixel, so both can be done at once. It waits for neither in a transaction.
      const looking = isStillImageType(source.mediaType)
        ? this.fingerprinter.see(source.path, original.picture)
        : undefined;
      const thumbnail = plan.thumbnail ? (await looking)?.thumbnail : undefined;
      const [signed, seen] = await Promise.all([
        this.signer.sign({ source, destinationPath, origin, plan, thumbnail }),
        looking,
      ]);
      // The sidecar first: a file in the store without it would look unsigned.
      if (signed.manifestPlacement === 'sidecar') {
        await this.store.put(organizationId, signed.manifestSha256, sidecarPath);
      }
      await this.store.put(organizationId, signed.sha256, destinationPath);
      return { ...signed, fingerprint: seen?.fingerprint };
    } finally {
      await this.store.discard(destinationPath);
      await this.store.discard(sidecarPath);
    }
  }
}
