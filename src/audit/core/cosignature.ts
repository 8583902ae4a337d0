import { sign } from 'node:crypto';
import {
  COSIGNATURE_V1,
  ed25519Verifier,
  ED25519,
  type NotePrivateKey,
  type NotePublicKey,
  noteKeyId,
  parseVkey,
  privateKeyObject,
  publicKeyObject,
  publicKeyOf,
  requireType,
  verifyEd25519,
} from './note-key.js';
import type { NoteSigner, NoteVerifier } from './signed-note.js';
import { TlogError } from './tlog-error.js';

/** Ed25519 cosignatures of C2SP tlog-cosignature v1: a witness says "this was the largest tree at this time". */

const TIMESTAMP_BYTES = 8;
const COSIGNATURE_BYTES = TIMESTAMP_BYTES + 64;

/** Signed bytes = "cosignature/v1\n" || "time <unix seconds>\n" || note text. */
function cosignedMessage(timestampSeconds: number, text: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`cosignature/v1\ntime ${timestampSeconds}\n`), text]);
}

/** Time inside a cosignature blob, in Unix seconds. @throws TlogError malformed */
export function cosignatureTime(signature: Uint8Array): number {
  if (signature.length !== COSIGNATURE_BYTES) {
    throw new TlogError('malformed', `a cosignature has ${COSIGNATURE_BYTES} bytes after its key id`);
  }
  const seconds = secondsOf(signature);
  if (seconds === undefined) {
    throw new TlogError('malformed', 'the time of a cosignature is 2^53 seconds or later');
  }
  return seconds;
}

/** `undefined` for a time that no number of this language holds: no clock tells it. */
function secondsOf(signature: Uint8Array): number | undefined {
  const seconds = Buffer.from(signature.subarray(0, TIMESTAMP_BYTES)).readBigUInt64BE(0);
  return seconds > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(seconds);
}

/** @throws TlogError malformed for a key of another type than 0x04 */
export function cosignatureVerifier(key: NotePublicKey): NoteVerifier {
  requireType(key.type, COSIGNATURE_V1);
  const publicKey = publicKeyObject(key);
  return {
    name: key.name,
    keyId: noteKeyId(key),
    verify: (text, signature) => {
      if (signature.length !== COSIGNATURE_BYTES) return false;
      // The sender chooses the time: one that cannot be read is a bad signature and no fault of who asked.
      const seconds = secondsOf(signature);
      if (seconds === undefined) return false;
      return verifyEd25519(publicKey, cosignedMessage(seconds, text), signature.subarray(TIMESTAMP_BYTES));
    },
  };
}

/** Signer of a witness. `nowSeconds` gives the time of each cosignature in Unix seconds. */
export function cosignatureSigner(key: NotePrivateKey, nowSeconds: () => number): NoteSigner {
  requireType(key.type, COSIGNATURE_V1);
  const privateKey = privateKeyObject(key);
  return {
    name: key.name,
    keyId: noteKeyId(publicKeyOf(key)),
    sign: (text) => {
      const seconds = nowSeconds();
      const timestamp = Buffer.alloc(TIMESTAMP_BYTES);
      timestamp.writeBigUInt64BE(BigInt(seconds));
      return Buffer.concat([timestamp, sign(null, cosignedMessage(seconds, text), privateKey)]);
    },
  };
}

/** The verifier that a vkey's own type asks for: 0x01 a log or note key, 0x04 a witness. @throws TlogError malformed */
export function verifierFromVkey(vkey: string): NoteVerifier {
  const key = parseVkey(vkey);
  return key.type === ED25519 ? ed25519Verifier(key) : cosignatureVerifier(key);
}
