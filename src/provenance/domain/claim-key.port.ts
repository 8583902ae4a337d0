import { type SigningAlgorithm } from './signing-algorithm.js';

/**
 * A private key, wherever it lies: in a file, in AWS KMS, on a PKCS#11 token, in Vault. Who signs with it never learns
 * where that is.
 */
export interface SigningKey {
  /**
   * URI that names exactly this key and no later one: an alias or "the newest version" is resolved when the key is
   * opened. It holds no secret.
   */
  readonly reference: string;
  readonly algorithm: SigningAlgorithm;
  /** DER of its SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /**
   * Signs `bytes` (not their hash) by {@link algorithm}.
   *
   * @returns the form that COSE wants: r || s (IEEE P1363) for ECDSA (RFC 9053 section 2.1), never DER; PS256 with a
   *   salt of 32 bytes.
   * @throws ColophonError `signer_unavailable`, whose message says what to do, when the key cannot be used now.
   */
  sign(bytes: Uint8Array): Promise<Buffer>;
}

/** Opens keys of all kinds by their URI. */
export interface SigningKeys {
  /** @throws ColophonError `signer_unavailable` */
  open(reference: string): Promise<SigningKey>;
}

/** A key with the certificate under which it signs. */
export interface CertifiedKey {
  readonly algorithm: SigningAlgorithm;
  /** PEM, leaf first. A self-signed root may follow; it is not put into signatures. */
  readonly certificateChainPem: string;
  readonly certificateNotBefore: Date;
  /** End of validity of the leaf. From this instant on nothing is signed. */
  readonly certificateNotAfter: Date;
  /** As {@link SigningKey.sign}. */
  sign(bytes: Uint8Array): Promise<Buffer>;
}

/** The key that signs claims. */
export type ClaimKey = CertifiedKey;
