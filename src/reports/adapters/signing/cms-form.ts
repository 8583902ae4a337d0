import { type KeyObject, verify, type X509Certificate } from 'node:crypto';
import { fromBER, Null, ObjectIdentifier, OctetString, Sequence } from 'asn1js';
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
import {
  DIGESTS,
  PS256_SALT_BYTES,
  signatureHolds,
  type SigningAlgorithm,
} from '../../../provenance/domain/signing-algorithm.js';

/**
 * The one form that signatures in our PDFs have: a detached CMS SignedData (RFC 5652) with the attributes of CAdES
 * baseline B-B (ETSI EN 319 122-1), in DER. Structures and encoding are those of pkijs. Who signs writes this form, and
 * who verifies writes it again and compares, so that nothing else can stand in a signature.
 */

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

/** What is signed: the DER of the signed attributes as a SET (RFC 5652 section 5.4). */
export function bytesToSign(contentDigest: Uint8Array, leaf: X509Certificate): Buffer {
  return explicitSet(signedAttributes(contentDigest, leaf));
}

export interface SignatureParts {
  readonly algorithm: SigningAlgorithm;
  /** Leaf first. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /** Of the signed bytes, by {@link contentDigestOf}. */
  readonly contentDigest: Uint8Array;
  /** The signature as CMS has it. */
  readonly value: Uint8Array;
  /** A TimeStampToken over the value. */
  readonly token: Uint8Array | undefined;
}

export function encodeSignature({ algorithm, chain, contentDigest, value, token }: SignatureParts): Buffer {
  const [leaf] = chain;
  const certificate = pkiCertificate(leaf);
  const digestAlgorithm = (): AlgorithmIdentifier =>
    new AlgorithmIdentifier({ algorithmId: CONTENT_DIGESTS[algorithm].oid });
  const signerInfo = new SignerInfo({
    version: 1,
    sid: new IssuerAndSerialNumber({ issuer: certificate.issuer, serialNumber: certificate.serialNumber }),
    digestAlgorithm: digestAlgorithm(),
    signedAttrs: signedAttributes(contentDigest, leaf),
    signatureAlgorithm: signatureAlgorithm(algorithm),
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

/** What alone cannot be worked out again: read, and not believed. */
export interface ReadSignature {
  readonly cms: Buffer;
  /** What follows it in the room that was kept. */
  readonly padding: Buffer;
  readonly value: Buffer;
  readonly token: Buffer | undefined;
}

/** @returns `undefined` for what is no CMS signature */
export function readSignature(padded: Buffer): ReadSignature | undefined {
  try {
    const { offset, result } = fromBER(copy(padded));
    if (offset <= 0) return undefined;
    const [signer] = new SignedData({ schema: new ContentInfo({ schema: result }).content }).signerInfos;
    if (signer === undefined) return undefined;
    const values = (signer.unsignedAttrs?.attributes[0]?.values ?? []) as { toBER(): ArrayBuffer }[];
    return {
      cms: padded.subarray(0, offset),
      padding: padded.subarray(offset),
      value: Buffer.from(signer.signature.valueBlock.valueHexView),
      token: values[0] && Buffer.from(values[0].toBER()),
    };
  } catch {
    return undefined;
  }
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
export function signatureValue(algorithm: SigningAlgorithm, signature: Buffer): Buffer {
  if (algorithm !== 'es256' && algorithm !== 'es384') return signature;
  return Buffer.from(createCMSECDSASignature(copy(signature)));
}

/** Whether a signature in the form of CMS verifies. Never throws. */
export function valueHolds(
  algorithm: SigningAlgorithm,
  key: KeyObject,
  bytes: Uint8Array,
  value: Uint8Array,
): boolean {
  if (algorithm !== 'es256' && algorithm !== 'es384') return signatureHolds(algorithm, key, bytes, value);
  try {
    return verify(DIGESTS[algorithm] ?? null, bytes, { key, dsaEncoding: 'der' }, value);
  } catch {
    return false;
  }
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
