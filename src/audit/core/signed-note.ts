import { encodeUtf8, formatBase64, parseBase64, parseUtf8 } from './strict-encoding.js';
import { TlogError } from './tlog-error.js';

/** Signed notes, C2SP signed-note v1.0.0: text, a blank line, and one line for each signature. */

/** Above this a note is not read at all. A checkpoint with 16 post-quantum cosignatures has about 60 kB. */
export const MAX_NOTE_BYTES = 1_048_576;

/** The specification asks for at least 16; a note with more than this is refused before any is verified. */
export const MAX_NOTE_SIGNATURES = 100;

const KEY_ID_BYTES = 4;
const SIGNATURE_PREFIX = '\u2014 ';
const BLANK_LINE = '\n\n';

export interface NoteSignature {
  /** Name of the key, e.g. the origin of a log or the name of a witness. */
  readonly name: string;
  /** First four bytes of the key's hash, as unsigned integer. A hint for finding the key, not an identity. */
  readonly keyId: number;
  /** Signature bytes after the key id. */
  readonly signature: Uint8Array;
}

export interface SignedNote {
  /** What is signed, with its final newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A key that a verifier trusts. */
export interface NoteVerifier {
  readonly name: string;
  readonly keyId: number;
  verify(text: Uint8Array, signature: Uint8Array): boolean;
}

/** A key that signs notes; asynchronous where it lies in a key management service. */
export interface NoteSigner {
  readonly name: string;
  readonly keyId: number;
  sign(text: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

export interface OpenedNote {
  readonly text: string;
  /** Signatures by trusted keys, verified; at most one for each key, the first in the note. */
  readonly verified: readonly NoteSignature[];
  /** Signatures by keys that the verifier does not know. They prove nothing. */
  readonly unverified: readonly NoteSignature[];
}

/** A control character below U+0020 other than newline: a character of class Cc that is no other member of it. */
const FORBIDDEN_CONTROL = /[^\P{Cc}\n\x7f-\x9f]/u;

/** Non-empty, no Unicode white space, no plus sign, no control character below U+0020. */
export function isValidKeyName(name: string): boolean {
  return name.length > 0 && !/[\p{White_Space}\p{Surrogate}+]/u.test(name) && !FORBIDDEN_CONTROL.test(name);
}

/**
 * Reads a note without verifying anything. The text reaches to the last blank line.
 * @throws TlogError malformed, limit_exceeded
 */
export function parseNote(bytes: Uint8Array): SignedNote {
  if (bytes.length > MAX_NOTE_BYTES) {
    throw new TlogError('limit_exceeded', `the note is larger than ${MAX_NOTE_BYTES} bytes`);
  }
  const note = parseUtf8(bytes, 'the note');
  requireNoControls(note);
  const split = note.lastIndexOf(BLANK_LINE);
  if (split < 0) throw new TlogError('malformed', 'the note has no blank line before its signatures');
  const block = note.slice(split + BLANK_LINE.length);
  if (!block.endsWith('\n')) {
    throw new TlogError('malformed', 'the note does not end with a signature line and a newline');
  }
  const lines = block.slice(0, -1).split('\n');
  if (lines.length > MAX_NOTE_SIGNATURES) {
    throw new TlogError('limit_exceeded', `the note has more than ${MAX_NOTE_SIGNATURES} signatures`);
  }
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
}

/** One line `\u2014 <name> <base64(key id || signature)>`, without its newline. @throws TlogError malformed */
export function parseSignatureLine(line: string): NoteSignature {
  const [name = '', base64 = '', ...rest] = line.slice(SIGNATURE_PREFIX.length).split(' ');
  if (!line.startsWith(SIGNATURE_PREFIX) || rest.length > 0 || !isValidKeyName(name)) {
    throw new TlogError('malformed', 'a signature line is not "\u2014 <name> <base64>"');
  }
  const bytes = parseBase64(base64, 'a signature');
  if (bytes.length <= KEY_ID_BYTES) throw new TlogError('malformed', 'a signature holds only its key id');
  return { name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** The line of one signature, with its newline. */
export function formatSignatureLine(signature: NoteSignature): string {
  if (!isValidKeyName(signature.name)) throw new TlogError('malformed', 'the key name is not allowed');
  const keyId = Buffer.alloc(KEY_ID_BYTES);
  keyId.writeUInt32BE(signature.keyId);
  const blob = Buffer.concat([keyId, signature.signature]);
  return `${SIGNATURE_PREFIX}${signature.name} ${formatBase64(blob)}\n`;
}

/**
 * Bytes of a note: text || newline || signature lines. What it writes, {@link parseNote} reads back.
 * @throws TlogError malformed, limit_exceeded
 */
export function formatNote(note: SignedNote): Buffer {
  requireNoteText(note.text);
  if (note.signatures.length === 0) throw new TlogError('malformed', 'a note has at least one signature');
  if (note.signatures.length > MAX_NOTE_SIGNATURES) {
    throw new TlogError('limit_exceeded', `a note has at most ${MAX_NOTE_SIGNATURES} signatures`);
  }
  return encodeUtf8(`${note.text}\n${note.signatures.map(formatSignatureLine).join('')}`, 'the note');
}

/** Signs a text with each key, in the given order. @throws TlogError malformed */
export async function signNote(text: string, signers: readonly NoteSigner[]): Promise<Buffer> {
  requireNoteText(text);
  const message = encodeUtf8(text, 'the note text');
  const signatures: NoteSignature[] = [];
  for (const signer of signers) {
    const signature = await signer.sign(message);
    signatures.push({ name: signer.name, keyId: signer.keyId, signature });
  }
  return formatNote({ text, signatures });
}

/**
 * Verifies every signature by a trusted key. One that fails condemns the whole note, also when another signature
 * by the same key is good; signatures by unknown keys are set aside, also when their name or their id (but not
 * both) is that of a trusted key.
 * @throws TlogError malformed, limit_exceeded, ambiguous_key, bad_signature, unknown_key
 */
export function openNote(bytes: Uint8Array, trusted: readonly NoteVerifier[]): OpenedNote {
  const keys = keysByIdentity(trusted);
  const { text, signatures } = parseNote(bytes);
  const message = encodeUtf8(text, 'the note text');
  const verified = new Map<NoteVerifier, NoteSignature>();
  const unverified: NoteSignature[] = [];
  for (const signature of signatures) {
    const key = keys.get(keyIdentity(signature));
    if (key === undefined) {
      unverified.push(signature);
    } else if (!key.verify(message, signature.signature)) {
      throw new TlogError('bad_signature', `a signature by the trusted key ${key.name} does not verify`);
    } else if (!verified.has(key)) {
      verified.set(key, signature);
    }
  }
  if (verified.size === 0) throw new TlogError('unknown_key', 'no signature is by a trusted key');
  return { text, verified: [...verified.values()], unverified };
}

function keysByIdentity(trusted: readonly NoteVerifier[]): Map<string, NoteVerifier> {
  const keys = new Map<string, NoteVerifier>();
  for (const key of trusted) {
    const identity = keyIdentity(key);
    if (keys.has(identity)) {
      throw new TlogError('ambiguous_key', `two trusted keys named ${key.name} share one key id`);
    }
    keys.set(identity, key);
  }
  return keys;
}

/** Name and id together; a name holds no space, so two pairs never look alike. */
function keyIdentity(key: { name: string; keyId: number }): string {
  return `${key.keyId} ${key.name}`;
}

function requireNoteText(text: string): void {
  if (!text.endsWith('\n')) throw new TlogError('malformed', 'the note text does not end with a newline');
  requireNoControls(text);
}

function requireNoControls(text: string): void {
  if (FORBIDDEN_CONTROL.test(text)) {
    throw new TlogError('malformed', 'the note holds a control character other than newline');
  }
}
