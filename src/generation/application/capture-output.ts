import { writeFile } from 'node:fs/promises';
import { hashFile } from '../../assets/adapters/file-asset-store.js';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type StoredMedia } from '../../assets/application/stored-media.js';
import { isStillImageType } from '../../assets/domain/media-probe/still-image-type.js';
import { MEDIA_TYPE_FACTS } from '../../provenance/domain/media-types.js';
import { ColophonError } from '../../shared/errors.js';
import { sha256HexInTurns } from '../../shared/sha256-in-turns.js';
import { type MediaKind, named } from '../domain/media-kind.js';
import { type Preparation, type ProviderOutput } from '../domain/provider.port.js';

/** Fetches an output address into a file. Implemented by the guarded fetch. */
export interface OutputDownloader {
  download(url: string, destinationPath: string, headers?: Readonly<Record<string, string>>): Promise<void>;
}

export interface CapturedOutput {
  readonly sha256: string;
  readonly mediaType: string;
  /** What was done to the received bytes; absent when these are the received bytes. */
  readonly preparation?: Preparation;
}

/**
 * Brings the exact bytes of the provider into the store, hashed before anything else touches them. What a provider
 * sends is hostile input: the bytes decide what it is, and only a whole file of the wanted kind is kept.
 * Repeatable until the step's CAPTURED state is committed.
 */
export class CaptureOutput {
  constructor(
    private readonly store: AssetStore,
    private readonly downloader: OutputDownloader,
    private readonly storedMedia: StoredMedia,
  ) {}

  /** @throws ColophonError `upstream_invalid`, `url_blocked`, `upstream_timeout`, `storage_unavailable` */
  async capture(
    organizationId: string,
    outputs: readonly ProviderOutput[],
    wanted: MediaKind,
  ): Promise<CapturedOutput> {
    const [output] = outputs;
    if (!output) throw new ColophonError('upstream_invalid', 'The provider answered without any output.');
    const path = await this.store.stage();
    try {
      if (output.kind === 'bytes') await writeFile(path, output.bytes, { mode: 0o600 });
      else await this.downloader.download(output.url, path, output.headers);
      // Of the bytes as they came: what a disk made of them shows when they are read.
      const sha256 = output.kind === 'bytes' ? await sha256HexInTurns(output.bytes) : await hashFile(path);
      const { mediaType } = await this.probeOutput(sha256, path, wanted);
      await this.store.put(organizationId, sha256, path);
      const preparation = output.kind === 'bytes' ? output.preparation : undefined;
      return { sha256, mediaType, ...(preparation === undefined ? {} : { preparation }) };
    } finally {
      await this.store.discard(path);
    }
  }

  private async probeOutput(sha256: string, path: string, wanted: MediaKind): Promise<{ mediaType: string }> {
    try {
      const media = await this.storedMedia.probe(sha256, () => path);
      // An answer in words is no picture, and a drawing in SVG could not be used by the steps after it.
      if (wanted === 'image' ? isStillImageType(media.mediaType) : media.kind === wanted) return media;
      throw new ColophonError(
        'media_not_allowed',
        `It is ${MEDIA_TYPE_FACTS[media.mediaType].name}, not ${named(wanted)}.`,
      );
    } catch (cause) {
      // Our own trouble says nothing about what the provider sent: it is looked at again.
      const isOurs =
        !(cause instanceof ColophonError) || cause.status >= 500 || cause.code === 'rate_limited';
      if (isOurs) throw cause;
      throw new ColophonError('upstream_invalid', `The provider's output is not usable: ${cause.message}`, {
        cause,
      });
    }
  }
}
