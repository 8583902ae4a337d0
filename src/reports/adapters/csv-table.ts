import { stringify } from 'csv-stringify/sync';
import { inertCell } from '../../shared/inert-cell.js';

/**
 * A table for people with a spreadsheet (RFC 4180). It begins with a byte order mark: without one Excel reads UTF-8 as
 * the local code page. Every cell is quoted, and none is a formula.
 */
export function csvTable(header: readonly string[], rows: readonly (readonly string[])[]): Buffer {
  const records = [header, ...rows].map((row) => row.map(inertCell));
  const text = stringify(records, { record_delimiter: '\r\n', quoted_string: true });
  return Buffer.from(`\ufeff${text}`, 'utf8');
}
