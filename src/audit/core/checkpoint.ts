import { bytesEqual, formatBase64, parseBase64, parseDecimal } from './strict-encoding.js';
import { cosignatureTime } from './cosignature.js';
import { emptyRoot, type Hash, requireHash, requireSize } from './merkle.js';
import {
  isValidKeyName,
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  signNote,
} from './signed-note.js';
import { TlogError } from './tlog-error.js';
import { keyNameOf, type WitnessPolicy } from './witness-policy.js';

/** Checkpoints of C2SP tlog-checkpoint: the tree head as the text of a signed note. */

export interface Checkpoint {
  /** Identity of the log, by convention its address without scheme. */
  readonly origin: string;
  /** Number of entries. */
  readonly size: number;
  /** Root hash of the tree with these entries, 32 bytes. */
  readonly root: Hash;
}

export interface ParsedCheckpoint extends Checkpoint {
  /**
   * Lines after the third. This program writes none (no monitor can audit them); those of other logs are covered
   * by the signatures, kept as they are and given no meaning.
   */
  readonly extensions: readonly string[];
}

/** Text = origin \n size \n base64(root) \n. @throws TlogError malformed, out_of_range */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  // The origin is also the key name, hence the same rules.
  if (!isValidKeyName(checkpoint.origin)) throw new TlogError('malformed', 'the origin is not allowed');
  requireSize(checkpoint.size, 'tree size');
  requireHash(checkpoint.root, 'root hash');
  requireEmptyTree(checkpoint.size, checkpoint.root);
  return `${checkpoint.origin}\n${checkpoint.size}\n${formatBase64(checkpoint.root)}\n`;
}

/** Reads the text of a note as a checkpoint. @throws TlogError malformed, limit_exceeded */
export function parseCheckpoint(text: string): ParsedCheckpoint {
  if (!text.endsWith('\n')) throw new TlogError('malformed', 'the checkpoint does not end with a newline');
  const [origin = '', sizeText = '', rootText = '', ...extensions] = text.slice(0, -1).split('\n');
  if (origin === '' || extensions.includes('')) {
    throw new TlogError('malformed', 'the checkpoint has an empty line');
  }
  const size = parseDecimal(sizeText, 'the tree size');
  const root = parseBase64(rootText, 'the root hash');
  requireHash(root, 'the root hash');
  requireEmptyTree(size, root);
  return { origin, size, root, extensions };
}

function requireEmptyTree(size: number, root: Hash): void {
  if (size === 0 && !bytesEqual(root, emptyRoot())) {
    throw new TlogError('malformed', 'the empty tree has one root only, SHA-256 of nothing');
  }
}

/** A checkpoint as signed note. The log's own key comes first. */
export async function signCheckpoint(
  checkpoint: Checkpoint,
  signers: readonly NoteSigner[],
): Promise<Buffer> {
  return signNote(formatCheckpoint(checkpoint), signers);
}

/** Whom a verifier trusts: one log, and witnesses whose cosignatures it wants to see. */
export interface CheckpointTrust {
  readonly origin: string;
  readonly log: NoteVerifier;
  /** Keys of type cosignature/v1. Their signatures alone never make a checkpoint valid. */
  readonly witnesses?: readonly NoteVerifier[];
  /** Which sets of witnesses are enough; its witnesses are trusted like those above. Its log lines are not used. */
  readonly policy?: WitnessPolicy;
}

/** Keys whose cosignatures are verified. A key that is named twice is taken from `witnesses`. */
export function trustedWitnesses({ witnesses = [], policy }: CheckpointTrust): NoteVerifier[] {
  const named = new Set(witnesses.map(keyNameOf));
  const ofPolicy = (policy?.witnesses ?? []).map(({ verifier }) => verifier);
  return [...witnesses, ...ofPolicy.filter((verifier) => !named.has(keyNameOf(verifier)))];
}

export interface WitnessCosignature {
  readonly name: string;
  readonly keyId: number;
  readonly timestampSeconds: number;
}

export interface OpenedCheckpoint {
  readonly checkpoint: ParsedCheckpoint;
  /** Signed text, as cosigned and time-stamped. */
  readonly text: string;
  readonly cosignatures: readonly WitnessCosignature[];
  readonly unverified: readonly NoteSignature[];
}

/**
 * Opens a signed checkpoint of one log: its key must have signed, every signature by a trusted key must verify,
 * and the origin must be the expected one.
 * @throws TlogError malformed, limit_exceeded, unknown_key, bad_signature, ambiguous_key, wrong_origin
 */
export function openCheckpoint(bytes: Uint8Array, trust: CheckpointTrust): OpenedCheckpoint {
  const note = openNote(bytes, [trust.log, ...trustedWitnesses(trust)]);
  const isByLog = (signature: NoteSignature): boolean =>
    signature.name === trust.log.name && signature.keyId === trust.log.keyId;
  if (!note.verified.some(isByLog)) {
    throw new TlogError('unknown_key', 'the checkpoint is not signed by the key of the log');
  }
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== trust.origin) {
    throw new TlogError('wrong_origin', 'the checkpoint belongs to a log with another origin');
  }
  const cosignatures = note.verified
    .filter((signature) => !isByLog(signature))
    .map(({ name, keyId, signature }) => ({ name, keyId, timestampSeconds: cosignatureTime(signature) }));
  return { checkpoint, text: note.text, cosignatures, unverified: note.unverified };
}
