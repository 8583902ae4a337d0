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
  const text = serialize(value);
  if (text === undefined) throw new TypeError('value has no canonical JSON form');
  if (LONE_SURROGATE_ESCAPE.test(text)) {
    throw new TypeError('unpaired surrogate in text: no canonical JSON form (RFC 8785 section 3.2.2.2)');
  }
  return Buffer.from(text, 'utf8');
}
