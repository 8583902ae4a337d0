import canonicalize from 'canonicalize';

export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

// The package is CommonJS and its type declaration describes an ES default export.
const serialize = canonicalize as unknown as (value: unknown) => string | undefined;

/** JSON.stringify writes an unpaired surrogate as an escape such as \ud800; an escaped backslash before "ud800" is harmless. */
const LONE_SURROGATE_ESCAPE = /(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/;

/**
 * UTF-8 bytes of a value in the JSON Canonicalization Scheme (RFC 8785).
 *
 * These bytes are what is hashed, stored and proved; they are never rebuilt from a database column.
 * @throws TypeError when the value has no canonical form (undefined, NaN, infinity, lone surrogates).
 */
export function canonicalJson(value: JsonValue): Buffer {
  const text = plainText(value) ?? serialize(value);
  if (text === undefined) throw new TypeError('value has no canonical JSON form');
  return canonicalBytes(text);
}

/**
 * UTF-8 bytes of a text that JSON.stringify wrote of values whose members are in the order of RFC 8785 already.
 * @throws TypeError for lone surrogates
 */
export function canonicalBytes(text: string): Buffer {
  // The plain search is many times faster, and nearly always enough.
  if (text.includes('\\ud') && LONE_SURROGATE_ESCAPE.test(text)) {
    throw new TypeError('unpaired surrogate in text: no canonical JSON form (RFC 8785 section 3.2.2.2)');
  }
  return Buffer.from(text, 'utf8');
}

/** Characters that JSON may write otherwise than as they are; what has none of them needs quotes only. */
const MAY_NEED_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

/**
 * The canonical text of values made of strings, numbers, booleans, null, arrays and ordinary objects; `undefined` for
 * everything unusual, of which the library remains the judge. The RFC takes numbers and strings from ECMAScript. A
 * quarter of the time of the library, and each entry of the log goes through here; tests hold the two together.
 */
function plainText(value: unknown): string | undefined {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'boolean' || value === null) return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  if (Array.isArray(value)) return arrayText(value);
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  return objectText(value as Record<string, unknown>);
}

function quoted(text: string): string {
  return MAY_NEED_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

function arrayText(items: readonly unknown[]): string | undefined {
  let text = '';
  for (const item of items) {
    const written = plainText(item);
    if (written === undefined) return undefined;
    text += text === '' ? written : `,${written}`;
  }
  return `[${text}]`;
}

function objectText(members: Record<string, unknown>): string | undefined {
  let text = '';
  for (const key of sortedKeys(members)) {
    if (key === 'toJSON') return undefined;
    const member = members[key];
    if (member === undefined) continue;
    const written = plainText(member);
    if (written === undefined) return undefined;
    text += text === '' ? `${quoted(key)}:${written}` : `,${quoted(key)}:${written}`;
  }
  return `{${text}}`;
}

/** Above it, sorting by insertion is slower than the engine's own. */
const FEW_KEYS = 16;

/** By UTF-16 code units, RFC 8785 section 3.2.3: the order in which ECMAScript compares strings. */
function sortedKeys(members: Record<string, unknown>): string[] {
  const keys = Object.keys(members);
  if (keys.length > FEW_KEYS) return keys.sort();
  for (let end = 1; end < keys.length; end++) {
    const key = keys[end] as string;
    let place = end;
    for (; place > 0 && (keys[place - 1] as string) > key; place--) keys[place] = keys[place - 1] as string;
    keys[place] = key;
  }
  return keys;
}
