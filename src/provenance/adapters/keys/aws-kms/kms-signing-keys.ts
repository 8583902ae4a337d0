import { createHash, createPublicKey } from 'node:crypto';
import {
  GetPublicKeyCommand,
  KMSClient,
  type KMSClientConfig,
  SignCommand,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms';
import { type OutboundPolicy } from '../../../../outbound/guarded-fetch.js';
import { allowedHostOf } from '../../../../outbound/outbound-target.js';
import { type SigningKey } from '../../../domain/claim-key.port.js';
import { algorithmOfKey, type SigningAlgorithm } from '../../../domain/signing-algorithm.js';
import { type AttemptLimits, DEFAULT_LIMITS, withAttempts } from '../bounded-attempts.js';
import { ecdsaFromDer } from '../ecdsa-signature.js';
import { formatKeyReference } from '../key-reference.js';
import { signerUnavailable } from '../signer-unavailable.js';
import { type KeyPlace, type OfScheme } from '../signing-key-places.js';
import { GuardedRequestHandler } from './guarded-request-handler.js';
import { isPassingKmsError, kmsProblem } from './kms-problems.js';

export interface KmsSettings {
  /** Default: the one in the ARN of the key. */
  readonly region?: string;
  /** Another address than AWS's own, e.g. a private endpoint. */
  readonly endpoint?: string;
  readonly outbound?: OutboundPolicy;
  readonly limits?: AttemptLimits;
  /** Default: the client's own chain (environment, profile, container, instance). */
  readonly credentials?: NonNullable<KMSClientConfig['credentials']>;
}

/** Those that AWS can make over a digest. Ed25519 there wants the message itself, of at most 4,096 bytes. */
const SPECS: Readonly<Partial<Record<SigningAlgorithm, SigningAlgorithmSpec>>> = {
  es256: 'ECDSA_SHA_256',
  es384: 'ECDSA_SHA_384',
  ps256: 'RSASSA_PSS_SHA_256',
};

/** Keys of AWS KMS. They never leave it; what goes there is a hash. */
export class KmsSigningKeys implements KeyPlace<'awskms'> {
  private readonly clients = new Map<string, KMSClient>();
  private readonly limits: AttemptLimits;

  constructor(private readonly settings: KmsSettings) {
    this.limits = settings.limits ?? DEFAULT_LIMITS;
  }

  async open(reference: OfScheme<'awskms'>): Promise<SigningKey> {
    const client = this.clientFor(reference.keyId);
    const answer = await this.ask((abortSignal) =>
      client.send(new GetPublicKeyCommand({ KeyId: reference.keyId }), { abortSignal }),
    );
    const { KeyId: arn, PublicKey: spki, KeyUsage: usage } = answer;
    if (arn === undefined || spki === undefined || usage !== 'SIGN_VERIFY')
      throw signerUnavailable('The key in AWS KMS is not one for signing. Make one with usage SIGN_VERIFY.');
    // A key id in the request must not be answered by another key; an alias is resolved here, once.
    if (!reference.keyId.includes('alias/') && !isSameKey(reference.keyId, arn)) throw otherKey();
    const publicKey = Buffer.from(spki);
    const algorithm = algorithmOfKey(createPublicKey({ key: publicKey, format: 'der', type: 'spki' }));
    const spec = algorithm && SPECS[algorithm];
    if (algorithm === undefined || spec === undefined || !answer.SigningAlgorithms?.includes(spec))
      throw signerUnavailable(
        'The key in AWS KMS cannot sign claims. Make one of ECC_NIST_P256, ECC_NIST_P384 or RSA_2048 to RSA_4096.',
      );
    return {
      reference: formatKeyReference({ scheme: 'awskms', keyId: arn }),
      algorithm,
      publicKey,
      sign: (bytes) => this.sign(client, arn, algorithm, spec, bytes),
    };
  }

  private async sign(
    client: KMSClient,
    keyId: string,
    algorithm: SigningAlgorithm,
    spec: SigningAlgorithmSpec,
    bytes: Uint8Array,
  ): Promise<Buffer> {
    const digest = createHash(algorithm === 'es384' ? 'sha384' : 'sha256')
      .update(bytes)
      .digest();
    const answer = await this.ask((abortSignal) =>
      client.send(
        new SignCommand({ KeyId: keyId, Message: digest, MessageType: 'DIGEST', SigningAlgorithm: spec }),
        { abortSignal },
      ),
    );
    if (answer.KeyId !== keyId || answer.SigningAlgorithm !== spec) throw otherKey();
    const signature = Buffer.from(answer.Signature ?? []);
    return algorithm === 'es256' || algorithm === 'es384' ? ecdsaFromDer(algorithm, signature) : signature;
  }

  private async ask<T>(call: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await withAttempts(this.limits, isPassingKmsError, (remainingMs) =>
        call(AbortSignal.timeout(Math.ceil(remainingMs))),
      );
    } catch (error) {
      throw kmsProblem(error);
    }
  }

  private clientFor(keyId: string): KMSClient {
    const region = this.settings.region ?? /^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1];
    if (region === undefined)
      throw signerUnavailable(
        'AWS KMS is not configured: set COLOPHON_AWS_REGION, or name the key by its ARN.',
      );
    const known = this.clients.get(region);
    if (known !== undefined) return known;
    const client = new KMSClient(this.clientConfig(region));
    this.clients.set(region, client);
    return client;
  }

  private clientConfig(region: string): KMSClientConfig {
    const { endpoint, outbound, credentials } = this.settings;
    // The operator named this host. Behind its public name may lie a private address: an interface endpoint in a VPC.
    const host = allowedHostOf(endpoint ?? `https://kms.${region}.amazonaws.com`);
    const policy = { ...outbound, allowedPrivateHosts: [...(outbound?.allowedPrivateHosts ?? []), host] };
    return {
      region,
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials !== undefined && { credentials }),
      // Attempts are ours: the client's own have no common deadline.
      maxAttempts: 1,
      requestHandler: new GuardedRequestHandler(policy, this.limits.deadlineMs),
    };
  }
}

function isSameKey(asked: string, arn: string): boolean {
  return asked === arn || arn.endsWith(`:key/${asked}`);
}

function otherKey(): Error {
  return signerUnavailable('AWS KMS answered with another key than it was asked for. Check its address.');
}
