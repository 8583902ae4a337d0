import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseStrictJson } from './strict-json.js';

const problemOf = (text: string): string => {
  try {
    parseStrictJson(text);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('JSON of a body', () => {
  it('is read as JSON.parse reads it, where it has one reading', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(!/__proto__|constructor|prototype|\\u/.test(text));
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['at once', '{"a":1,"a":2}'],
    ['deep inside', '{"x":[{"b":[]},{"a":{"c":1},"b":"}","a":2}]}'],
    ['in another spelling', String.raw`{"a":1,"\u0061":2}`],
    ['with a quotation mark', String.raw`{"a\"":1,"b":"\\","a\"":2}`],
    ['among many', `{${Array.from({ length: 100 }, (_, at) => `"n${at}":{}`).join()},"n99":1}`],
    ['with space around', '{ "a" : 1 , "b" : "a" , "a" : 2 }'],
  ])('is refused with a name that stands twice: %s', (_what, text) => {
    expect(problemOf(text)).toMatch(/^The property ".*" stands twice/);
  });

  it.each([
    '[{"a":1},{"a":2}]',
    '{"a":{"a":{"a":"a"}}}',
    '{"a":["a","a"],"b":"a","c":"\\"a\\":1"}',
    '{"A":1,"a":2,"a ":3}',
  ])('may name things alike in different places: %s', (text) => {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
  });

  it('is refused with names that reach a prototype, however they are written', () => {
    for (const text of ['{"__proto__":1}', '[{"constructor":1}]', String.raw`{"proto\u0074ype":1}`])
      expect(problemOf(text)).toContain('is not accepted');
    expect(problemOf('{"a":"__proto__"}')).toBe('');
  });

  it('is refused with NUL in names and texts', () => {
    for (const text of [String.raw`{"a":"b\u0000"}`, String.raw`{"a\u0000":1}`, String.raw`["\\\u0000"]`])
      expect(problemOf(text)).toContain('NUL');
    expect(problemOf(String.raw`["\\u0000"]`)).toBe('');
  });

  it('that is none is told apart', () => {
    for (const text of ['', '{', '{"a":1,}', '{"a":1}x', '"', '{"a"}'])
      expect(() => parseStrictJson(text)).toThrow(SyntaxError);
  });

  it.each([
    ['one long text', `{"a":"${'x'.repeat(30_000_000)}"}`],
    ['escapes', `{"a":"${String.raw`\\\"`.repeat(5_000_000)}"}`],
    ['many objects', `[${'{"a":1,"b":2},'.repeat(500_000)}{}]`],
    ['many names', `{${Array.from({ length: 500_000 }, (_, at) => `"n${at}":0`).join()}}`],
    ['depth', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`],
  ])('takes time that grows with its length only: %s', (_what, text) => {
    const started = process.cpuUsage();
    problemOf(text);
    const { user, system } = process.cpuUsage(started);
    // At most some 500 ms; quadratic time would be minutes.
    expect((user + system) / 1_000).toBeLessThan(8_000);
  });
});
