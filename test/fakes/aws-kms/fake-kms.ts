import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  privateEncrypt,
  sign,
} from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { signDigest } from '../sign-digest.js';

/**
 * AWS KMS as far as signing goes, in its own protocol (JSON 1.1 over POST /, `X-Amz-Target`), and as strict as the real
 * service is documented to be: a digest is signed as it is and not hashed again, its length must be that of the
 * algorithm's hash, a RAW message has at most 4,096 bytes, RSASSA_PSS has a salt as long as the hash, and Ed25519 wants
 * RAW. Requests without a SigV4 header are refused; the header's signature is not recomputed.
 */
export const KEY_SPECS = [
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'RSA_2048',
  'ECC_NIST_EDWARDS25519',
  'ECC_SECG_P256K1',
] as const;
export type KeySpec = (typeof KEY_SPECS)[number];

/** What goes wrong with one request. Plans are used up in order. */
export type KmsFault =
  | 'throttle'
  | 'server-error'
  | 'internal'
  | 'down'
  | 'slow'
  | 'flip-bit'
  | 'other-key'
  | 'other-algorithm'
  | 'garbage'
  | 'access-denied';

interface FakeKey {
  readonly arn: string;
  readonly spec: KeySpec;
  readonly usage: string;
  readonly privateKey: KeyObject;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
}

interface KmsBody {
  readonly KeyId?: string;
  readonly SigningAlgorithm?: string;
  readonly MessageType?: string;
  readonly Message?: string;
}

const REGION = 'eu-central-1';
const ACCOUNT = '111122223333';
const MAX_RAW_BYTES = 4096;

const ALGORITHMS: Readonly<Record<KeySpec, readonly string[]>> = {
  ECC_NIST_P256: ['ECDSA_SHA_256'],
  ECC_NIST_P384: ['ECDSA_SHA_384'],
  ECC_SECG_P256K1: ['ECDSA_SHA_256'],
  RSA_2048: ['RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_384', 'RSASSA_PKCS1_V1_5_SHA_256'],
  ECC_NIST_EDWARDS25519: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'],
};

