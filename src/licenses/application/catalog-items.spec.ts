import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { catalogItems, MAX_CATALOG_ITEMS } from './catalog-items.js';

const valuesOf = (text: string) => [...catalogItems(text)].map(({ value, error }) => error?.code ?? value);

describe('the items of a catalog', () => {
  it('are the elements of an array or the lines of a file, whatever stands in them', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue())), (items) => {
        // Keys that reach a prototype are refused, and -0 has no JSON form of its own.
        const safe = JSON.parse(
          JSON.stringify(items).replaceAll(/__proto__|constructor|prototype/g, 'p'),
        ) as unknown[];
        expect(valuesOf(JSON.stringify(safe))).toEqual(safe);
        expect(valuesOf(JSON.stringify(safe, null, 2))).toEqual(safe);
        expect(valuesOf(safe.map((item) => JSON.stringify(item)).join('\n'))).toEqual(safe);
      }),
    );
  });

  it('are told apart: one that is refused spoils no other, and the line of its error is that of the file', () => {
    const items = [...catalogItems('[\n{"a":1},\n{"a":1,\n"a":2},\n{"__proto__":{}},{"b":2}]')];
    expect(items.map(({ error }) => error && [error.code, error.place.line])).toEqual([
      null,
      ['duplicate-key', 4],
      ['forbidden-key', 5],
      null,
    ]);
  });

  it.each([
    ['an array that does not end', '[{"a":1}'],
    ['an array that does not end in a string', '[{"a":"1]'],
    ['something after the array', '[{"a":1}] x'],
  ])('refuse %s', (_what, text) => {
    expect(() => valuesOf(text)).toThrow();
  });

  it.each([
    ['escapes in a text that does not end', `["${'\\"'.repeat(500_000)}`],
    ['quotation marks', `[${'"'.repeat(1_000_001)}`],
    ['brackets that do not end', '['.repeat(1_000_000)],
    ['white space', `[${' '.repeat(1_000_000)}`],
  ])('are told apart in time that grows with the length only: %s', (_what, text) => {
    const started = process.cpuUsage();
    expect(() => valuesOf(text)).toThrow();
    const { user, system } = process.cpuUsage(started);
    // Some 50 ms; quadratic time would be minutes.
    expect((user + system) / 1_000).toBeLessThan(5_000);
  });

  it('are bounded in number', () => {
    expect(() => valuesOf('{}\n'.repeat(MAX_CATALOG_ITEMS + 1))).toThrow('more than 5000 items');
    expect(valuesOf('[]')).toEqual([]);
    expect(valuesOf('[1,]')).toEqual([1, 'malformed']);
  });
});
