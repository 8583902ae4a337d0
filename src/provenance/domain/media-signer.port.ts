import { type ManifestPlan, type SigningOrigin } from './manifest-plan.js';
import { type SignatureTimeStamp } from './time-stamping.port.js';
import { type ManifestPlacement } from './media-types.js';

export interface SignMediaRequest {
  /** Captured bytes. The signer refuses when their SHA-256 is not `origin.originalSha256`. */
  readonly source: { readonly path: string; readonly mediaType: string };
  /**
   * Where the signed file is written. Must not exist. A sidecar is written beside it, under the same name with
   * {@link SIDECAR_SUFFIX}. The bytes are on the disk when the call returns; that they are found there under this name
   * after a crash is up to whoever keeps them.
   */
  readonly destinationPath: string;
  readonly origin: SigningOrigin;
  readonly plan: ManifestPlan;
  /** JPEG of a still picture, where the plan asks for one and it could be made. Goes into the manifest as it is. */
  readonly thumbnail?: Uint8Array | undefined;
}

/** What a sidecar has behind the name of its file. */
export const SIDECAR_SUFFIX = '.c2pa';

export interface SignedMedia {
  /** For a sidecar these are the very bytes that were received. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /**
   * SHA-256 of the CBOR claim of the active manifest: the payload of the signature (the content of the `cbor` box
   * in `c2pa.claim.v2`). Anyone can redo it from the file.
   */
  readonly claimSha256: string;
  readonly manifestPlacement: ManifestPlacement;
  /**
   * SHA-256 of the manifest store as embedded, i.e. of the outermost JUMBF box, or of the sidecar; can be redone from
   * the file.
   */
  readonly manifestSha256: string;
  /** Label of the active manifest, `urn:c2pa:...`. */
  readonly manifestLabel: string;
  /** SHA-256 of the DER of the signing certificate. */
  readonly certificateSha256: string;
  /** `undefined` when this installation does not time-stamp manifests. */
  readonly timeStamp: SignatureTimeStamp | undefined;
  /** What became of a manifest which the source already had: kept as the parent ingredient, whatever its state. */
  readonly keptManifest:
    | {
        readonly manifestLabel: string | undefined;
        readonly verdict: 'broken' | 'intact' | 'intact_and_trusted';
        /** Nobody can read it: the signed file is made without it, and says so in an assertion. */
        readonly isLeftOut?: true;
      }
    | undefined;
}

/**
 * Signs, embeds, then reads the file back from disk through the verifying reader: a file that does not read as
 * intact, or whose active manifest is not the one just signed, is deleted and the call fails.
 *
 * A source that carries a manifest (a vendor's, an upload's) is opened, not created: it becomes the `parentOf`
 * ingredient with its validation results, a planned parent then becomes `inputTo`, a planned `c2pa.created` gives way.
 * A vendor's file whose manifest cannot be read is paid for: its manifest is left out, and the signed file says so.
 *
 * @throws ColophonError `source_not_allowed` when the bytes are not the declared ones,
 *   `signer_unavailable` when key or certificate cannot be used, `time_stamp_unavailable` when a required time-stamp
 *   cannot be had, `unsupported_media` for a type without embedding,
 *   `media_corrupt` and `manifest_malformed` when the source cannot be parsed safely,
 *   `internal` for a plan that breaks the rules, an existing destination, or a file that did not read back right.
 */
export interface MediaSigner {
  sign(request: SignMediaRequest): Promise<SignedMedia>;
}
