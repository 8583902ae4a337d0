import { constants, type KeyObject, verify } from 'node:crypto';

/** What claims may be signed with here, of the list in C2PA 2.4 section 13.2.1. */
export const SIGNING_ALGORITHMS = ['es256', 'es384', 'ps256', 'ed25519'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** COSE algorithm identifiers (RFC 9053 sections 2.1 and 2.2, RFC 8230 section 2). */
export const COSE_ALGORITHMS: Readonly<Record<SigningAlgorithm, number>> = {
  es256: -7,
  es384: -35,
  ps256: -37,
  ed25519: -8,
};

/** The hash that is signed. Ed25519 signs the message itself (RFC 8032, "pure"): COSE knows no prehashed form. */
export const DIGESTS: Readonly<Record<SigningAlgorithm, 'sha256' | 'sha384' | undefined>> = {
  es256: 'sha256',
  es384: 'sha384',
  ps256: 'sha256',
  ed25519: undefined,
};

/** RFC 8230 section 2: the salt is as long as the hash. */
export const PS256_SALT_BYTES = 32;
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;

/** The algorithm that goes with a public key; `undefined` for a key that cannot sign claims here. */
export function algorithmOfKey(key: KeyObject): SigningAlgorithm | undefined {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  if (key.asymmetricKeyType === 'ec') {
    if (namedCurve === 'prime256v1') return 'es256';
    return namedCurve === 'secp384r1' ? 'es384' : undefined;
  }
  const isRsa = key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'rsa-pss';
  return isRsa && modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS ? 'ps256' : undefined;
}

/** Length of a signature in the form that COSE wants: r || s, or the number of the RSA modulus. */
export function signatureSizeBytes(algorithm: SigningAlgorithm, key: KeyObject): number {
  if (algorithm === 'ps256') return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  return algorithm === 'es384' ? 96 : 64;
}

/** Whether a signature in COSE's form verifies. Never throws: a malformed signature does not verify. */
export function signatureHolds(
  algorithm: SigningAlgorithm,
  key: KeyObject,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== signatureSizeBytes(algorithm, key)) return false;
  try {
    return verify(DIGESTS[algorithm] ?? null, bytes, verificationKey(algorithm, key), signature);
  } catch {
    return false;
  }
}

function verificationKey(algorithm: SigningAlgorithm, key: KeyObject) {
  if (algorithm === 'ps256')
    return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: PS256_SALT_BYTES };
  return algorithm === 'ed25519' ? { key } : { key, dsaEncoding: 'ieee-p1363' as const };
}
