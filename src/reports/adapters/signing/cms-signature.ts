import { X509Certificate } from 'node:crypto';
import { Null, ObjectIdentifier, OctetString, Sequence } from 'asn1js';
import {
  AlgorithmIdentifier,
  Attribute,
  Certificate,
  ContentInfo,
  createCMSECDSASignature,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  RSASSAPSSParams,
  SignedAndUnsignedAttributes,
  SignedData,
  SignerInfo,
} from 'pkijs';
import { type CertifiedKey } from '../../../provenance/domain/claim-key.port.js';
import {
  PS256_SALT_BYTES,
  signatureHolds,
  type SigningAlgorithm,
} from '../../../provenance/domain/signing-algorithm.js';
import { ColophonError } from '../../../shared/errors.js';

const DATA = '1.2.840.113549.1.7.1';
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
/** ESS signing-certificate-v2 (RFC 5035): the signature names its certificate, so none can be put in its place. */
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';
/** RFC 3161 appendix A: the token is over the bytes of the signature. */
const SIGNATURE_TIME_STAMP = '1.2.840.113549.1.9.16.2.14';
const SHA_256 = '2.16.840.1.101.3.4.2.1';
const MGF1 = '1.2.840.113549.1.1.8';
const EXPLICIT_SET = 0x31;

/** The hash of the signed content for each algorithm; Ed25519 goes with SHA-512 (RFC 8419 section 3.1). */
const CONTENT_DIGESTS: Readonly<
  Record<SigningAlgorithm, { readonly name: 'sha256' | 'sha384' | 'sha512'; readonly oid: string }>
> = {
  es256: { name: 'sha256', oid: SHA_256 },
  es384: { name: 'sha384', oid: '2.16.840.1.101.3.4.2.2' },
  ps256: { name: 'sha256', oid: SHA_256 },
  ed25519: { name: 'sha512', oid: '2.16.840.1.101.3.4.2.3' },
};

export const contentDigestOf = (algorithm: SigningAlgorithm): 'sha256' | 'sha384' | 'sha512' =>
  CONTENT_DIGESTS[algorithm].name;

/** The certificates that go into a signature: leaf first, without the root, which a reader must have from elsewhere. */
export function signingChain({ certificateChainPem }: CertifiedKey): [X509Certificate, ...X509Certificate[]] {
  const pems = certificateChainPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const [leaf, ...issuers] = pems.map((pem) => new X509Certificate(pem));
  if (leaf === undefined) throw new ColophonError('signer_unavailable', 'The report key has no certificate.');
  return [leaf, ...issuers.filter((each) => !each.checkIssued(each))];
}

export interface DetachedSignature {
  readonly key: CertifiedKey;
  /** Of the signed bytes, by {@link contentDigestOf}. */
  readonly contentDigest: Uint8Array;
  /** Asked for a token over the signature; `undefined` gives none. */
  readonly stamp: (signature: Uint8Array) => Promise<Uint8Array | undefined>;
}

/**
 * A detached CMS SignedData (RFC 5652) with the attributes of CAdES baseline B-B (ETSI EN 319 122-1), in DER. Structures
 * and encoding are those of pkijs; the signature itself comes from wherever the key lies.
 *
 * @throws ColophonError `signer_unavailable` when the key fails or its signature does not verify with its certificate
 */
export async function signDetached({ key, contentDigest, stamp }: DetachedSignature): Promise<Buffer> {
  const chain = signingChain(key);
  const [leaf] = chain;
  const certificate = pkiCertificate(leaf);
  const signedAttrs = signedAttributes(contentDigest, leaf);
  const toBeSigned = explicitSet(signedAttrs);
  const signature = await key.sign(toBeSigned);
  if (!signatureHolds(key.algorithm, leaf.publicKey, toBeSigned, signature)) {
    throw new ColophonError(
      'signer_unavailable',
      'The report key gave a signature that does not verify with its certificate.',
    );
  }
  const value = cmsForm(key.algorithm, signature);
  const token = await stamp(value);
  const digestAlgorithm = (): AlgorithmIdentifier =>
    new AlgorithmIdentifier({ algorithmId: CONTENT_DIGESTS[key.algorithm].oid });
  const signerInfo = new SignerInfo({
    version: 1,
    sid: new IssuerAndSerialNumber({ issuer: certificate.issuer, serialNumber: certificate.serialNumber }),
    digestAlgorithm: digestAlgorithm(),
    signedAttrs,
    signatureAlgorithm: signatureAlgorithm(key.algorithm),
    signature: new OctetString({ valueHex: copy(value) }),
    ...(token && { unsignedAttrs: timeStampAttribute(token) }),
  });
  const signedData = new SignedData({
    version: 1,
    digestAlgorithms: [digestAlgorithm()],
    encapContentInfo: new EncapsulatedContentInfo({ eContentType: DATA }),
    // DER orders the members of a set by their bytes.
    certificates: [...chain].sort((a, b) => Buffer.compare(a.raw, b.raw)).map(pkiCertificate),
    signerInfos: [signerInfo],
  });
  const content = new ContentInfo({ contentType: SIGNED_DATA, content: signedData.toSchema(true) });
  return Buffer.from(content.toSchema().toBER());
}

