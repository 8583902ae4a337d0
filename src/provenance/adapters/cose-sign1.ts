import { verify, X509Certificate } from 'node:crypto';
import { encode } from 'cborg';
import { ColophonError } from '../../shared/errors.js';
import { type ClaimKey } from '../domain/claim-key.port.js';

/** COSE header labels and values (RFC 9052, RFC 9053, RFC 9360). */
const HEADER_ALG = 1;
const HEADER_X5CHAIN = 33;
const ALG_ES256 = -7;
/** CBOR tag 18, COSE_Sign1. */
const COSE_SIGN1_TAG = Buffer.from([0xd2]);
const ES256_SIGNATURE_BYTES = 64;

/**
 * The claim signature of C2PA 2.4 section 13.2: a tagged COSE_Sign1 with detached payload, the certificate chain in
 * the protected header and a zero `pad` in the unprotected one.
 *
 * We build it ourselves instead of leaving it to the binding: its own time-stamping does not work in every version,
 * and only here can a time-stamp or a stapled OCSP response be put into the unprotected header. It is also smaller:
 * the binding reserves 10 kB, this takes as many bytes as it needs (632 with the development certificate).
 */
export class ClaimSignature {
  private readonly protectedHeader: Uint8Array;
  private readonly leaf: X509Certificate;

  constructor(private readonly key: ClaimKey) {
    const certificates = parseChain(key.certificateChainPem);
    const [leaf] = certificates;
    if (leaf === undefined)
      throw new ColophonError('signer_unavailable', 'The claim key has no certificate.');
    this.leaf = leaf;
    const chain = certificates.filter((certificate) => certificate === leaf || !isSelfSigned(certificate));
    const der = chain.map((certificate) => new Uint8Array(certificate.raw));
    this.protectedHeader = encode(
      new Map<number, unknown>([
        [HEADER_ALG, ALG_ES256],
        // RFC 9360: one certificate is a byte string, several are an array.
        [HEADER_X5CHAIN, der.length === 1 ? der[0] : der],
      ]),
    );
  }

  /** Exact size of what {@link sign} returns. A different size would shift the bytes that the asset hash excludes. */
  get sizeBytes(): number {
    return this.assemble(new Uint8Array(ES256_SIGNATURE_BYTES)).length;
  }

  /** SHA-256 of the DER of the signing certificate, lower-case hexadecimal. */
  get certificateSha256(): string {
    return this.leaf.fingerprint256.replaceAll(':', '').toLowerCase();
  }

  /**
   * @param claim CBOR bytes of the claim
   * @throws ColophonError `signer_unavailable` when the key fails or its signature does not verify: a key service
   *   that was mixed up is found here and not by the reader of a published picture.
   */
  async sign(claim: Uint8Array): Promise<Buffer> {
    // Sig_structure, RFC 9052 section 4.4
    const toBeSigned = encode(['Signature1', this.protectedHeader, new Uint8Array(0), new Uint8Array(claim)]);
    const signature = await this.key.sign(toBeSigned);
    const holds =
      signature.length === ES256_SIGNATURE_BYTES &&
      verify('sha256', toBeSigned, { key: this.leaf.publicKey, dsaEncoding: 'ieee-p1363' }, signature);
    if (!holds) {
      throw new ColophonError(
        'signer_unavailable',
        'The claim key gave a signature that does not verify with its certificate.',
      );
    }
    return this.assemble(signature);
  }

  private assemble(signature: Uint8Array): Buffer {
    const body = encode([this.protectedHeader, { pad: new Uint8Array(0) }, null, new Uint8Array(signature)]);
    return Buffer.concat([COSE_SIGN1_TAG, body]);
  }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function parseChain(pem: string): X509Certificate[] {
  try {
    return (pem.match(PEM_CERTIFICATE) ?? []).map((text) => new X509Certificate(text));
  } catch (cause) {
    throw new ColophonError('signer_unavailable', 'The certificate chain of the claim key is malformed.', {
      cause,
    });
  }
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}
