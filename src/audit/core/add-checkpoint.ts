import { HASH_BYTES, type Hash, requireHash, requireSize } from './merkle.js';
import {
  formatSignatureLine,
  MAX_NOTE_BYTES,
  MAX_NOTE_SIGNATURES,
  type NoteSignature,
  parseNote,
  parseSignatureLine,
} from './signed-note.js';
import { encodeUtf8, formatBase64, parseBase64, parseDecimal, parseUtf8 } from './strict-encoding.js';
import { TlogError } from './tlog-error.js';

/** Messages of the call add-checkpoint of C2SP tlog-witness v1.0.0, written and read. */

/** A client MUST NOT send more consistency proof lines. */
const MAX_PROOF_HASHES = 63;
const MAX_HEADER_BYTES = 4096;
/** 20 digits and a newline are the longest 64-bit size. */
const MAX_SIZE_ANSWER_BYTES = 21;

export const MAX_ADD_CHECKPOINT_BYTES = MAX_NOTE_BYTES + MAX_HEADER_BYTES;

/** Above this an answer is not read. 16 post-quantum cosignatures have about 55 kB. */
export const MAX_COSIGNATURE_ANSWER_BYTES = 65_536;

/** Content type of the answer 409, which names the size that the witness cosigned last. */
export const TREE_SIZE_CONTENT_TYPE = 'text/x.tlog.size';

export interface AddCheckpointRequest {
  /** Size of the checkpoint that this witness cosigned last, 0 when it never did. */
  readonly oldSize: number;
  /** Consistency proof from the old size to that of the checkpoint; empty from 0 and between equal sizes. */
  readonly proof: readonly Hash[];
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: Uint8Array;
}

/** @throws TlogError out_of_range, malformed, limit_exceeded */
export function formatAddCheckpoint(request: AddCheckpointRequest): Buffer {
  requireSize(request.oldSize, 'old size');
  for (const hash of request.proof) requireHash(hash, 'proof hash');
  requireProofLength(request.proof.length);
  // A witness refuses what is no signed note; find it before it is sent.
  parseNote(request.checkpoint);
  const header = [`old ${request.oldSize}`, ...request.proof.map(formatBase64), '', ''].join('\n');
  return Buffer.concat([Buffer.from(header, 'ascii'), request.checkpoint]);
}

/** Reads a request as a witness does. It verifies neither signature nor proof. @throws TlogError malformed, limit_exceeded */
export function parseAddCheckpoint(bytes: Uint8Array): AddCheckpointRequest {
  if (bytes.length > MAX_ADD_CHECKPOINT_BYTES) {
    throw new TlogError('limit_exceeded', `the request is larger than ${MAX_ADD_CHECKPOINT_BYTES} bytes`);
  }
  const text = parseUtf8(bytes, 'the request');
  const split = text.indexOf('\n\n');
  if (split < 0) throw new TlogError('malformed', 'the request has no empty line before its checkpoint');
  const [oldLine = '', ...hashLines] = text.slice(0, split).split('\n');
  if (!oldLine.startsWith('old ')) throw new TlogError('malformed', 'the first line is not "old <size>"');
  requireProofLength(hashLines.length);
  const checkpoint = encodeUtf8(text.slice(split + 2), 'the checkpoint');
  parseNote(checkpoint);
  return {
    oldSize: parseDecimal(oldLine.slice('old '.length), 'the old size'),
    proof: hashLines.map(parseHashLine),
    checkpoint,
  };
}

function requireProofLength(count: number): void {
  if (count > MAX_PROOF_HASHES) {
    throw new TlogError('limit_exceeded', `the request has more than ${MAX_PROOF_HASHES} proof lines`);
  }
}

function parseHashLine(line: string): Hash {
  const hash = parseBase64(line, 'a proof hash');
  if (hash.length !== HASH_BYTES) throw new TlogError('malformed', 'a proof hash is not 32 bytes long');
  return hash;
}

/** Body of the answer 200. @throws TlogError malformed */
export function formatCosignatureAnswer(signatures: readonly NoteSignature[]): Buffer {
  requireSignatureCount(signatures.length);
  return encodeUtf8(signatures.map(formatSignatureLine).join(''), 'the cosignatures');
}

/** Reads the body of the answer 200; the signatures are not verified. @throws TlogError malformed, limit_exceeded */
export function parseCosignatureAnswer(bytes: Uint8Array): NoteSignature[] {
  if (bytes.length > MAX_COSIGNATURE_ANSWER_BYTES) {
    throw new TlogError('limit_exceeded', `the answer is larger than ${MAX_COSIGNATURE_ANSWER_BYTES} bytes`);
  }
  const text = parseUtf8(bytes, 'the answer');
  if (!text.endsWith('\n')) throw new TlogError('malformed', 'the answer does not end with a newline');
  const lines = text.slice(0, -1).split('\n');
  requireSignatureCount(lines.length);
  return lines.map(parseSignatureLine);
}

function requireSignatureCount(count: number): void {
  if (count === 0) throw new TlogError('malformed', 'the answer holds no cosignature');
  if (count > MAX_NOTE_SIGNATURES) {
    throw new TlogError('limit_exceeded', `the answer holds more than ${MAX_NOTE_SIGNATURES} signatures`);
  }
}

/** Body of the answer 409. @throws TlogError out_of_range */
export function formatTreeSizeAnswer(size: number): Buffer {
  requireSize(size, 'tree size');
  return Buffer.from(`${size}\n`, 'ascii');
}

/** Reads the body of the answer 409. @throws TlogError malformed, limit_exceeded */
export function parseTreeSizeAnswer(bytes: Uint8Array): number {
  if (bytes.length > MAX_SIZE_ANSWER_BYTES) throw new TlogError('limit_exceeded', 'the size is too long');
  const text = parseUtf8(bytes, 'the size');
  if (!text.endsWith('\n')) throw new TlogError('malformed', 'the size does not end with a newline');
  return parseDecimal(text.slice(0, -1), 'the size');
}
