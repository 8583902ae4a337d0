import { type TrustListUse } from './trust-list.js';

/** Who signed the active manifest, by the certificate, and whether we know the authority behind it. */
export interface SignerFinding {
  /** Common name and organization in the certificate: whatever its issuer let be written there. */
  readonly subject: string;
  readonly issuer: string;
  /** Lower-case hexadecimal SHA-256 of the DER of the certificate. */
  readonly certificateSha256: string;
  /** Decimal. */
  readonly serialNumber: string;
  /** RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** The list that the certificate chain leads to; `undefined`: none. */
  readonly list: TrustListUse | undefined;
  /** Why no list vouches for it, in words; `undefined` when one does. */
  readonly notTrustedBecause: string | undefined;
  /** It was issued by this installation, even if it has expired since. */
  readonly isOurs: boolean;
}

/** When it was signed, and who says so. */
export interface TimeStampFinding {
  /**
   * `none`: only the signer's word. `invalid`: a token is there, but it is not about this signature. `untrusted`: it
   * holds, by an authority on no list. `trusted`: it holds, by an authority on `list`.
   */
  readonly status: 'none' | 'invalid' | 'untrusted' | 'trusted';
  /** RFC 3339. Believe it only when `trusted`. */
  readonly at: string | undefined;
  readonly authority: string | undefined;
  readonly list: TrustListUse | undefined;
}

/** The signature of one manifest in the file, ingredients' included, checked by ourselves. */
export interface ClaimFinding {
  readonly manifestLabel: string;
  /** It is the manifest of the file itself; at most one is. */
  readonly isActive: boolean;
  /** Lower-case hexadecimal SHA-256 of the CBOR claim. */
  readonly claimSha256: string;
  /** The signature is over this claim, by the key of the certificate. Nothing is said about the picture. */
  readonly signatureHolds: boolean;
  readonly certificateSha256: string | undefined;
  /** Name of the list that vouches for the signer. */
  readonly trustedBy: string | undefined;
  /** The certificate was issued by this installation, even if it has expired since. */
  readonly isOurCertificate: boolean;
  /** RFC 3339: when a time-stamp authority on one of our lists saw the signature. */
  readonly trustedTime?: string | undefined;
}