function signedAttributes(contentDigest: Uint8Array, leaf: X509Certificate): SignedAndUnsignedAttributes {
  const attributes = [
    new Attribute({ type: CONTENT_TYPE, values: [new ObjectIdentifier({ value: DATA })] }),
    new Attribute({
      type: MESSAGE_DIGEST,
      values: [new OctetString({ valueHex: copy(contentDigest) })],
    }),
    new Attribute({ type: SIGNING_CERTIFICATE_V2, values: [signingCertificate(leaf)] }),
  ];
  const der = (attribute: Attribute): Buffer => Buffer.from(attribute.toSchema().toBER());
  attributes.sort((a, b) => Buffer.compare(der(a), der(b)));
  return new SignedAndUnsignedAttributes({ type: 0, attributes });
}

/** SigningCertificateV2 { certs { ESSCertIDv2 { certHash } } }; the hash algorithm is the default, SHA-256. */
function signingCertificate(leaf: X509Certificate): Sequence {
  const hash = Buffer.from(leaf.fingerprint256.replaceAll(':', ''), 'hex');
  const id = new Sequence({ value: [new OctetString({ valueHex: copy(hash) })] });
  return new Sequence({ value: [new Sequence({ value: [id] })] });
}

/** What is signed is the set of attributes with its own tag instead of the implicit one (RFC 5652 section 5.4). */
function explicitSet(attributes: SignedAndUnsignedAttributes): Buffer {
  const bytes = Buffer.from(attributes.toSchema().toBER());
  bytes[0] = EXPLICIT_SET;
  return bytes;
}

/** CMS wants ECDSA as a DER sequence of two integers (RFC 5753); the port gives r || s. */
function cmsForm(algorithm: SigningAlgorithm, signature: Buffer): Buffer {
  if (algorithm !== 'es256' && algorithm !== 'es384') return signature;
  return Buffer.from(createCMSECDSASignature(copy(signature)));
}

function signatureAlgorithm(algorithm: SigningAlgorithm): AlgorithmIdentifier {
  switch (algorithm) {
    case 'es256':
      return new AlgorithmIdentifier({ algorithmId: '1.2.840.10045.4.3.2' });
    case 'es384':
      return new AlgorithmIdentifier({ algorithmId: '1.2.840.10045.4.3.3' });
    case 'ed25519':
      return new AlgorithmIdentifier({ algorithmId: '1.3.101.112' });
    case 'ps256':
      return new AlgorithmIdentifier({
        algorithmId: '1.2.840.113549.1.1.10',
        algorithmParams: pssParameters().toSchema(),
      });
  }
}

function pssParameters(): RSASSAPSSParams {
  const sha256 = (): AlgorithmIdentifier =>
    new AlgorithmIdentifier({ algorithmId: SHA_256, algorithmParams: new Null() });
  return new RSASSAPSSParams({
    hashAlgorithm: sha256(),
    maskGenAlgorithm: new AlgorithmIdentifier({ algorithmId: MGF1, algorithmParams: sha256().toSchema() }),
    saltLength: PS256_SALT_BYTES,
  });
}

function timeStampAttribute(token: Uint8Array): SignedAndUnsignedAttributes {
  const values = [ContentInfo.fromBER(copy(token)).toSchema()];
  return new SignedAndUnsignedAttributes({
    type: 1,
    attributes: [new Attribute({ type: SIGNATURE_TIME_STAMP, values })],
  });
}

function pkiCertificate({ raw }: X509Certificate): Certificate {
  return Certificate.fromBER(copy(raw));
}

function copy(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
