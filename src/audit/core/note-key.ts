import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { sha256 } from '../../shared/bytes.js';
import { isValidKeyName, type NoteSigner, type NoteVerifier } from './signed-note.js';
import { encodeUtf8, formatBase64, parseBase64 } from './strict-encoding.js';
import { TlogError } from './tlog-error.js';

/** Keys of signed notes in their text forms: verifier keys ("vkey") and the private form that Go tools write. */

/** Signature type bytes of C2SP signed-note that this program knows. */
export const ED25519 = 0x01;
export const COSIGNATURE_V1 = 0x04;

export type NoteKeyType = typeof ED25519 | typeof COSIGNATURE_V1;

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** DER headers that turn 32 raw Ed25519 bytes into SPKI and PKCS#8 (RFC 8410 sections 4 and 7). */
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface NotePublicKey {
  readonly name: string;
  readonly type: NoteKeyType;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

export interface NotePrivateKey {
  readonly name: string;
  readonly type: NoteKeyType;
  /** Ed25519 seed, 32 bytes. Secret. */
  readonly seed: Uint8Array;
}

/** Key id = SHA-256(name || 0x0A || type || public key)[:4], big-endian (C2SP signed-note, "Signatures"). */
export function noteKeyId(key: NotePublicKey): number {
  const hash = sha256(encodeUtf8(key.name, 'the key name'), '\n', Uint8Array.of(key.type), key.publicKey);
  return hash.readUInt32BE(0);
}

/** vkey = name + "+" + 8 hex digits of the key id + "+" + base64(type || public key). */
export function formatVkey(key: NotePublicKey): string {
  requireKey(key.name, key.publicKey);
  return `${key.name}+${hexKeyId(noteKeyId(key))}+${formatBase64(typed(key.type, key.publicKey))}`;
}

/** Longest key text that is read: the name is a URL, the rest has under 60 characters. */
const MAX_KEY_TEXT = 4096;

/**
 * The points of the curve whose order divides 8, in every encoding, without the sign bit. Nobody holds a private key of
 * one of them: signatures that verify under it can be made by anybody for many texts (order 1: one for all texts), so
 * who signed with it could always deny it. RFC 8032 section 5.1.7 does not ask for this check, and OpenSSL makes none.
 */
const WEAK_POINTS: ReadonlySet<string> = new Set([
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
]);

function isWeak(publicKey: Uint8Array): boolean {
  const point = Buffer.from(publicKey);
  point[KEY_BYTES - 1] = (point[KEY_BYTES - 1] ?? 0) & 0x7f;
  return WEAK_POINTS.has(point.toString('hex'));
}

/** @throws TlogError malformed for anything but a vkey of type 0x01 or 0x04 whose key id is right, and for weak keys */
export function parseVkey(text: string): NotePublicKey {
  const { name, hexId, type, bytes } = parseKeyText(text, 'the verifier key');
  if (isWeak(bytes)) throw new TlogError('malformed', 'the verifier key is one for which anybody can sign');
  const key: NotePublicKey = { name, type, publicKey: bytes };
  if (hexKeyId(noteKeyId(key)) !== hexId) {
    throw new TlogError('malformed', 'the key id of the verifier key does not fit its name and key');
  }
  return key;
}

const PRIVATE_PREFIX = 'PRIVATE+KEY+';

/** Private form of golang.org/x/mod/sumdb/note: PRIVATE+KEY+name+8 hex digits+base64(type || seed). Secret. */
export function formatPrivateKey(key: NotePrivateKey): string {
  const publicKey = publicKeyOf(key);
  requireKey(key.name, publicKey.publicKey);
  return `${PRIVATE_PREFIX}${key.name}+${hexKeyId(noteKeyId(publicKey))}+${formatBase64(typed(key.type, key.seed))}`;
}

/** The inverse of {@link formatPrivateKey}. Its error messages never quote the key. @throws TlogError malformed */
export function parsePrivateKey(text: string): NotePrivateKey {
  if (!text.startsWith(PRIVATE_PREFIX)) {
    throw new TlogError('malformed', 'the private key does not begin with PRIVATE+KEY+');
  }
  const { name, hexId, type, bytes } = parseKeyText(text.slice(PRIVATE_PREFIX.length), 'the private key');
  const key: NotePrivateKey = { name, type, seed: bytes };
  if (hexKeyId(noteKeyId(publicKeyOf(key))) !== hexId) {
    throw new TlogError('malformed', 'the key id of the private key does not fit its name and key');
  }
  return key;
}

export function generatePrivateKey(name: string, type: NoteKeyType): NotePrivateKey {
  if (!isValidKeyName(name)) throw new TlogError('malformed', 'the key name is not allowed');
  return { name, type, seed: randomBytes(KEY_BYTES) };
}

export function publicKeyOf(key: NotePrivateKey): NotePublicKey {
  const der = createPublicKey(privateKeyObject(key)).export({ format: 'der', type: 'spki' });
  return { name: key.name, type: key.type, publicKey: der.subarray(SPKI_HEADER.length) };
}

/** Ed25519 over the note text (type 0x01, RFC 8032). @throws TlogError malformed for a key of another type */
export function ed25519Verifier(key: NotePublicKey): NoteVerifier {
  requireType(key.type, ED25519);
  const publicKey = publicKeyObject(key);
  return {
    name: key.name,
    keyId: noteKeyId(key),
    verify: (text, signature) => verifyEd25519(publicKey, text, signature),
  };
}

/** Signer of the same kind as {@link ed25519Verifier}, for a key that lies in memory. */
export function ed25519Signer(key: NotePrivateKey): NoteSigner {
  requireType(key.type, ED25519);
  const privateKey = privateKeyObject(key);
  return {
    name: key.name,
    keyId: noteKeyId(publicKeyOf(key)),
    sign: (text) => sign(null, text, privateKey),
  };
}

export function publicKeyObject(key: NotePublicKey): KeyObject {
  requireKey(key.name, key.publicKey);
  return createPublicKey({ key: Buffer.concat([SPKI_HEADER, key.publicKey]), format: 'der', type: 'spki' });
}

export function privateKeyObject(key: NotePrivateKey): KeyObject {
  requireKey(key.name, key.seed);
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEADER, key.seed]), format: 'der', type: 'pkcs8' });
}

