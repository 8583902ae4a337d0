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
  const sorted = sortedCopy(value);
  const text = sorted === NOT_PLAIN ? serialize(value) : JSON.stringify(sorted);
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

/** A value whose members JSON.stringify would not write in the order of insertion, or not at all as they are. */
const NOT_PLAIN = Symbol('not plain');

/**
 * The value with its members in the order of RFC 8785, so that the engine's own JSON.stringify writes the canonical
 * form: the RFC takes numbers and strings from ECMAScript. A third of the time of the library, which remains the
 * judge of everything unusual; tests hold the two together.
 */
function sortedCopy(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : NOT_PLAIN;
  if (Array.isArray(value)) return sortedArray(value);
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return NOT_PLAIN;
  return sortedObject(value as Record<string, unknown>);
}

function sortedArray(items: readonly unknown[]): unknown {
  const copy: unknown[] = [];
  for (const item of items) {
    const sorted = sortedCopy(item);
    if (sorted === NOT_PLAIN) return NOT_PLAIN;
    copy.push(sorted);
  }
  return copy;
}

function sortedObject(members: Record<string, unknown>): unknown {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(members).sort()) {
    // An object enumerates keys that look like an index first, and "__proto__" is no ordinary member.
    const first = key.charCodeAt(0);
    if ((first >= 48 && first <= 57) || key === '__proto__' || key === 'toJSON') return NOT_PLAIN;
    const member = members[key];
    if (member === undefined) continue;
    const sorted = sortedCopy(member);
    if (sorted === NOT_PLAIN) return NOT_PLAIN;
    copy[key] = sorted;
  }
  return copy;
}
