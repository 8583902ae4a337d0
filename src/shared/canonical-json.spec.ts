import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from './canonical-json.js';

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
});
