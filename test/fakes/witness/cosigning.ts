import {
  type AddCheckpointRequest,
  formatCosignatureAnswer,
  formatTreeSizeAnswer,
  parseAddCheckpoint,
  TREE_SIZE_CONTENT_TYPE,
} from '../../../src/audit/core/add-checkpoint.js';
import { type OpenedCheckpoint, openCheckpoint } from '../../../src/audit/core/checkpoint.js';
import { emptyRoot } from '../../../src/audit/core/merkle.js';
import { verifyConsistency } from '../../../src/audit/core/merkle-proof.js';
import {
  formatSignatureLine,
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  parseNote,
} from '../../../src/audit/core/signed-note.js';
import { TlogError } from '../../../src/audit/core/tlog-error.js';
import { type WitnessState } from './witness-state.js';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
}

export function words(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: Buffer.from(`${text}\n`) };
}

export function sizeAnswer(size: number): Answer {
  return { status: 409, contentType: TREE_SIZE_CONTENT_TYPE, body: formatTreeSizeAnswer(size) };
}

export function signatureAnswer(signatures: readonly NoteSignature[]): Answer {
  return { status: 200, contentType: 'text/plain; charset=utf-8', body: formatCosignatureAnswer(signatures) };
}

/** The call add-checkpoint of C2SP tlog-witness v1.0.0, in the order of checks that the specification gives. */
export function cosign(
  body: Uint8Array,
  logs: ReadonlyMap<string, NoteVerifier>,
  state: WitnessState,
  signer: NoteSigner,
): Answer {
  const read = readRequest(body, logs);
  if ('status' in read) return read;
  const { request, opened } = read;
  const { origin, size, root } = opened.checkpoint;
  if (request.oldSize > size) return words(400, 'the old size is larger than the checkpoint');
  const seen = state.get(origin) ?? { size: 0, root: emptyRoot() };
  if (request.oldSize !== seen.size) return sizeAnswer(seen.size);
  const claim = { oldSize: seen.size, oldRoot: seen.root, newSize: size, newRoot: root };
  if (refusal(() => verifyConsistency(claim, request.proof)) !== undefined) {
    return words(422, 'the proof does not lead from what was seen to this checkpoint');
  }
  const signature = { ...signer, signature: signNow(signer, opened.text) };
  const note = Buffer.concat([request.checkpoint, Buffer.from(formatSignatureLine(signature))]);
  // No await since the state was read: nobody can have come between.
  state.set(origin, { size, root: Buffer.from(root), note: note.toString('utf8') });
  return signatureAnswer([signature]);
}

function readRequest(
  body: Uint8Array,
  logs: ReadonlyMap<string, NoteVerifier>,
): { request: AddCheckpointRequest; opened: OpenedCheckpoint } | Answer {
  try {
    const request = parseAddCheckpoint(body);
    const origin = parseNote(request.checkpoint).text.split('\n')[0] ?? '';
    const log = logs.get(origin);
    if (log === undefined) return words(404, 'unknown origin');
    return { request, opened: openCheckpoint(request.checkpoint, { origin, log }) };
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    const isUnsigned = error.code === 'unknown_key' || error.code === 'bad_signature';
    if (isUnsigned) return words(403, 'no valid signature of the log');
    // Our reader refuses another root of the empty tree at once; on the wire it is a wrong tree, not a wrong form.
    return isEmptyTree(body)
      ? words(422, 'the empty tree has one root only')
      : words(400, 'malformed request');
  }
}

function isEmptyTree(body: Uint8Array): boolean {
  return /^old [0-9]+\n(?:[^\n]+\n)*\n[^\n]+\n0\n[A-Za-z0-9+/]{43}=\n\n/.test(
    Buffer.from(body).toString('utf8'),
  );
}

function refusal(work: () => void): TlogError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof TlogError) return error;
    throw error;
  }
}

export function signNow(signer: NoteSigner, text: string): Uint8Array {
  const signature = signer.sign(Buffer.from(text, 'utf8'));
  if (signature instanceof Promise) throw new Error('the key of a fake lies in memory');
  return signature;
}
