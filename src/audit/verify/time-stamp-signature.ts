import { type BaseBlock, ObjectIdentifier, OctetString } from 'asn1js';
import { type Attribute } from 'pkijs';
import { bytesEqual } from '../core/strict-encoding.js';
import { ACCEPTED_DIGESTS, digest, type HeldCertificate, pkiEngine } from './pki.js';
import { type DecodedToken, TST_INFO } from './time-stamp-structure.js';

/** The CMS signature of a token (RFC 5652): content -> message digest -> signed attributes -> signature. */

const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';

/**
 * Section 11: both attributes once with one value; the digest ties the content to what is signed. The library looks
 * for the presence of the content type only.
 * @returns why the attributes do not cover the content, or undefined when they do
 */
export async function attributesFault(decoded: DecodedToken): Promise<string | undefined> {
  const { signer, content, contentType } = decoded;
  const algorithm = ACCEPTED_DIGESTS.get(signer.digestAlgorithm.algorithmId);
  const attributes = signer.signedAttrs?.attributes ?? [];
  const type = soleValue(attributes, CONTENT_TYPE);
  const hash = soleValue(attributes, MESSAGE_DIGEST);
  if (algorithm === undefined) {
    return 'the content is hashed with something other than SHA-256, SHA-384 and SHA-512';
  }
  const isTstInfo = type instanceof ObjectIdentifier && type.valueBlock.toString() === TST_INFO;
  if (contentType !== TST_INFO || !isTstInfo) return 'the signature is not about a time-stamp (content type)';
  if (!(hash instanceof OctetString)) return 'the signature does not cover the content (no message digest)';
  const same = bytesEqual(new Uint8Array(hash.getValue()), await digest(algorithm, content));
  return same ? undefined : 'the content was changed after it was signed (message digest differs)';
}

function soleValue(attributes: readonly Attribute[], id: string): BaseBlock | undefined {
  const [attribute, ...others] = attributes.filter(({ type }) => type === id);
  const [value, ...more] = (attribute?.values ?? []) as BaseBlock[];
  return others.length === 0 && more.length === 0 ? value : undefined;
}

/**
 * Section 5.4: the signature is over the DER of the signed attributes as a SET. RSA (PKCS #1 v1.5 and PSS) and ECDSA
 * over SHA-2.
 * @returns why it does not hold, or undefined when it does
 */
export async function signatureFault(
  { signer }: DecodedToken,
  { certificate }: HeldCertificate,
): Promise<string | undefined> {
  const { signatureAlgorithm, signature, signedAttrs } = signer;
  if (!signedAttrs) return 'the token has no signed attributes';
  // The bare RSA identifier leaves the hash to the digest algorithm.
  const isBare = signatureAlgorithm.algorithmId === RSA_ENCRYPTION;
  const hash = isBare
    ? (ACCEPTED_DIGESTS.get(signer.digestAlgorithm.algorithmId) ?? '')
    : pkiEngine.getHashAlgorithm(signatureAlgorithm);
  if (!/^SHA-(256|384|512)$/.test(hash)) return 'the signature rests on an algorithm that is not accepted';
  try {
    const verified = await pkiEngine.verifyWithPublicKey(
      signedAttrs.encodedValue,
      signature,
      certificate.subjectPublicKeyInfo,
      signatureAlgorithm,
      ...(isBare ? [hash] : []),
    );
    return verified ? undefined : 'the signature does not verify';
  } catch {
    return 'the signature cannot be verified with the key of the certificate';
  }
}
