import { type ClaimKey } from './claim-key.port.js';

/** The key of a named actor, checked by the X.509 profile of CAWG Identity 1.3. */
export interface IdentityKey {
  readonly key: ClaimKey;
  /** Whether its certificate leads to the identity authority of this installation. */
  readonly isTrustedHere: boolean;
  readonly certificateSha256: string;
  /** As the certificate names the holder. */
  readonly subject: string;
}
