import { compactVerify } from 'jose';
import { type CertifiedKey } from '../../../provenance/domain/claim-key.port.js';
import { type SigningAlgorithm } from '../../../provenance/domain/signing-algorithm.js';
import { ColophonError } from '../../../shared/errors.js';
import { signingChain } from './cms-signature.js';

/** RFC 7518 section 3.1, RFC 9864 section 2.2. */
const JWS_ALGORITHMS: Readonly<Record<SigningAlgorithm, string>> = {
  es256: 'ES256',
  es384: 'ES384',
  ps256: 'PS256',
  ed25519: 'Ed25519',
};

/**
 * A compact JWS (RFC 7515) whose header carries the certificate chain. The library takes no keys that lie elsewhere, so
 * the two parts are joined here, and the library verifies the result before anybody gets it.
 */
export async function signCompact(key: CertifiedKey, payload: Buffer, type: string): Promise<Buffer> {
  const chain = signingChain(key);
  const [leaf] = chain;
  const header = {
    alg: JWS_ALGORITHMS[key.algorithm],
    typ: type,
    x5c: chain.map(({ raw }) => raw.toString('base64')),
    'x5t#S256': Buffer.from(leaf.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
  };
  const encodedHeader = Buffer.from(JSON.stringify(header), 'utf8').toString('base64url');
  const input = `${encodedHeader}.${payload.toString('base64url')}`;
  const signature = await key.sign(Buffer.from(input, 'ascii'));
  const jws = `${input}.${signature.toString('base64url')}`;
  try {
    await compactVerify(jws, leaf.publicKey, { algorithms: [header.alg] });
  } catch (cause) {
    throw new ColophonError(
      'signer_unavailable',
      'The report key gave a signature that does not verify with its certificate.',
      { cause },
    );
  }
  return Buffer.from(jws, 'ascii');
}
