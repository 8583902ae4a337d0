import { calculateJwkThumbprint, flattenedVerify, importJWK } from 'jose';
import { ColophonError } from '../../shared/errors.js';
import { type PublicJwk, publicMembers, type SignatureAlgorithm } from '../domain/signature-key.js';

/** ES256 and EdDSA signatures have 64 bytes; the rest is room for a header. */
const MAX_JWS_LENGTH = 2_000;
/** `b64` and `crit` would change what is signed; `jwk`, `jku` and `x5u` would bring a key of the sender's choice. */
const ALLOWED_HEADER = ['alg', 'kid', 'typ'];

/**
 * Verifies a compact JWS with detached payload (`header..signature`, RFC 7515 appendix F) over the UTF-8 bytes of `text`.
 * @throws ColophonError `signature_invalid`
 */
export async function requireSignature(
  jws: string,
  text: string,
  key: { readonly jwk: PublicJwk; readonly algorithm: SignatureAlgorithm },
): Promise<void> {
  const [header, payload, signature, ...rest] = jws.length > MAX_JWS_LENGTH ? [] : jws.split('.');
  if (header === undefined || payload !== '' || signature === undefined || rest.length > 0)
    throw new ColophonError(
      'signature_invalid',
      'Send a compact JWS with detached payload: header..signature',
    );
  try {
    requirePlainHeader(header);
    const publicKey = await importJWK(publicMembers(key.jwk), key.algorithm);
    const detached = {
      protected: header,
      payload: Buffer.from(text, 'utf8').toString('base64url'),
      signature,
    };
    await flattenedVerify(detached, publicKey, { algorithms: [key.algorithm] });
  } catch (cause) {
    throw new ColophonError(
      'signature_invalid',
      'The signature does not verify over this record with this key.',
      { cause },
    );
  }
}

function requirePlainHeader(header: string): void {
  const decoded: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  const names = Object.keys(decoded as object);
  if (names.some((name) => !ALLOWED_HEADER.includes(name))) throw new Error('the header has other members');
}

/** RFC 7638, in hexadecimal digits. @throws ColophonError `signature_invalid` when it is no point of its curve */
export async function thumbprintOf(jwk: PublicJwk, algorithm: SignatureAlgorithm): Promise<string> {
  try {
    await importJWK(publicMembers(jwk), algorithm);
    return Buffer.from(await calculateJwkThumbprint(publicMembers(jwk), 'sha256'), 'base64url').toString(
      'hex',
    );
  } catch (cause) {
    throw new ColophonError('signature_invalid', 'The key is none of its kind.', { cause });
  }
}
