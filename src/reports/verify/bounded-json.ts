import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';

const MAX_DEPTH = 64;

/**
 * A JSON document of a stranger: valid UTF-8, not nested deeply, and in canonical form (RFC 8785), so that it has one
 * reading only. `undefined` for anything else.
 */
export function parseCanonicalDocument(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (isDeep(text)) return undefined;
    const value = JSON.parse(text) as JsonValue;
    return canonicalJson(value).equals(bytes) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** One pass before parsing, because the canonicalizer is recursive. O(n). */
function isDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inString && character === '\\') i += 1;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}
