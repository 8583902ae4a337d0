import { TlogError } from './tlog-error.js';

/** Encodings in which one value has exactly one text, so that nobody can vary signed or hashed material unseen. */

const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

/** Non-negative decimal without leading zeros, at most 2^53 - 1. @throws TlogError malformed, limit_exceeded */
export function parseDecimal(text: string, what: string): number {
  if (!DECIMAL.test(text)) {
    if (/^[1-9][0-9]+$/.test(text)) throw new TlogError('limit_exceeded', `${what} is 2^53 or larger`);
    throw new TlogError('malformed', `${what} is not a decimal number without leading zeros`);
  }
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new TlogError('limit_exceeded', `${what} is 2^53 or larger`);
  return value;
}

/** Padded standard base64 (RFC 4648 section 4) in its only canonical form. @throws TlogError malformed */
export function parseBase64(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  // Buffer skips what it does not understand; encoding again shows every liberty that was taken.
  if (bytes.toString('base64') !== text) throw new TlogError('malformed', `${what} is not canonical base64`);
  return bytes;
}

export function formatBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Text of valid UTF-8; a byte order mark is kept as a character. @throws TlogError malformed */
export function parseUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new TlogError('malformed', `${what} is not valid UTF-8`);
  }
}

/** Half of a surrogate pair standing alone: it has no UTF-8 form, and encoders silently replace it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** UTF-8 bytes of a text. @throws TlogError malformed for text that has none */
export function encodeUtf8(text: string, what: string): Buffer {
  if (LONE_SURROGATE.test(text)) throw new TlogError('malformed', `${what} holds an unpaired surrogate`);
  return Buffer.from(text, 'utf8');
}

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
