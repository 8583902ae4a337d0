import { ColophonError } from '../../../shared/errors.js';
import { type SignMediaRequest } from '../../domain/media-signer.port.js';
import { manifestPlacementOf, type ManifestPlacement } from '../../domain/media-types.js';
import { type MediaVerifier } from '../../domain/media-verifier.port.js';
import { type C2paReader } from '../c2pa-reader.js';
import { carriedStore } from '../carried-store.js';
import { type KeptManifest } from '../found-ingredients.js';
import { type LibraryAsset, type MediaContent, PIECE_BYTES } from '../media-content.js';

/** Where the manifest will be, and what that of the source is worth if it has one. */
export interface InspectedSource {
  readonly kept: KeptManifest | undefined;
  readonly placement: ManifestPlacement;
}

/** Promise P9: bytes that nobody captured or declared are not signed, whoever asks. */
export async function refuseOtherBytes(content: MediaContent, { origin }: SignMediaRequest): Promise<void> {
  if ((await content.sha256()) === origin.originalSha256) return;
  throw new ColophonError(
    'source_not_allowed',
    'The bytes to be signed are not the bytes that were received.',
  );
}

/**
 * A JPEG says in its own bytes that it has a manifest: the box type "jumb" stands at the front of each segment of one
 * (ISO/IEC 19566-5 annex D), and the address of one elsewhere is an attribute `dcterms:provenance` of XMP in UTF-8
 * (C2PA, "External manifests"). Where neither occurs there is nothing that the library could find, and it is not asked. Other
 * formats may hold both compressed or encoded. By chance a megabyte of image data has "jumb" once in four thousand
 * files: then the library is asked.
 */
export function hasNoTraceOfManifest({ inMemory }: MediaContent, mediaType: string): boolean {
  if (mediaType !== 'image/jpeg' || inMemory === undefined) return false;
  const { buffer } = inMemory;
  return !buffer.includes('jumb', 0, 'latin1') && !buffer.includes('provenance', 0, 'latin1');
}

/** Type by bytes, and the manifest of the source. */
export class SourceInspection {
  constructor(
    private readonly reader: C2paReader,
    private readonly inspector: MediaVerifier,
  ) {}

  /** @throws ColophonError `unsupported_media`, and whatever the inspector finds */
  async inspect(content: MediaContent, { source }: SignMediaRequest): Promise<InspectedSource> {
    const { mediaType, store, canCarry } = await carriedStore(content.bytes);
    if (mediaType !== source.mediaType) {
      throw new ColophonError(
        'unsupported_media',
        `The bytes are ${mediaType}, but were declared as ${source.mediaType}.`,
      );
    }
    const placement = manifestPlacementOf(mediaType);
    if (placement === 'sidecar') return { kept: undefined, placement };
    if (!canCarry)
      throw new ColophonError('unsupported_media', 'No manifest can be embedded into this file.');
    // The library may find a manifest where our own extraction sees none; it must not be dropped silently.
    if (store === undefined && hasNoTraceOfManifest(content, mediaType))
      return { kept: undefined, placement };
    // From the disk where it is large: the copy that it makes of memory holds up the event loop.
    const asset =
      content.sizeBytes > PIECE_BYTES ? { path: source.path, mimeType: mediaType } : content.asset(mediaType);
    if (store === undefined && !(await this.reader.findsManifest(asset, content.sizeBytes))) {
      return { kept: undefined, placement };
    }
    const { verdict, chain } = await this.inspector.verify({ ...source, mayBeLarge: true });
    const kept = verdict === 'none' ? undefined : { verdict, manifestLabel: chain?.manifestLabel };
    return { kept, placement };
  }

  /** Whether we find no manifest store where one should be, or the library finds none where we do. */
  async isReadOtherwise({ bytes }: MediaContent, asset: LibraryAsset): Promise<boolean> {
    const { store } = await carriedStore(bytes);
    return store === undefined || !(await this.reader.findsManifest(asset, bytes.sizeBytes));
  }

  /** Whether neither we nor the library find a manifest in bytes that are still of their type. */
  async isWithoutManifest(content: MediaContent, { source }: SignMediaRequest): Promise<boolean> {
    const { mediaType, store } = await carriedStore(content.bytes);
    if (mediaType !== source.mediaType || store !== undefined) return false;
    return !(await this.reader.findsManifest(content.asset(mediaType), content.sizeBytes));
  }
}
