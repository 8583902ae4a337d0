import { type ManifestPlan, type SigningOrigin } from './manifest-plan.js';

export interface SignMediaRequest {
  /** Captured bytes. The signer refuses when their SHA-256 is not `origin.originalSha256`. */
  readonly source: { readonly path: string; readonly mediaType: string };
  /** Where the signed file is written. Must not exist. */
  readonly destinationPath: string;
  readonly origin: SigningOrigin;
  readonly plan: ManifestPlan;
}

export interface SignedMedia {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** SHA-256 of the CBOR claim: what the signature is over. */
  readonly claimSha256: string;
  /** SHA-256 of the manifest store as embedded. */
  readonly manifestSha256: string;
  /** Label of the active manifest, `urn:c2pa:...`. */
  readonly manifestLabel: string;
  /** SHA-256 of the DER of the signing certificate. */
  readonly certificateSha256: string;
}

/**
 * Signs, embeds, then reads the file back from disk through the verifying reader: a file that does not read as
 * intact, or whose active manifest is not the one just signed, is deleted and the call fails.
 *
 * @throws ColophonError `source_not_allowed` when the bytes are not the declared ones,
 *   `signer_unavailable` when key or certificate cannot be used, `unsupported_media` for a type without embedding.
 */
export interface MediaSigner {
  sign(request: SignMediaRequest): Promise<SignedMedia>;
}
