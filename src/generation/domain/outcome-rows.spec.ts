import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'csv-stringify/sync';
import { CsvReader, type CsvRecord } from './csv-records.js';
import { microUsdOf, OutcomeFile } from './outcome-rows.js';

function read(pieces: readonly string[]): CsvRecord[] {
  const reader = new CsvReader();
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
}
const rowsOf = (text: string) => {
  const file = new OutcomeFile();
  return read([text]).map((record) => file.read(record));
};

describe('CSV', () => {
  it('is read as another program wrote it, wherever the pieces are cut', () => {
    const cell = fc.string({ maxLength: 12, unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'é') });
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 7 }), (records, size) => {
        const text = stringify(records, { record_delimiter: '\r\n', quoted: true });
        const characters = [...`\ufeff${text}`];
        const pieces = Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
          characters.slice(index * size, (index + 1) * size).join(''),
        );
        expect(read(pieces).map((record) => ('fields' in record ? record.fields : record.problem))).toEqual(
          records,
        );
      }),
    );
  });

  it.each([
    ['a,"b', 'a quote is not closed'],
    ['a,b"c\n', 'a quote stands within a field'],
    ['"a"b,c\n', 'something follows a closing quote'],
    [`${'x'.repeat(2_000)}\n`, 'a field has more than 1000 characters'],
    [`${','.repeat(60)}\n`, 'there are more than 50 fields'],
  ])('%j is not guessed at', (text, problem) => {
    expect(read([text])[0]).toEqual({ line: 1, problem });
  });
});

describe('a file of outcomes', () => {
  it('is read by the names of its columns; what is empty is not known', () => {
    const text =
      'day,key,variant,impressions,clicks,revenue_usd\r\n2026-11-01,a1,new,1000,12,12.5\r\n2026-11-01,a2,old,,,\r\n';
    expect(rowsOf(text).slice(1)).toEqual([
      {
        key: 'a1',
        variant: 'new',
        day: '2026-11-01',
        impressions: 1000,
        clicks: 12,
        revenueMicroUsd: '12500000',
      },
      { key: 'a2', variant: 'old', day: '2026-11-01' },
    ]);
  });

  it.each([
    ['a1,new,2026-11-01,10,11', 'there are more clicks than impressions'],
    ['a1,=HYPERLINK(1),2026-11-01,1,1', 'variant'],
    ['a1,new,2026-02-30,1,1', 'day'],
    ['a1,new,2026-11-01,1e9,1', 'impressions'],
    ['a1,new,2026-11-01,-5,1', 'impressions'],
    ['a1,new', 'there are 2 fields, not 5'],
  ])('reports the line %j', (line, problem) => {
    const [, bad] = rowsOf(`key,variant,day,impressions,clicks\n${line}\n`);
    expect(bad).toEqual({ line: 2, problem: expect.stringContaining(problem) });
  });

  it.each(['"1,5"', '$5', '1e3', '1234567890', '-9999999999999'])(
    'never has anybody write micro-USD into a column of US dollars: %s',
    (cell) => {
      const [, bad] = rowsOf(`key,variant,day,revenue_usd\na1,new,2026-11-01,${cell}\n`);
      expect(bad).toEqual({ line: 2, problem: expect.stringMatching(/^revenue_usd: US dollars .*1\.50/) });
    },
  );

  it('without the columns that are needed, or with others, is no use', () => {
    for (const header of ['key,variant', 'key,variant,day,prompt', 'key,key,variant,day'])
      expect(() => rowsOf(`${header}\n`)).toThrow(TypeError);
  });

  it.each([';', '\t', '|'])('with fields between %j says how to save it', (separator) => {
    expect(() => rowsOf(`${['key', 'variant', 'day'].join(separator)}\n`)).toThrow('save it with commas');
  });

  it('whose first line cannot be read says why, also with line ends of old or in UTF-16', () => {
    expect(() => rowsOf('key,variant,day\ra,new,2026-11-01\r')).toThrow(
      'line 1: a carriage return stands alone',
    );
    expect(() => rowsOf('k\0e\0y\0,\0v\0\n')).toThrow('UTF-16');
  });

  it('holds amounts to the micro-USD', () => {
    expect(['0', '-0', '1', '12.5', '-3.000001', '1e3', '1,000', '.5', '1.0000001'].map(microUsdOf)).toEqual([
      '0',
      '0',
      '1000000',
      '12500000',
      '-3000001',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
