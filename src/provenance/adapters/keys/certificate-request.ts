import 'reflect-metadata';
import { type AsnType, BitString, fromBER, Null } from 'asn1js';
import {
  AlgorithmIdentifier,
  Attribute,
  BasicConstraints,
  CertificationRequest,
  ExtKeyUsage,
  Extension,
  Extensions,
  PublicKeyInfo,
  RelativeDistinguishedNames,
  RSASSAPSSParams,
} from 'pkijs';
import { Name } from '@peculiar/x509';
import { ColophonError } from '../../../shared/errors.js';
import { type SigningKey } from '../../domain/claim-key.port.js';
import { type KeyPurpose } from '../../domain/key-generation.js';
import { PS256_SALT_BYTES, type SigningAlgorithm } from '../../domain/signing-algorithm.js';
import { CLAIM_SIGNING, DOCUMENT_SIGNING } from '../development-authority.js';
import { ecdsaToDer } from './ecdsa-signature.js';

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const SHA_256 = '2.16.840.1.101.3.4.2.1';
/** KeyUsage digitalSignature(0) and nonRepudiation(1). */
const USAGE_BITS = Uint8Array.of(0xc0);
const UNUSED_USAGE_BITS = 6;
const MAX_SUBJECT_CHARACTERS = 512;

/**
 * PKCS#10 (RFC 2986) for a key that never leaves its place: the request is signed there. It asks for what the C2PA
 * certificate policy wants in a claim-signing certificate, or for document signing in that of the report key.
 * @returns PEM
 * @throws ColophonError `invalid_request` for a subject that is none
 */
export async function certificateRequest(
  key: SigningKey,
  purpose: KeyPurpose,
  subject: string,
): Promise<string> {
  const request = new CertificationRequest({
    version: 0,
    subject: subjectName(subject),
    subjectPublicKeyInfo: new PublicKeyInfo({ schema: decode(key.publicKey) }),
    attributes: [
      new Attribute({
        type: EXTENSION_REQUEST,
        values: [new Extensions({ extensions: requestedExtensions(purpose) }).toSchema()],
      }),
    ],
  });
  request.signatureAlgorithm = signatureAlgorithm(key.algorithm);
  request.signatureValue = new BitString();
  const [toBeSigned] = request.toSchema(true).valueBlock.value;
  if (toBeSigned === undefined) throw new Error('a certificate request has a part to be signed');
  const signature = await key.sign(new Uint8Array(toBeSigned.toBER()));
  const isEcdsa = key.algorithm === 'es256' || key.algorithm === 'es384';
  request.signatureValue = new BitString({
    valueHex: Uint8Array.from(isEcdsa ? ecdsaToDer(signature) : signature).buffer,
  });
  const der = Buffer.from(request.toSchema(true).toBER()).toString('base64');
  const lines = der.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

function requestedExtensions(purpose: KeyPurpose): Extension[] {
  const purposes = purpose === 'claim' ? [CLAIM_SIGNING, DOCUMENT_SIGNING] : [DOCUMENT_SIGNING];
  const usage = new BitString({ valueHex: USAGE_BITS.buffer, unusedBits: UNUSED_USAGE_BITS });
  return [
    extension('2.5.29.19', true, new BasicConstraints({ cA: false }).toSchema()),
    extension('2.5.29.15', true, usage),
    extension('2.5.29.37', false, new ExtKeyUsage({ keyPurposes: purposes }).toSchema()),
  ];
}

function extension(extnID: string, critical: boolean, value: AsnType): Extension {
  return new Extension({ extnID, critical, extnValue: value.toBER() });
}

/** RFC 5758 section 3.2, RFC 4055 section 3.1, RFC 8410 section 3. */
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
  const sha256 = new AlgorithmIdentifier({ algorithmId: SHA_256, algorithmParams: new Null() });
  return new RSASSAPSSParams({
    hashAlgorithm: sha256,
    maskGenAlgorithm: new AlgorithmIdentifier({
      algorithmId: '1.2.840.113549.1.1.8',
      algorithmParams: sha256.toSchema(),
    }),
    saltLength: PS256_SALT_BYTES,
  });
}

/** C, O and CN are what the C2PA certificate policy asks for; which others an authority wants is its affair. */
function subjectName(text: string): RelativeDistinguishedNames {
  try {
    if (text.length > MAX_SUBJECT_CHARACTERS || !/(^|,)\s*CN=\S/.test(text)) throw new Error('no CN');
    return new RelativeDistinguishedNames({ schema: decode(new Uint8Array(new Name(text).toArrayBuffer())) });
  } catch (cause) {
    throw new ColophonError(
      'invalid_request',
      'Give the subject like "C=DE, O=Example GmbH, CN=Example Media".',
      {
        cause,
      },
    );
  }
}

function decode(der: Uint8Array): AsnType {
  const { result, offset } = fromBER(Uint8Array.from(der));
  if (offset === -1) throw new Error(result.error);
  return result;
}
