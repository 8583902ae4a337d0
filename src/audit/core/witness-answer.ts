import { cosignatureTime } from './cosignature.js';
import { formatSignatureLine, type NoteSignature, type NoteVerifier } from './signed-note.js';
import { keyNameOf } from './witness-policy.js';

/** What is kept of a witness's answer: its own cosignature over our checkpoint, verified. */

/** A clock may be off by so much; what is further away tells a wrong time to everybody who reads it later. */
const MAX_CLOCK_DIFFERENCE_MS = 600_000;

export interface AcceptedCosignature {
  /** The signature line, without newline. */
  readonly line: string;
  readonly witnessedAt: Date;
}

export interface CosignatureExpectation {
  readonly verifier: NoteVerifier;
  /** Text of the note that was submitted. */
  readonly text: string;
  /** When the log signed it, by our clock. */
  readonly signedAt: Date;
  readonly now: Date;
}

/**
 * Picks the signature by the witness's own key and checks it; those by other keys are ignored (tlog-witness). A wrong
 * one by its key condemns the answer, as it would condemn a note.
 * @returns the reason in words for people when there is nothing to keep
 */
export function acceptCosignature(
  signatures: readonly NoteSignature[],
  { verifier, text, signedAt, now }: CosignatureExpectation,
): AcceptedCosignature | { readonly refused: string } {
  const message = Buffer.from(text, 'utf8');
  const own = signatures.filter((signature) => keyNameOf(signature) === keyNameOf(verifier));
  const [first] = own;
  if (first === undefined) return { refused: 'it answers without a cosignature by its key' };
  if (!own.every(({ signature }) => verifier.verify(message, signature))) {
    return { refused: 'its cosignature does not verify' };
  }
  const witnessedMs = cosignatureTime(first.signature) * 1000;
  if (witnessedMs > now.getTime() + MAX_CLOCK_DIFFERENCE_MS) {
    return { refused: 'the time in its cosignature is more than 10 minutes ahead of our clock' };
  }
  if (witnessedMs < signedAt.getTime() - MAX_CLOCK_DIFFERENCE_MS) {
    return {
      refused: 'the time in its cosignature is more than 10 minutes before the checkpoint was signed',
    };
  }
  return { line: formatSignatureLine(first).slice(0, -1), witnessedAt: new Date(witnessedMs) };
}
