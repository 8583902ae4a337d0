import { snakeCase } from './snake-naming.js';

/** The names of the columns as the program has them, with what stands in them. */
export type RowValues = Readonly<Record<string, unknown>>;

/** A statement with its parameters, for `tx.query` and `tx.send`. */
export type Statement = readonly [sql: string, parameters: readonly unknown[]];

// TypeORM takes longer to write these statements than the server to do them. Tables and columns are named by our own
// code alone; values are parameters.

/** One row; what is `undefined` becomes null. */
export function insertOf(table: string, row: RowValues): Statement {
  const names = Object.keys(row);
  const columns = names.map(snakeCase).join(', ');
  const places = names.map((_, index) => `$${index + 1}`).join(', ');
  return [`INSERT INTO ${table} (${columns}) VALUES (${places})`, names.map((name) => valueOf(row[name]))];
}

/** Rows with the same columns, as many as there are, by one parameter of JSON. */
export function insertAllOf(table: string, rows: readonly RowValues[]): Statement {
  const columns = Object.keys(rows[0] ?? {})
    .map(snakeCase)
    .join(', ');
  const named = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [snakeCase(name), valueOf(value)])),
  );
  return [
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)`,
    [JSON.stringify(named)],
  ];
}

/** `SET` of an update, with its parameters from `$first` on. */
export function settingOf(change: RowValues, first: number): Statement {
  const names = Object.keys(change);
  const set = names.map((name, index) => `${snakeCase(name)} = $${first + index}`).join(', ');
  return [set, names.map((name) => valueOf(change[name]))];
}

/** The driver makes JSON of objects, but arrays of PostgreSQL of arrays: an array for JSON is given as {@link asJson}. */
function valueOf(value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

export function asJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
