import { randomBytes, timingSafeEqual } from 'node:crypto';
import { sha256 } from '../../shared/bytes.js';
import { encodeUtf8 } from './strict-encoding.js';
import { TlogError } from './tlog-error.js';

/**
 * Sealed values: the log holds commitment = base64url(SHA-256(salt || value)) and the value stays outside, where
 * it can be shown in court or erased. The salt keeps a short or guessable value (a prompt, a name) from being
 * found by trying; without the salt the commitment says nothing, so erasing both leaves every proof valid.
 */

/** Fixed, so that salt || value cannot be split in two ways. */
export const SALT_BYTES = 32;

/** What opens a commitment. Both fields are secret until somebody discloses them. */
export interface Opening {
  readonly salt: Uint8Array;
  readonly value: string;
}

export function newSalt(): Buffer {
  return randomBytes(SALT_BYTES);
}

/** base64url(SHA-256(salt || UTF-8(value))), without padding, 43 characters. @throws TlogError malformed */
export function commitTo(opening: Opening): string {
  return digest(opening).toString('base64url');
}

/** Seals a value under a fresh salt. */
export function seal(value: string): { commitment: string; opening: Opening } {
  const opening: Opening = { salt: newSalt(), value };
  return { commitment: commitTo(opening), opening };
}

/** Whether the opening belongs to the commitment; compared in constant time. @throws TlogError malformed */
export function opensCommitment(opening: Opening, commitment: string): boolean {
  const expected = Buffer.from(commitment, 'base64url');
  const actual = digest(opening);
  // base64url has several spellings for one value; only the canonical one is a commitment.
  if (expected.length !== actual.length || expected.toString('base64url') !== commitment) return false;
  return timingSafeEqual(actual, expected);
}

function digest(opening: Opening): Buffer {
  if (opening.salt.length !== SALT_BYTES) {
    throw new TlogError('malformed', `the salt of an opening has ${SALT_BYTES} bytes`);
  }
  return sha256(opening.salt, encodeUtf8(opening.value, 'the sealed value'));
}
