import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { exampleEntries } from '../../../test/vectors/tlog/entry-examples.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { newId } from '../../shared/ids.js';
import { buildEntry } from '../core/entry.js';
import { csvHeader, csvRecords } from './entry-csv.js';
import { type LoggedEntry } from './read-log.js';

/** An entry as somebody could have put it into the database, with any text anywhere. */
function entryOf(text: string, data: JsonValue = {}): LoggedEntry {
  const part = { kind: text, id: text };
  const entry = canonicalJson({ v: 1, type: text, at: text, actor: part, subject: part, data });
  return { entryId: newId(), index: 7, type: text, recordedAt: new Date(0), projectId: undefined, entry };
}

/** Records by RFC 4180. */
function parse(csv: string): string[][] {
  const rows: string[][] = [[]];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy;
  for (let match = cell.exec(csv); match; match = cell.exec(csv)) {
    const [, raw = '', end] = match;
    rows.at(-1)?.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (end === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
}

/** No lone surrogates: such text has no canonical form, so no entry holds it. */
const isWellFormed = (text: string): boolean => !/\p{Cs}/u.test(text);

const DANGEROUS = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '\uff1d', '\uff0b', '\uff0d', '\uff20'];

describe('entries as CSV', () => {
  it('makes text of every cell that a spreadsheet would run', () => {
    for (const first of DANGEROUS) {
      const text = `${first}cmd|' /C calc'!A0`;
      const [row = []] = parse(csvRecords([entryOf(text)]).toString('utf8'));
      expect(row.slice(2, 8)).toEqual(Array.from({ length: 6 }, () => `'${text}`));
    }
  });

  it('keeps every character of every text, as one record', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"', '""', ',', '\r\n', ';', '\u202egnp.exe', 'a\u0000b', `"x",=1`, 'x'.repeat(10_000)),
    );
    fc.assert(
      fc.property(hostile, hostile, (text, value) => {
        fc.pre(isWellFormed(text) && isWellFormed(value));
        const rows = parse(csvRecords([entryOf(text, { value }), entryOf('plain')]).toString('utf8'));
        expect(rows).toHaveLength(2);
        const [row = []] = rows;
        expect(row).toHaveLength(12);
        expect(row[2]?.replace(/^'/, '')).toBe(text.replace(/^'/, ''));
        expect(JSON.parse(row[9] ?? '')).toEqual({ value });
        for (const cell of row) expect(cell).not.toMatch(/^[=+\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]/);
      }),
    );
  });

  it('has a byte order mark, a header, and the commitments of what is sealed', () => {
    const { bytes } = buildEntry({
      ...exampleEntries['review.decided'],
      sealed: { comment: 'A'.repeat(43) },
    });
    const entry = { ...entryOf('x'), entry: bytes };
    const text = Buffer.concat([csvHeader(), csvRecords([entry])]).toString('utf8');
    expect(text.startsWith('\ufeffindex,id,type,at,')).toBe(true);
    const [header = [], row = []] = parse(text.slice(1));
    const cells = Object.fromEntries(header.map((name, i) => [name, row[i]]));
    expect(cells).toMatchObject({
      index: '7',
      type: 'review.decided',
      subject_kind: 'review',
      project_id: '',
      sealed: `{"comment":"${'A'.repeat(43)}"}`,
      leaf_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });
});
