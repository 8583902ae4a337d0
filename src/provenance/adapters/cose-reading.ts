import { constants, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { decode, encode } from 'cborg';
import { sha256Hex } from '../../shared/bytes.js';

/**
 * Reads the claim signature of a stranger's manifest (C2PA 2.4 sections 13.2 and 14; COSE_Sign1, RFC 9052). The C2PA
 * library judges it as well; here it is read a second time, because the library knows one trust list for signers and
 * time-stamp authorities together, and says nothing about the signatures of ingredients that were valid when taken in.
 */
export interface ClaimSignatureParts {
  /** The protected header as it was signed. */
  readonly protectedHeader: Uint8Array;
  /** COSE algorithm number. */
  readonly algorithm: number | undefined;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly signature: Uint8Array;
  readonly timeStamps: readonly StampedToken[];
}

export interface StampedToken {
  /** `sigTst2` is over the signature, the older `sigTst` over the claim. */
  readonly header: 'sigTst' | 'sigTst2';
  readonly bytes: Uint8Array;
}

const MAX_SIGNATURE_BYTES = 1024 * 1024;
const MAX_CHAIN = 10;
const MAX_TOKENS = 4;
const HEADER_ALG = 1;
const HEADER_X5CHAIN = 33;
/** CBOR tag 18, COSE_Sign1. */
const TAG_COSE_SIGN1 = 0xd2;

/** `undefined` for what is no COSE_Sign1 with a detached payload. Never throws. */
export function readClaimSignature(cose: Uint8Array): ClaimSignatureParts | undefined {
  if (cose.length > MAX_SIGNATURE_BYTES) return undefined;
  try {
    const body: unknown = decode(cose[0] === TAG_COSE_SIGN1 ? cose.subarray(1) : cose, STRICT);
    if (!Array.isArray(body) || body.length !== 4) return undefined;
    const [protectedHeader, unprotectedHeader, , signature] = body as unknown[];
    if (!(protectedHeader instanceof Uint8Array) || !(signature instanceof Uint8Array)) return undefined;
    const signed = mapOf(protectedHeader.length === 0 ? new Map() : decode(protectedHeader, STRICT));
    const unsigned = mapOf(unprotectedHeader);
    const algorithm = signed.get(HEADER_ALG);
    return {
      protectedHeader,
      algorithm: typeof algorithm === 'number' ? algorithm : undefined,
      // Manifests before version 1.3 have the chain in the unprotected header, under its name.
      chain: chainOf(
        signed.get(HEADER_X5CHAIN) ??
          signed.get('x5chain') ??
          unsigned.get(HEADER_X5CHAIN) ??
          unsigned.get('x5chain'),
      ),
      signature,
      timeStamps: [...tokensOf(unsigned, 'sigTst2'), ...tokensOf(unsigned, 'sigTst')],
    };
  } catch {
    return undefined;
  }
}

const STRICT = { useMaps: true, rejectDuplicateMapKeys: true } as const;

function mapOf(value: unknown): ReadonlyMap<unknown, unknown> {
  return value instanceof Map ? (value as Map<unknown, unknown>) : new Map();
}

function chainOf(value: unknown): Uint8Array[] {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items.slice(0, MAX_CHAIN).filter((item) => item instanceof Uint8Array);
}

function tokensOf(unsigned: ReadonlyMap<unknown, unknown>, header: StampedToken['header']): StampedToken[] {
  const tokens = mapOf(unsigned.get(header)).get('tstTokens');
  if (!Array.isArray(tokens)) return [];
  return (tokens as unknown[])
    .slice(0, MAX_TOKENS)
    .map((token) => mapOf(token).get('val'))
    .filter((bytes) => bytes instanceof Uint8Array)
    .map((bytes) => ({ header, bytes }));
}

/** What a time-stamp of this signature is over: `Countersign_structure` without the content itself (C2PA 2.4 section 10.3.2.5). */
export function stampedMessage(
  parts: ClaimSignatureParts,
  header: StampedToken['header'],
  claim: Uint8Array,
): Uint8Array {
  const payload = header === 'sigTst2' ? encode(parts.signature) : claim;
  return encode(['CounterSignature', parts.protectedHeader, new Uint8Array(0), payload]);
}

interface Algorithm {
  readonly digest: 'sha256' | 'sha384' | 'sha512' | undefined;
  readonly options: object;
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const P1363 = { dsaEncoding: 'ieee-p1363' };
/** RFC 9053 and RFC 8230: the algorithms that C2PA 2.4 section 13.2 allows. */
const ALGORITHMS: ReadonlyMap<number, Algorithm> = new Map([
  [-7, { digest: 'sha256', options: P1363 }],
  [-35, { digest: 'sha384', options: P1363 }],
  [-36, { digest: 'sha512', options: P1363 }],
  [-37, { digest: 'sha256', options: PSS }],
  [-38, { digest: 'sha384', options: PSS }],
  [-39, { digest: 'sha512', options: PSS }],
  [-8, { digest: undefined, options: {} }],
]);

/** Whether the signature is over this claim by the key of its own certificate. Says nothing about whose key that is. */
export function signatureHolds(parts: ClaimSignatureParts, claim: Uint8Array): boolean {
  const algorithm = parts.algorithm === undefined ? undefined : ALGORITHMS.get(parts.algorithm);
  const [leaf] = parts.chain;
  if (algorithm === undefined || leaf === undefined) return false;
  try {
    // Sig_structure, RFC 9052 section 4.4
    const toBeVerified = encode(['Signature1', parts.protectedHeader, new Uint8Array(0), claim]);
    const key = publicKeyOf(leaf);
    return verify(algorithm.digest, toBeVerified, { key, ...algorithm.options }, parts.signature);
  } catch {
    return false;
  }
}

const MAX_KEYS = 200;
const keys = new Map<string, KeyObject>();

/** Thousands of files are signed by one certificate, and reading it costs more than checking a signature. */
function publicKeyOf(certificate: Uint8Array): KeyObject {
  const sha256 = sha256Hex(certificate);
  const known = keys.get(sha256);
  if (known !== undefined) return known;
  const { publicKey } = new X509Certificate(certificate);
  if (keys.size >= MAX_KEYS) keys.clear();
  keys.set(sha256, publicKey);
  return publicKey;
}