class KmsError extends Error {
  constructor(
    readonly type: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

export class FakeKms {
  readonly region = REGION;
  readonly requests: { readonly operation: string; readonly body: KmsBody }[] = [];
  private readonly keys = new Map<string, FakeKey>();
  private readonly aliases = new Map<string, string>();
  private readonly plans: KmsFault[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeKms> {
    const server = createServer();
    const fake = new FakeKms(server);
    server.on('request', (request, response) => void fake.serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  createKey(spec: KeySpec, usage = 'SIGN_VERIFY'): string {
    const id = crypto.randomUUID();
    const arn = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`;
    this.keys.set(arn, { arn, spec, usage, privateKey: generate(spec), state: 'Enabled' });
    return arn;
  }

  setAlias(name: string, arn: string): void {
    this.aliases.set(name, arn);
  }

  setState(arn: string, state: FakeKey['state']): void {
    const key = this.keys.get(arn);
    if (key) key.state = state;
  }

  plan(...faults: readonly KmsFault[]): void {
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
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end('<html>');
      return;
    }
    try {
      refusePlanned(fault);
      const operation = checkedOperation(request);
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as KmsBody;
      this.requests.push({ operation, body });
      respond(response, 200, this.answer(operation, body, fault));
    } catch (error) {
      const known = error instanceof KmsError ? error : new KmsError('SerializationException', 'unreadable');
      respond(response, known.status, { __type: known.type, message: known.message });
    }
  }

  private answer(operation: string, body: KmsBody, fault: KmsFault | undefined): object {
    const key = this.find(body.KeyId ?? '');
    if (key.state === 'Disabled') throw new KmsError('DisabledException', `${key.arn} is disabled.`);
    if (key.state === 'PendingDeletion')
      throw new KmsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
    const other = `${key.arn.slice(0, -1)}${key.arn.endsWith('0') ? '1' : '0'}`;
    const described = fault === 'other-key' ? other : key.arn;
    if (operation === 'GetPublicKey') {
      return {
        KeyId: described,
        KeySpec: key.spec,
        CustomerMasterKeySpec: key.spec,
        KeyUsage: key.usage,
        PublicKey: createPublicKey(key.privateKey).export({ type: 'spki', format: 'der' }).toString('base64'),
        ...(key.usage === 'SIGN_VERIFY' && { SigningAlgorithms: ALGORITHMS[key.spec] }),
      };
    }
    const algorithm = body.SigningAlgorithm ?? '';
    const signature = this.sign(
      key,
      algorithm,
      body.MessageType ?? 'RAW',
      Buffer.from(body.Message ?? '', 'base64'),
    );
    if (fault === 'flip-bit') signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    return {
      KeyId: described,
      SigningAlgorithm: fault === 'other-algorithm' ? 'RSASSA_PKCS1_V1_5_SHA_256' : algorithm,
      Signature: signature.toString('base64'),
    };
  }

  private sign(key: FakeKey, algorithm: string, messageType: string, message: Buffer): Buffer {
    if (key.usage !== 'SIGN_VERIFY') throw new KmsError('InvalidKeyUsageException', 'not a signing key');
    if (!ALGORITHMS[key.spec].includes(algorithm))
      throw new KmsError('InvalidKeyUsageException', `${algorithm} is incompatible with ${key.spec}`);
    if (messageType === 'RAW' && (message.length === 0 || message.length > MAX_RAW_BYTES))
      throw new KmsError('ValidationException', 'Message must have a length of 1 to 4096');
    if (algorithm === 'ED25519_SHA_512') {
      if (messageType !== 'RAW') throw new KmsError('ValidationException', 'ED25519_SHA_512 requires RAW');
      return sign(null, message, key.privateKey);
    }
    const hash = algorithm.endsWith('384') ? 'sha384' : 'sha256';
    const digest = messageType === 'RAW' ? createHash(hash).update(message).digest() : message;
    if (digest.length !== (hash === 'sha384' ? 48 : 32))
      throw new KmsError('ValidationException', `Digest is invalid length for algorithm ${algorithm}.`);
    if (algorithm === 'RSASSA_PKCS1_V1_5_SHA_256') return pkcs1(key.privateKey, digest);
    return signDigest(key.privateKey, hash, digest, 'hash');
  }

  private find(keyId: string): FakeKey {
    const arn = this.aliases.get(keyId) ?? keyId;
    const key = this.keys.get(arn) ?? [...this.keys.values()].find((one) => one.arn.endsWith(`:key/${arn}`));
    if (key === undefined) throw new KmsError('NotFoundException', `Key '${keyId}' does not exist`);
    return key;
  }
}

function refusePlanned(fault: KmsFault | undefined): void {
  if (fault === 'throttle') throw new KmsError('ThrottlingException', 'Rate exceeded');
  if (fault === 'server-error') throw new KmsError('ServiceUnavailableException', 'unavailable', 503);
  if (fault === 'internal') throw new KmsError('KMSInternalException', 'internal', 500);
  if (fault === 'access-denied')
    throw new KmsError('AccessDeniedException', 'User: arn:aws:iam::111122223333:role/x is not authorized');
}

function checkedOperation(request: IncomingMessage): string {
  const { headers, method, url } = request;
  const scope = new RegExp(
    `^AWS4-HMAC-SHA256 Credential=[^/ ]+/\\d{8}/${REGION}/kms/aws4_request, SignedHeaders=[a-z0-9;-]*x-amz-date[a-z0-9;-]*, Signature=[0-9a-f]{64}$`,
  );
  if (method !== 'POST' || url !== '/') throw new KmsError('UnknownOperationException', 'not POST /');
  if (headers['content-type'] !== 'application/x-amz-json-1.1')
    throw new KmsError('SerializationException', 'wrong content type');
  if (!scope.test(headers.authorization ?? '') || headers['x-amz-date'] === undefined)
    throw new KmsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  const [, operation] = /^TrentService\.(Sign|GetPublicKey)$/.exec(String(headers['x-amz-target'])) ?? [];
  if (operation === undefined) throw new KmsError('UnknownOperationException', 'unknown target');
  return operation;
}

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
}

function generate(spec: KeySpec): KeyObject {
  if (spec === 'RSA_2048') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  if (spec === 'ECC_NIST_EDWARDS25519') return generateKeyPairSync('ed25519').privateKey;
  const curves = { ECC_NIST_P256: 'P-256', ECC_NIST_P384: 'P-384', ECC_SECG_P256K1: 'secp256k1' } as const;
  return generateKeyPairSync('ec', { namedCurve: curves[spec] }).privateKey;
}

/** DigestInfo of SHA-256 (RFC 8017 section 9.2). */
function pkcs1(key: KeyObject, digest: Buffer): Buffer {
  const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), digest]);
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info);
}
