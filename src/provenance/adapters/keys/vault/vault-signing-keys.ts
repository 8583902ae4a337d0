import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { type OutboundPolicy } from '../../../../outbound/guarded-fetch.js';
import { allowedHostOf } from '../../../../outbound/outbound-target.js';
import { type SigningKey } from '../../../domain/claim-key.port.js';
import { algorithmOfKey, DIGESTS, type SigningAlgorithm } from '../../../domain/signing-algorithm.js';
import { type AttemptLimits, DEFAULT_LIMITS } from '../bounded-attempts.js';
import { ecdsaFromDer } from '../ecdsa-signature.js';
import { formatKeyReference } from '../key-reference.js';
import { signerUnavailable } from '../signer-unavailable.js';
import { type KeyPlace, type OfScheme } from '../signing-key-places.js';
import { VaultClient } from './vault-client.js';

export interface VaultSettings {
  /** e.g. `https://vault.example.com:8200` */
  readonly address: string;
  /** Read at each request: an agent may renew the token there. */
  readonly tokenFile: string;
  readonly namespace?: string;
  readonly outbound?: OutboundPolicy;
  readonly limits?: AttemptLimits;
}

const keyAnswer = z.object({
  type: z.string(),
  latest_version: z.number().int(),
  // Ed25519 comes as base64 of 32 bytes, everything else as PEM.
  keys: z.record(z.string(), z.union([z.object({ public_key: z.string() }), z.number()])),
});
const signAnswer = z.object({ signature: z.string() });

/** DER before the 32 bytes of an Ed25519 public key (RFC 8410 section 4). */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** Keys of the transit engine of Vault or OpenBao. They never leave it; a version once opened is used for ever. */
export class VaultSigningKeys implements KeyPlace<'vault'> {
  private readonly client: VaultClient;

  constructor(settings: VaultSettings) {
    const allowedPrivateHosts = [
      ...(settings.outbound?.allowedPrivateHosts ?? []),
      allowedHostOf(settings.address),
    ];
    this.client = new VaultClient({
      ...settings,
      outbound: { ...settings.outbound, allowedPrivateHosts },
      limits: settings.limits ?? DEFAULT_LIMITS,
    });
  }

  async open({ mount, name, version: wanted }: OfScheme<'vault'>): Promise<SigningKey> {
    const answer = await this.client.ask(keyAnswer, 'GET', `${mount}/keys/${name}`);
    const version = wanted ?? answer.latest_version;
    const entry = answer.keys[String(version)];
    if (entry === undefined || typeof entry === 'number')
      throw signerUnavailable(
        'The key in Vault has no such version, or it is not one for signing. Check its address and type.',
      );
    const publicKey = publicKeyOf(entry.public_key);
    const algorithm = algorithmOfKey(publicKey);
    if (algorithm === undefined)
      throw signerUnavailable(
        'The key in Vault cannot sign claims. Make one of type ecdsa-p256, ecdsa-p384, rsa-2048 to rsa-4096 or ed25519.',
      );
    return {
      reference: formatKeyReference({ scheme: 'vault', mount, name, version }),
      algorithm,
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      sign: (bytes) => this.sign({ mount, name, version }, algorithm, bytes),
    };
  }

  private async sign(
    { mount, name, version }: { mount: string; name: string; version: number },
    algorithm: SigningAlgorithm,
    bytes: Uint8Array,
  ): Promise<Buffer> {
    const { signature } = await this.client.ask(signAnswer, 'POST', `${mount}/sign/${name}`, {
      key_version: version,
      ...inputFor(algorithm, bytes),
    });
    const [, signedBy, text = ''] = /^vault:v(\d+):([A-Za-z0-9+/]+={0,2})$/.exec(signature) ?? [];
    if (Number(signedBy) !== version)
      throw signerUnavailable('Vault signed with another version of the key than it was asked for.');
    const raw = Buffer.from(text, 'base64');
    return algorithm === 'es256' || algorithm === 'es384' ? ecdsaFromDer(algorithm, raw) : raw;
  }
}

/** Ed25519 over a hash would be Ed25519ph, which nobody verifies as COSE EdDSA. */
function inputFor(algorithm: SigningAlgorithm, bytes: Uint8Array): Record<string, unknown> {
  const digest = DIGESTS[algorithm];
  if (digest === undefined) return { input: Buffer.from(bytes).toString('base64') };
  return {
    input: createHash(digest).update(bytes).digest('base64'),
    prehashed: true,
    hash_algorithm: digest === 'sha384' ? 'sha2-384' : 'sha2-256',
    // Without it the salt is as long as it can be, and COSE PS256 does not verify.
    ...(algorithm === 'ps256' && { signature_algorithm: 'pss', salt_length: 'hash' }),
    ...(algorithm !== 'ps256' && { marshaling_algorithm: 'asn1' }),
  };
}

function publicKeyOf(text: string): KeyObject {
  try {
    if (text.includes('-----BEGIN')) return createPublicKey(text);
    const raw = Buffer.from(text, 'base64');
    return createPublicKey({ key: Buffer.concat([ED25519_SPKI, raw]), format: 'der', type: 'spki' });
  } catch (cause) {
    throw signerUnavailable(
      'The key in Vault has no public key that can be read: it is not for signing.',
      cause,
    );
  }
}
