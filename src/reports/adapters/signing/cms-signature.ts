import { X509Certificate } from 'node:crypto';
import { type CertifiedKey } from '../../../provenance/domain/claim-key.port.js';
import { signatureHolds } from '../../../provenance/domain/signing-algorithm.js';
import { ColophonError } from '../../../shared/errors.js';
import { bytesToSign, encodeSignature, signatureValue } from './cms-form.js';

/** The certificates that go into a signature: leaf first, without the root, which a reader must have from elsewhere. */
export function signingChain({ certificateChainPem }: CertifiedKey): [X509Certificate, ...X509Certificate[]] {
  const pems = certificateChainPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const [leaf, ...issuers] = pems.map((pem) => new X509Certificate(pem));
  if (leaf === undefined) throw new ColophonError('signer_unavailable', 'The report key has no certificate.');
  return [leaf, ...issuers.filter((each) => !each.checkIssued(each))];
}

export interface DetachedSignature {
  readonly key: CertifiedKey;
  /** Of the signed bytes, by `contentDigestOf` of cms-form.ts. */
  readonly contentDigest: Uint8Array;
  /** Asked for a token over the signature; `undefined` gives none. */
  readonly stamp: (signature: Uint8Array) => Promise<Uint8Array | undefined>;
}

/**
 * A signature over the digest in the form of cms-form.ts. The signature itself comes from wherever the key lies.
 *
 * @throws ColophonError `signer_unavailable` when the key fails or its signature does not verify with its certificate
 */
export async function signDetached({ key, contentDigest, stamp }: DetachedSignature): Promise<Buffer> {
  const chain = signingChain(key);
  const [leaf] = chain;
  const toBeSigned = bytesToSign(contentDigest, leaf);
  const signature = await key.sign(toBeSigned);
  if (!signatureHolds(key.algorithm, leaf.publicKey, toBeSigned, signature)) {
    throw new ColophonError(
      'signer_unavailable',
      'The report key gave a signature that does not verify with its certificate.',
    );
  }
  const value = signatureValue(key.algorithm, signature);
  const token = await stamp(value);
  return encodeSignature({ algorithm: key.algorithm, chain, contentDigest, value, token });
}
