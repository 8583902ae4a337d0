import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sha256Hex } from './bytes.js';

/** Hashing this much takes less than a millisecond, after which others have their turn. */
const PIECE_BYTES = 1024 * 1024;

/** Lower-case hexadecimal SHA-256 of bytes that may be many: nobody waits for all of them to be hashed. */
export async function sha256HexInTurns(bytes: Uint8Array): Promise<string> {
  if (bytes.length <= PIECE_BYTES) return sha256Hex(bytes);
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    if (at > 0) await nextTurn();
    hash.update(bytes.subarray(at, at + PIECE_BYTES));
  }
  return hash.digest('hex');
}
