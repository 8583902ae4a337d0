import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson, type JsonValue } from './canonical-json.js';

describe('canonicalJson', () => {
  it('sorts keys by UTF-16 code units and keeps numbers in ECMAScript form', () => {
    // RFC 8785 section 3.2.3, shortened
    const bytes = canonicalJson({
      '\u20ac': 1,
      '\r': 2,
      '1': 3,
      '\u0080': 4,
      ö: 5,
      literals: [null, true, 1e30],
    });
    expect(bytes.toString('utf8')).toBe(
      '{"\\r":2,"1":3,"literals":[null,true,1e+30],"\u0080":4,"ö":5,"\u20ac":1}',
    );
  });

  it('refuses what has no canonical form', () => {
    expect(() => canonicalJson('\ud800')).toThrow(TypeError);
    expect(() => canonicalJson({ a: 'x\udfff' })).toThrow(TypeError);
    expect(() => canonicalJson(Number.NaN)).toThrow();
    expect(() => canonicalJson(Infinity)).toThrow();
  });

  it('accepts text that only looks like an escaped surrogate', () => {
    expect(canonicalJson('\\ud800').toString()).toBe('"\\\\ud800"');
  });

  it('is what the library of the authors of RFC 8785 writes, for any value and any key', () => {
    const reference = canonicalize as unknown as (value: unknown) => string | undefined;
    const key = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }).filter((text) => !/\p{Surrogate}/u.test(text)),
      fc.constantFrom('0', '1', '10', '9', '01', '__proto__', 'constructor', 'toJSON', '', '\u2028', 'ö'),
    );
    const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom<JsonValue>(
          null,
          true,
          -0,
          1e21,
          1e-7,
          0.1 + 0.2,
          Number.MIN_VALUE,
          2 ** 53,
          '"\\\n\u007f',
        ),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        key,
        fc.array(tie('tree'), { maxLength: 4 }),
        fc
          .uniqueArray(fc.tuple(key, tie('tree')), { maxLength: 5, selector: ([name]) => name })
          .map((members) =>
            // JSON.parse makes "__proto__" an ordinary member, as it does for what comes from outside.
            members.reduce<Record<string, JsonValue>>((object, [name, value]) => {
              Object.defineProperty(object, name, {
                value,
                enumerable: true,
                configurable: true,
                writable: true,
              });
              return object;
            }, {}),
          ),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(canonicalJson(value).toString('utf8')).toBe(reference(value));
      }),
      { numRuns: 2_000 },
    );
  });
});
