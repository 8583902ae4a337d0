import { z } from 'zod';
import { daySchema } from './calendar-days.js';
import { type CsvRecord } from './csv-records.js';

/** Counts up to 10^12 and revenue up to 10^9 USD: more is a slip of the keyboard. */
const count = z.int().min(0).max(1_000_000_000_000);

/**
 * What became of a variant on a day. What is left out is not known, and stays so: it is never 0.
 */
export const outcomeSchema = z
  .strictObject({
    /** The customer's own name of the row: the same one again is a correction. */
    key: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/, '1 to 100 of A-Z a-z 0-9 . _ : / -'),
    variant: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}$/, '1 to 60 of A-Z a-z 0-9 space . _ -'),
    assetId: z
      .string()
      .regex(/^ast_[0-9a-f]{32}$/, 'an asset id such as ast_018f...')
      .optional(),
    day: daySchema,
    impressions: count.optional(),
    clicks: count.optional(),
    conversions: count.optional(),
    /** Micro-USD as text. May be negative: returned goods. */
    revenueMicroUsd: z
      .string()
      .regex(/^-?(0|[1-9]\d{0,15})$/, 'integer micro-USD as text')
      .optional(),
  })
  .refine(
    ({ impressions, clicks }) => impressions === undefined || clicks === undefined || clicks <= impressions,
    'there are more clicks than impressions',
  )
  .refine(
    ({ clicks, conversions }) => clicks === undefined || conversions === undefined || conversions <= clicks,
    'there are more conversions than clicks',
  );
export type OutcomeRow = z.output<typeof outcomeSchema>;

export const OUTCOME_COLUMNS = [
  'key',
  'variant',
  'asset',
  'day',
  'impressions',
  'clicks',
  'conversions',
  'revenue_usd',
] as const;
type Column = (typeof OUTCOME_COLUMNS)[number];

const REQUIRED: readonly Column[] = ['key', 'variant', 'day'];

export interface BadLine {
  readonly line: number;
  readonly problem: string;
}

/** Turns records of a file into rows: the first one names the columns, in any order. */
export class OutcomeFile {
  private columns: readonly Column[] | undefined;

  /** @returns `undefined` for the header and for empty lines. @throws TypeError when the header is no use */
  read(record: CsvRecord): OutcomeRow | BadLine | undefined {
    const { line } = record;
    if ('problem' in record) {
      if (this.columns === undefined) throw new TypeError(`line ${line}: ${record.problem}`);
      return { line, problem: record.problem };
    }
    if (record.fields.length === 1 && record.fields[0] === '') return undefined;
    if (this.columns === undefined) {
      const names = record.fields.map((field) => field.trim().toLowerCase());
      const problem = problemOfHeader(names);
      if (problem !== undefined) throw new TypeError(problem);
      this.columns = names as Column[];
      return undefined;
    }
    if (record.fields.length !== this.columns.length)
      return { line, problem: `there are ${record.fields.length} fields, not ${this.columns.length}` };
    const fields = new Map(this.columns.map((name, index) => [name, (record.fields[index] ?? '').trim()]));
    return rowOf(line, fields);
  }

  get hasHeader(): boolean {
    return this.columns !== undefined;
  }
}

const SEPARATORS: Readonly<Record<string, string>> = { ';': 'semicolons', '\t': 'tabs', '|': 'bars' };

function problemOfHeader(names: readonly string[]): string | undefined {
  const known: readonly string[] = OUTCOME_COLUMNS;
  const unknown = names.find((name) => !known.includes(name));
  if (names.some((name) => name.includes('\0'))) return 'is not in UTF-8, but in UTF-16 perhaps';
  const separator = names.length === 1 ? /[;\t|]/.exec(names[0] ?? '')?.[0] : undefined;
  if (separator !== undefined)
    return `the fields are separated by ${SEPARATORS[separator] ?? 'something else'}: save it with commas`;
  if (unknown !== undefined) return `the first line names the columns; known are ${known.join(', ')}`;
  const missing = REQUIRED.find((name) => !names.includes(name));
  if (missing !== undefined) return `the column "${missing}" is missing`;
  return new Set(names).size === names.length ? undefined : 'a column is named twice';
}

function rowOf(line: number, fields: ReadonlyMap<Column, string>): OutcomeRow | BadLine {
  const given = (name: Column) => fields.get(name) || undefined;
  const number = (name: Column) => {
    const text = given(name);
    if (text === undefined) return undefined;
    return /^\d{1,13}$/.test(text) ? Number(text) : Number.NaN;
  };
  const revenue = given('revenue_usd');
  const parsed = outcomeSchema.safeParse({
    key: given('key'),
    variant: given('variant'),
    assetId: given('asset'),
    day: given('day'),
    impressions: number('impressions'),
    clicks: number('clicks'),
    conversions: number('conversions'),
    // Digits that are no amount of US dollars would pass for micro-USD.
    revenueMicroUsd: revenue === undefined ? undefined : (microUsdOf(revenue) ?? 'not an amount'),
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const column = COLUMN_OF[String(issue?.path[0])];
  if (column === undefined) return { line, problem: issue?.message ?? 'the row is not valid' };
  return { line, problem: `${column}: ${FORMS[column] ?? issue?.message ?? 'is not valid'}` };
}

/** By the names of the fields that a row becomes. */
const COLUMN_OF: Readonly<Record<string, Column>> = {
  key: 'key',
  variant: 'variant',
  assetId: 'asset',
  day: 'day',
  impressions: 'impressions',
  clicks: 'clicks',
  conversions: 'conversions',
  revenueMicroUsd: 'revenue_usd',
};

const WHOLE_NUMBER = 'a whole number from 0 to 1000000000000, such as 1250';
/** How a cell is written, which is not always how the field of the API is. */
const FORMS: Readonly<Partial<Record<Column, string>>> = {
  day: 'a date such as 2026-11-30',
  impressions: WHOLE_NUMBER,
  clicks: WHOLE_NUMBER,
  conversions: WHOLE_NUMBER,
  revenue_usd: 'US dollars below 1000000000, with a point and no sign for the currency, such as 1.50 or -12',
};

/** `12.5` -> `12500000`; exact, by digits. `undefined` for anything else than a plain decimal number. */
export function microUsdOf(text: string): string | undefined {
  const match = /^(-?)(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text);
  if (!match) return undefined;
  const [, sign = '', whole = '0', fraction = ''] = match;
  const amount = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return `${amount === 0n ? '' : sign}${amount}`;
}
