import { join } from 'node:path';
import { C2paMediaSigner } from '../provenance/adapters/c2pa-media-signer.js';
import { C2paReader } from '../provenance/adapters/c2pa-reader.js';
import { openFileKeystore } from '../provenance/adapters/file-keystore.js';
import { openIdentityAuthority } from '../provenance/adapters/identity-authority.js';
import { openIdentityKey } from '../provenance/adapters/identity-key.js';
import { type IssuedCredential } from '../provenance/domain/identity-issuer.port.js';
import { TrustStore } from '../provenance/adapters/trust-store.js';
import { VerificationProcess } from '../provenance/adapters/verification-process.js';
import { PRODUCT_VERSION } from '../shared/product.js';
import { type ServicesOptions, clock } from './services-options.js';

export async function composeProvenance({ configuration, verification }: ServicesOptions) {
  const keystore = await openFileKeystore({ folder: join(configuration.home, 'keys'), clock });
  const identityAuthority = await openIdentityAuthority({ folder: join(configuration.home, 'keys'), clock });
  const trust = {
    name: 'this installation',
    anchorsPem: keystore.caCertificatePem,
    identityAnchorsPem: identityAuthority.certificatePem,
  };
  const trustStore = new TrustStore(join(configuration.home, 'trust'));
  // A list that cannot be read is told at the start, not by every answer.
  trustStore.lists();
  const verifier = new VerificationProcess({ trust, lists: () => trustStore.lists(), ...verification });
  const signer = new C2paMediaSigner({
    key: keystore.claimKey,
    trust,
    sourceInspector: verifier,
    version: PRODUCT_VERSION,
    clock,
  });
  return {
    trustStore,
    verifier,
    signer,
    /** For files that this installation made itself. */
    ownReader: new C2paReader({ trust }),
    trustAnchorsPem: keystore.caCertificatePem,
    identityIssuer: identityAuthority,
    openIdentity: (credential: IssuedCredential, now: Date) =>
      openIdentityKey(credential, now, identityAuthority.certificatePem),
    certificateNotAfter: keystore.certificateNotAfter,
  };
}
