import { writeFile } from 'node:fs/promises';
import { hashFile } from '../../assets/adapters/file-asset-store.js';
import { mendFile } from '../../assets/adapters/mend-file.js';
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

/** Nobody orders more files at once; of a vendor that names thousands not all are fetched. */
const MAX_LOOKED_AT = 16;

/** A file of an answer in the staging area. */
interface Received {
  readonly path: string;
  readonly sha256: string;
  /** Which of the files of the answer it is, from 1. */
  readonly number: number;
  readonly preparation: Preparation | undefined;
}

interface Refused extends Received {
  readonly error: UnusableOutputError;
}

/** The bytes were received and are no file that can be kept. */
class UnusableOutputError extends ColophonError {
  constructor(cause: ColophonError) {
    super('upstream_invalid', `The provider's output is not usable: ${cause.message}`, { cause });
  }
}

export interface CapturedOutput {
  readonly sha256: string;
  readonly mediaType: string;
  /** Which of the files of the answer it is, from 1. */
  readonly number: number;
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

  /**
   * A step makes one file. Of an answer that names more, it is the first that is whole and of the wanted kind: a model may
   * put a preview in front of what was ordered. Only where none is, the first that can be mended.
   *
   * @throws ColophonError `upstream_invalid`, `url_blocked`, `upstream_timeout`, `storage_unavailable`
   */
  async capture(
    organizationId: string,
    outputs: readonly ProviderOutput[],
    wanted: MediaKind,
  ): Promise<CapturedOutput> {
    const refused: Refused[] = [];
    try {
      for (const [index, output] of outputs.slice(0, MAX_LOOKED_AT).entries()) {
        const received = await this.receive(output, index + 1);
        try {
          const { mediaType } = await this.probeOutput(received.sha256, received.path, wanted);
          return await this.keep(organizationId, { ...received, mediaType });
        } catch (error) {
          if (!(error instanceof UnusableOutputError)) throw error;
          refused.push({ ...received, error });
        } finally {
          if (refused.at(-1)?.path !== received.path) await this.store.discard(received.path);
        }
      }
      for (const received of refused) {
        const kept = await this.keepMended(organizationId, received, wanted);
        if (kept !== undefined) return kept;
      }
    } finally {
      for (const { path } of refused) await this.store.discard(path);
    }
    throw (
      refused[0]?.error ?? new ColophonError('upstream_invalid', 'The provider answered without any output.')
    );
  }

  private async receive(output: ProviderOutput, number: number): Promise<Received> {
    const path = await this.store.stage();
    try {
      if (output.kind === 'bytes') await writeFile(path, output.bytes, { mode: 0o600 });
      else await this.downloader.download(output.url, path, output.headers);
      // Of the bytes as they came: what a disk made of them shows when they are read.
      const sha256 = output.kind === 'bytes' ? await sha256HexInTurns(output.bytes) : await hashFile(path);
      return { path, sha256, number, preparation: output.kind === 'bytes' ? output.preparation : undefined };
    } catch (error) {
      await this.store.discard(path);
      throw error;
    }
  }

  private async keep(
    organizationId: string,
    { path, sha256, mediaType, number, preparation }: Received & { readonly mediaType: string },
  ): Promise<CapturedOutput> {
    await this.store.put(organizationId, sha256, path);
    return { sha256, mediaType, number, ...(preparation === undefined ? {} : { preparation }) };
  }

  /** What is paid for is not lost for what stands around it (ADR 0057); what was received is known by its hash. */
  private async keepMended(
    organizationId: string,
    received: Received,
    wanted: MediaKind,
  ): Promise<CapturedOutput | undefined> {
    if (received.preparation !== undefined) return undefined;
    const path = await this.store.stage();
    try {
      const mend = await mendFile(received.path, path);
      if (mend === undefined) return undefined;
      const sha256 = await hashFile(path);
      const { mediaType } = await this.probeOutput(sha256, path, wanted);
      const preparation: Preparation = {
        kind: 'framing-mended',
        receivedSha256: received.sha256,
        removed: mend.removed,
        ...(mend.added.length > 0 ? { added: mend.added } : {}),
      };
      return await this.keep(organizationId, { ...received, path, sha256, mediaType, preparation });
    } catch (error) {
      if (error instanceof UnusableOutputError) return undefined;
      throw error;
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
      throw new UnusableOutputError(cause);
    }
  }
}
