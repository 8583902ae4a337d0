import { canonicalJson, type JsonValue } from './canonical-json.js';

/** Why bytes are not one readable value. `too_deep` is found before anything is parsed. */
export type BoundedJsonProblem = 'not_utf8' | 'too_deep' | 'not_json' | 'not_canonical';

export type BoundedJsonResult =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly problem: BoundedJsonProblem };

/**
 * Reads JSON of a stranger that must be in canonical form (RFC 8785), so that it has one reading only: no second
 * spelling of a value by key order, white space, escapes, number forms or duplicate keys. A byte order mark is
 * refused too. Never throws. The caller bounds the number of bytes. O(n).
 *
 * @param maxDepth arrays and objects in each other; more would exhaust the stack of the canonicalizer
 */
export function readCanonicalJson(bytes: Uint8Array, maxDepth: number): BoundedJsonResult {
  const text = decodeUtf8(bytes);
  if (text === undefined) return { ok: false, problem: 'not_utf8' };
  if (isDeeper(text, maxDepth)) return { ok: false, problem: 'too_deep' };
  try {
    const value = JSON.parse(text) as JsonValue;
    return canonicalJson(value).equals(bytes) ? { ok: true, value } : { ok: false, problem: 'not_canonical' };
  } catch {
    // No JSON, or JSON without a canonical form, such as an unpaired surrogate.
    return { ok: false, problem: 'not_json' };
  }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** One pass over text that nothing has checked yet: brackets outside of strings are counted, whether they match or not. */
function isDeeper(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inString && character === '\\') i += 1;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > maxDepth) return true;
  }
  return false;
}
