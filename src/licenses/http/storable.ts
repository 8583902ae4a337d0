import { invalidRequest } from '../../http/validation.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';

/** In canonical JSON, control characters but tab, line feed and carriage return; an escaped backslash before is none. */
const CONTROL = /(?<!\\)(?:\\\\)*\\(?:u00[01][0-9a-f]|[bf])/;

/**
 * Canonical bytes of a checked body that will be stored and hashed.
 * @throws ColophonError `invalid_request` for half characters and control characters, which have no place in a record
 */
export function storableBytes(body: unknown): Buffer {
  let bytes: Buffer;
  try {
    bytes = canonicalJson(JSON.parse(JSON.stringify(body)) as JsonValue);
  } catch {
    throw invalidRequest([{ path: '', message: 'holds half of a character (an unpaired surrogate)' }]);
  }
  if (CONTROL.test(bytes.toString('utf8')))
    throw invalidRequest([{ path: '', message: 'must not hold control characters' }]);
  return bytes;
}

/** UTF-8, exactly what was sent. @throws ColophonError `invalid_request` for half a character, which has none */
export function wellFormedBytes(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.toString('utf8') !== text)
    throw invalidRequest([{ path: 'text', message: 'holds half of a character (an unpaired surrogate)' }]);
  return bytes;
}
