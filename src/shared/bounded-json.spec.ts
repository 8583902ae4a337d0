import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readCanonicalJson } from './bounded-json.js';
import { canonicalJson, type JsonValue } from './canonical-json.js';

const MAX_DEPTH = 8;
const read = (text: string) => readCanonicalJson(Buffer.from(text), MAX_DEPTH);
const nested = (open: string, close: string, depth: number, inside = '') =>
  open.repeat(depth) + inside + close.repeat(depth);

describe('readCanonicalJson', () => {
  it('reads back whatever has a canonical form, and nothing else that means the same', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }), (generated) => {
        // JSON text has no negative zero: compare what JSON can say.
        const value = JSON.parse(JSON.stringify(generated)) as JsonValue;
        const bytes = canonicalJson(value);
        expect(readCanonicalJson(bytes, MAX_DEPTH)).toEqual({ ok: true, value });
        expect(read(`${bytes.toString()} `)).toEqual({ ok: false, problem: 'not_canonical' });
      }),
    );
  });

  it.each([
    ['white space', '{"a": 1}'],
    ['another key order', '{"b":1,"a":1}'],
    ['a key twice', '{"a":1,"a":1}'],
    ['an escape that is not needed', '"\\u0061"'],
    ['another number form', '1.0'],
    ['a number beyond what JavaScript holds', '9007199254740993'],
  ])('refuses %s', (_what, text) => {
    expect(read(text)).toEqual({ ok: false, problem: 'not_canonical' });
  });

  it.each([
    ['nothing', ''],
    ['half a value', '{"a":'],
    ['two values', '{}{}'],
    ['a byte order mark', '\ufeff{}'],
    ['an unpaired surrogate', '"\\ud800"'],
    ['brackets that close what was never opened', ']]]]]]]]]]]]'],
  ])('refuses %s', (_what, text) => {
    expect(read(text)).toEqual({ ok: false, problem: 'not_json' });
  });

  it('refuses bytes that are not UTF-8', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc3, 0x22],
      [0xed, 0xa0, 0x80],
      [0xc0, 0xaf],
    ]) {
      expect(readCanonicalJson(Uint8Array.from(bytes), MAX_DEPTH)).toEqual({
        ok: false,
        problem: 'not_utf8',
      });
    }
  });

  it('counts arrays and objects in each other, and not brackets in text', () => {
    expect(read(nested('[', ']', MAX_DEPTH)).ok).toBe(true);
    expect(read(nested('[', ']', MAX_DEPTH + 1))).toEqual({ ok: false, problem: 'too_deep' });
    expect(read(nested('{"a":', '}', MAX_DEPTH, '1')).ok).toBe(true);
    expect(read(nested('{"a":', '}', MAX_DEPTH + 1, '1'))).toEqual({ ok: false, problem: 'too_deep' });
    expect(read(JSON.stringify('[{'.repeat(50))).ok).toBe(true);
    expect(read(JSON.stringify('\\"'.repeat(50) + '['.repeat(50))).ok).toBe(true);
  });

  it('does not hang or exhaust the stack, however deep or long', () => {
    expect(read('['.repeat(1_000_000))).toEqual({ ok: false, problem: 'too_deep' });
    expect(read(`"${'\\'.repeat(1_000_000)}`)).toEqual({ ok: false, problem: 'not_json' });
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(3), (bytes, maxDepth) => {
        const result = readCanonicalJson(bytes, maxDepth);
        if (result.ok) expect(canonicalJson(result.value)).toEqual(Buffer.from(bytes));
      }),
    );
  });
});
