import {
  formatNote,
  MAX_NOTE_SIGNATURES,
  type NoteSignature,
  parseNote,
  parseSignatureLine,
} from './signed-note.js';
import { keyNameOf } from './witness-policy.js';

/**
 * A published checkpoint with cosignatures that came later. The note's own signatures stay first and as they are;
 * the others follow in the order of key name and key id, one for each key: the same lines in any order give the same
 * bytes. What is beyond the 100 signatures of a note is left out. It verifies nothing.
 * @param lines signature lines without newline
 * @throws TlogError malformed, limit_exceeded
 */
export function cosignedNote(note: Uint8Array, lines: Iterable<string>): Buffer {
  const { text, signatures } = parseNote(note);
  const added = new Map<string, { readonly line: string; readonly signature: NoteSignature }>();
  const present = new Set(signatures.map(keyNameOf));
  for (const line of lines) {
    const signature = parseSignatureLine(line);
    const key = keyNameOf(signature);
    const known = added.get(key);
    // Of two by one key the first in order of text is kept, whatever the order they were given in.
    if (!present.has(key) && (known === undefined || line < known.line)) added.set(key, { line, signature });
  }
  const ordered = [...added].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { signature }]) => signature);
  return formatNote({ text, signatures: [...signatures, ...ordered].slice(0, MAX_NOTE_SIGNATURES) });
}
