import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type SigningKey } from '../../../domain/claim-key.port.js';
import {
  algorithmOfKey,
  DIGESTS,
  PS256_SALT_BYTES,
  type SigningAlgorithm,
} from '../../../domain/signing-algorithm.js';
import { formatKeyReference } from '../key-reference.js';
import { signerUnavailable } from '../signer-unavailable.js';
import { type KeyPlace, type OfScheme } from '../signing-key-places.js';
import { exists, readSecret, syncFolder, writeSecret } from './secret-pem-files.js';

const RSA_BITS = 3072;

/** Private keys in PEM files (PKCS#8, not encrypted), mode 0600. The keystore of one machine. */
export class FileSigningKeys implements KeyPlace<'file'> {
  constructor(private readonly folder: string) {}

  async open(reference: OfScheme<'file'>): Promise<SigningKey> {
    const key = parse(await readSecret(this.pathOf(reference)));
    const algorithm = algorithmOfKey(createPublicKey(key));
    if (algorithm === undefined) throw signerUnavailable(UNFIT);
    return {
      reference: formatKeyReference(reference),
      algorithm,
      publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }),
      sign: (bytes) => signInBackground(algorithm, key, bytes),
    };
  }

  /**
   * Makes a new key. Durable when this resolves; a crash before that leaves a file that nobody knows.
   * @throws ColophonError `signer_unavailable` when the file is there already, it is never replaced
   */
  async create(reference: OfScheme<'file'>, algorithm: SigningAlgorithm): Promise<void> {
    const path = this.pathOf(reference);
    if (await exists(path))
      throw signerUnavailable('There is a key file of this name already. Choose another one.');
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const pem = generate(algorithm).export({ type: 'pkcs8', format: 'pem' });
    await writeSecret(path, pem.toString());
    await syncFolder(dirname(path));
  }

  private pathOf({ path }: OfScheme<'file'>): string {
    return path.startsWith('/') ? path : join(this.folder, path);
  }
}

const UNFIT = 'The key must be EC on P-256 or P-384, RSA of 2048 to 8192 bits, or Ed25519.';

function parse(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw signerUnavailable('The key file is no readable PEM of a private key without a passphrase.', cause);
  }
}

function generate(algorithm: SigningAlgorithm): KeyObject {
  if (algorithm === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (algorithm === 'ps256') return generateKeyPairSync('rsa', { modulusLength: RSA_BITS }).privateKey;
  return generateKeyPairSync('ec', { namedCurve: algorithm === 'es256' ? 'P-256' : 'P-384' }).privateKey;
}

/** With a callback the signature is computed on the thread pool, not on the event loop. */
export function signInBackground(
  algorithm: SigningAlgorithm,
  key: KeyObject,
  bytes: Uint8Array,
): Promise<Buffer> {
  const options =
    algorithm === 'ps256'
      ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: PS256_SALT_BYTES }
      : { key, dsaEncoding: 'ieee-p1363' as const };
  return new Promise((resolve, reject) => {
    sign(DIGESTS[algorithm] ?? null, bytes, options, (error, signature) => {
      if (error) reject(signerUnavailable('The key file cannot sign.', error));
      else resolve(signature);
    });
  });
}
