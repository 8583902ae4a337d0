/**
 * The key that signs claims. One implementation a place where keys live: file keystore now; KMS, PKCS#11 and
 * Vault have the same four members, so the signer never learns where the private key is.
 */
export interface ClaimKey {
  readonly algorithm: 'es256';
  /** PEM, leaf first. A self-signed root may follow; it is not put into signatures. */
  readonly certificateChainPem: string;
  /** End of validity of the leaf. From this instant on nothing is signed. */
  readonly certificateNotAfter: Date;
  /**
   * ECDSA P-256 over SHA-256 of `bytes`.
   *
   * @returns 64 bytes, r || s (IEEE P1363), the form that COSE wants (RFC 9053 section 2.1); never DER.
   * @throws ColophonError `signer_unavailable` when the key cannot be used now.
   */
  sign(bytes: Uint8Array): Promise<Buffer>;
}
