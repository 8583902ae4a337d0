import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { signDigest } from '../sign-digest.js';

export const TRANSIT_KEY_TYPES = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519', 'aes256-gcm96'] as const;
export type TransitKeyType = (typeof TRANSIT_KEY_TYPES)[number];

export type VaultFault =
  'throttle' | 'server-error' | 'down' | 'slow' | 'flip-bit' | 'other-version' | 'garbage';

interface SignBody {
  readonly input?: string;
  readonly key_version?: number;
  readonly prehashed?: boolean;
  readonly hash_algorithm?: string;
  readonly signature_algorithm?: string;
  readonly salt_length?: string;
}

interface TransitKey {
  readonly type: TransitKeyType;
  readonly versions: KeyObject[];
  minAvailableVersion: number;
}

const ROUTE = /^\/v1\/(.+)\/(keys|sign)\/([A-Za-z0-9._-]+)$/;

/**
 * The transit engine of Vault and OpenBao as far as signing goes: real paths, token and namespace headers, key versions,
 * and their rules: without `prehashed` an input is hashed, with it the input is taken for the hash; RSA is PSS unless
 * asked otherwise, with the longest salt unless asked otherwise; Ed25519 signs the input; a sealed one answers 503.
 */
export class FakeVault {
  readonly requests: { readonly path: string; readonly body: SignBody }[] = [];
  token = 'hvs.test-token';
  namespace: string | undefined;
  sealed = false;
  /** Paths that the token's policy does not allow. */
  readonly forbidden = new Set<string>();
  private readonly keys = new Map<string, TransitKey>();
  private readonly plans: VaultFault[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeVault> {
    const server = createServer();
    const fake = new FakeVault(server);
    server.on('request', (request, response) => void fake.serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  createKey(name: string, type: TransitKeyType): void {
    this.keys.set(name, { type, versions: [generate(type)], minAvailableVersion: 1 });
  }

  /** A new version, which is the newest from now on. */
  rotate(name: string): void {
    const key = this.keys.get(name);
    key?.versions.push(generate(key.type));
  }

  plan(...faults: readonly VaultFault[]): void {
    this.plans.push(...faults);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const fault = this.plans.shift();
    if (fault === 'slow') return;
    if (fault === 'down') {
      request.socket.destroy();
      return;
    }
    if (fault === 'garbage') {
      response.writeHead(200).end('{"data":');
      return;
    }
    const [status, body] = this.answer(request, Buffer.concat(chunks).toString('utf8'), fault);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  private answer(request: IncomingMessage, text: string, fault: VaultFault | undefined): [number, object] {
    if (fault === 'throttle') return refused(429, 'request path "transit": rate limit quota exceeded');
    if (fault === 'server-error') return refused(500, '1 error occurred');
    if (this.sealed) return refused(503, 'Vault is sealed');
    const { headers, method = '', url = '' } = request;
    if (headers['x-vault-namespace'] !== this.namespace) return refused(403, 'permission denied');
    if (headers['x-vault-token'] !== this.token || this.forbidden.has(url))
      return refused(403, 'permission denied');
    const [, mount, operation, name = ''] = ROUTE.exec(url) ?? [];
    if (mount !== 'transit') return refused(404, 'no handler for route');
    const key = this.keys.get(name);
    if (method === 'GET' && operation === 'keys')
      return key ? [200, { data: describe(name, key) }] : [404, { errors: [] }];
    if (method !== 'POST' || operation !== 'sign') return refused(405, 'unsupported operation');
    if (key === undefined) return refused(400, 'signing key not found');
    const body = JSON.parse(text) as SignBody;
    this.requests.push({ path: url, body });
    return this.sign(key, body, fault);
  }

  private sign(key: TransitKey, body: SignBody, fault: VaultFault | undefined): [number, object] {
    const version = Number(body.key_version ?? 0) || key.versions.length;
    const secret = key.versions[version - 1];
    if (key.type === 'aes256-gcm96') return refused(400, `key type ${key.type} does not support signing`);
    if (secret === undefined || version < key.minAvailableVersion)
      return refused(400, 'cannot sign: version is too old (disallowed by policy) or does not exist');
    const hash = (body.hash_algorithm ?? 'sha2-256').replace('sha2-', 'sha');
    if (hash !== 'sha256' && hash !== 'sha384') return refused(400, 'invalid hash algorithm');
    const input = Buffer.from(body.input ?? '', 'base64');
    const digest = body.prehashed === true ? input : createHash(hash).update(input).digest();
    const signature =
      key.type === 'ed25519' ? ed25519(secret, input, body) : hashed(secret, hash, digest, body);
    if (signature === undefined) return refused(400, 'crypto/rsa: input must be hashed message');
    if (fault === 'flip-bit') signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    const named = fault === 'other-version' ? version + 1 : version;
    return [
      200,
      { data: { signature: `vault:v${named}:${signature.toString('base64')}`, key_version: named } },
    ];
  }
}

/** With `prehashed` the newer ones make Ed25519ph, which is another signature. */
function ed25519(secret: KeyObject, input: Buffer, body: SignBody): Buffer {
  const prehash = body.prehashed === true ? Buffer.from('prehashed') : Buffer.alloc(0);
  return sign(null, Buffer.concat([prehash, input]), secret);
}

function hashed(
  secret: KeyObject,
  hash: 'sha256' | 'sha384',
  digest: Buffer,
  body: SignBody,
): Buffer | undefined {
  if (secret.asymmetricKeyType === 'ec') return signDigest(secret, hash, digest, 'hash');
  if (digest.length !== (hash === 'sha384' ? 48 : 32) || body.signature_algorithm === 'pkcs1v15')
    return undefined;
  return signDigest(secret, hash, digest, body.salt_length === 'hash' ? 'hash' : 'max');
}

function refused(status: number, reason: string): [number, object] {
  return [status, { errors: [reason] }];
}

function describe(name: string, key: TransitKey): object {
  const entries = key.versions.map((secret, index) => [
    String(index + 1),
    key.type === 'aes256-gcm96'
      ? 1764000000
      : { name: key.type, creation_time: '2026-11-29T00:00:00Z', public_key: publicText(secret) },
  ]);
  return {
    name,
    type: key.type,
    latest_version: key.versions.length,
    min_available_version: 0,
    supports_signing: key.type !== 'aes256-gcm96',
    keys: Object.fromEntries(entries) as object,
  };
}

function publicText(secret: KeyObject): string {
  const key = createPublicKey(secret);
  if (key.asymmetricKeyType === 'ed25519')
    return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64');
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function generate(type: TransitKeyType): KeyObject {
  if (type === 'rsa-2048') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  return generateKeyPairSync('ec', { namedCurve: type === 'ecdsa-p384' ? 'P-384' : 'P-256' }).privateKey;
}
