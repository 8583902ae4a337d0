import {
  type Checkpoint,
  formatCheckpoint,
  type OpenedCheckpoint,
  openCheckpoint,
} from '../core/checkpoint.js';
import { formatNote, type NoteVerifier, parseNote, signNote } from '../core/signed-note.js';
import { TlogError } from '../core/tlog-error.js';
import { keyNameOf, type WitnessPolicy } from '../core/witness-policy.js';
import { type LogKeyRing } from './log-keys.port.js';

interface PublicKey {
  readonly vkey: string;
  readonly verifier: NoteVerifier;
}

/** A checkpoint of a log of ours, which may have had several keys. */
export interface OwnCheckpoint extends OpenedCheckpoint {
  /** The newest key that signed it: the one to verify it with. */
  readonly signedBy: PublicKey;
  /** False when all keys that signed it are retired: then who knows the log's keys of today cannot verify it. */
  readonly isByActiveKey: boolean;
}

/**
 * Opens a checkpoint that this log is said to have signed. A retired key counts for checkpoints up to the size that
 * the log had when it was put away: what comes after that was signed by somebody who stole it.
 *
 * @throws TlogError as openCheckpoint: also when the signature of one active key is bad and that of another is good
 */
export function openOwnCheckpoint(note: Uint8Array, ring: LogKeyRing, policy?: WitnessPolicy): OwnCheckpoint {
  const openWith = (key: PublicKey): readonly OwnCheckpoint[] => {
    const trust = { origin: ring.origin, log: key.verifier, ...(policy && { policy }) };
    try {
      return [{ ...openCheckpoint(note, trust), signedBy: key, isByActiveKey: true }];
    } catch (error) {
      if (error instanceof TlogError && error.code === 'unknown_key') return [];
      throw error;
    }
  };
  const opened = ring.active.flatMap(openWith).at(-1);
  if (opened !== undefined) return opened;
  const earlier = ring.retired
    .flatMap((key) => openWith(key).filter(({ checkpoint }) => checkpoint.size <= key.lastSize))
    .at(-1);
  if (earlier !== undefined) return { ...earlier, isByActiveKey: false };
  throw new TlogError('unknown_key', 'the checkpoint is not signed by a key of the log');
}

/** Whether a key that signs today did not sign this note. */
export function lacksSignature(note: Uint8Array, ring: LogKeyRing): boolean {
  return missingKeys(note, ring).length > 0;
}

/**
 * The note with the signatures of the active keys that it lacks, after those that it has. Ed25519 is deterministic, so
 * the same note gets the same signatures each time, and they need no record of their own.
 *
 * @param expected what the caller knows to be the tree head of this size: nothing else is signed
 * @throws TlogError malformed when the note says something else
 */
export async function signedByAllKeys(
  note: Uint8Array,
  ring: LogKeyRing,
  expected: Pick<Checkpoint, 'size' | 'root'>,
): Promise<Buffer> {
  const { text, signatures } = parseNote(note);
  if (text !== formatCheckpoint({ origin: ring.origin, size: expected.size, root: expected.root }))
    throw new TlogError('malformed', 'the recorded checkpoint is another one');
  const signers = missingKeys(note, ring).map(({ signer }) => signer);
  if (signers.length === 0) return Buffer.from(note);
  const added = parseNote(await signNote(text, signers)).signatures;
  return formatNote({ text, signatures: [...signatures, ...added] });
}

function missingKeys(note: Uint8Array, ring: LogKeyRing) {
  const present = new Set(parseNote(note).signatures.map(keyNameOf));
  return ring.active.filter(({ signer }) => !present.has(keyNameOf(signer)));
}

/** The note without cosignatures. */
export function withoutCosignatures(note: Uint8Array, { origin }: LogKeyRing): Buffer {
  const { text, signatures } = parseNote(note);
  return formatNote({ text, signatures: signatures.filter(({ name }) => name === origin) });
}