export function verifyEd25519(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === SIGNATURE_BYTES && verify(null, message, key, signature);
}

export function requireType(actual: NoteKeyType, expected: NoteKeyType): void {
  if (actual !== expected) {
    throw new TlogError('malformed', `the key has signature type ${actual}, expected ${expected}`);
  }
}

interface KeyText {
  readonly name: string;
  readonly hexId: string;
  readonly type: NoteKeyType;
  readonly bytes: Uint8Array;
}

function parseKeyText(text: string, what: string): KeyText {
  // The base64 part may itself hold plus signs, the name and the id may not.
  const match = text.length <= MAX_KEY_TEXT ? /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(text) : null;
  const [, name = '', hexId = '', base64 = ''] = match ?? [];
  if (!match || !isValidKeyName(name)) {
    throw new TlogError('malformed', `${what} is not <name>+<8 hex digits>+<base64>`);
  }
  const [type, ...bytes] = parseBase64(base64, what);
  if (type !== ED25519 && type !== COSIGNATURE_V1) {
    throw new TlogError('malformed', `${what} has a signature type other than 1 and 4`);
  }
  if (bytes.length !== KEY_BYTES) throw new TlogError('malformed', `${what} does not hold 32 bytes`);
  return { name, hexId, type, bytes: Uint8Array.from(bytes) };
}

function requireKey(name: string, bytes: Uint8Array): void {
  if (!isValidKeyName(name)) throw new TlogError('malformed', 'the key name is not allowed');
  if (bytes.length !== KEY_BYTES) throw new TlogError('malformed', 'an Ed25519 key has 32 bytes');
}

function typed(type: NoteKeyType, bytes: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(type), bytes]);
}

function hexKeyId(keyId: number): string {
  return keyId.toString(16).padStart(8, '0');
}
