import { writeFile } from 'node:fs/promises';
import { hashFile } from '../../assets/adapters/file-asset-store.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type MediaProbe } from '../../assets/domain/media-probe/media-probe.port.js';
import { isStillImageType } from '../../assets/domain/media-probe/still-image-type.js';
import { MEDIA_TYPE_FACTS } from '../../provenance/domain/media-types.js';
import { ColophonError } from '../../shared/errors.js';
import { type ProviderOutput } from '../domain/provider.port.js';

/** Fetches an output address into a file. Implemented by the guarded fetch. */
export interface OutputDownloader {
  download(url: string, destinationPath: string): Promise<void>;
}

export interface CapturedOutput {
  readonly sha256: string;
  readonly mediaType: string;
}

/**
 * Brings the exact bytes of the provider into the store, hashed before anything else touches them. What a provider
 * sends is hostile input: the bytes decide what it is, and only a whole picture is kept.
 * Repeatable until the step's CAPTURED state is committed.
 */
export class CaptureOutput {
  constructor(
    private readonly store: AssetStore,
    private readonly downloader: OutputDownloader,
    private readonly probe: MediaProbe,
  ) {}

  /** @throws ColophonError `upstream_invalid`, `url_blocked`, `upstream_timeout`, `storage_unavailable` */
  async capture(organizationId: string, outputs: readonly ProviderOutput[]): Promise<CapturedOutput> {
    const [output] = outputs;
    if (!output) throw new ColophonError('upstream_invalid', 'The provider answered without any output.');
    const path = await this.store.stage();
    try {
      if (output.kind === 'bytes') await writeFile(path, output.bytes, { mode: 0o600 });
      else await this.downloader.download(output.url, path);
      const { mediaType } = await this.probeOutput(path);
      const sha256 = await hashFile(path);
      await this.store.put(organizationId, sha256, path);
      return { sha256, mediaType };
    } finally {
      await this.store.discard(path);
    }
  }

  private async probeOutput(path: string): Promise<{ mediaType: string }> {
    try {
      const media = await this.probe.probe({ path });
      // Every operation makes a picture: an answer in words, or a film, is none, and no step after it could use it.
      if (isStillImageType(media.mediaType)) return media;
      throw new ColophonError(
        'not_a_picture',
        `It is ${MEDIA_TYPE_FACTS[media.mediaType].name}, not a still picture.`,
      );
    } catch (cause) {
      if (!(cause instanceof ColophonError)) throw cause;
      throw new ColophonError('upstream_invalid', `The provider's output is not usable: ${cause.message}`, {
        cause,
      });
    }
  }
}
