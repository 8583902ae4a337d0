/**
 * Columns of a statement, by the names that the program has for them.
 * @returns the list for `SELECT` and `RETURNING`, and what makes an object of a row
 */
export function columnsOf<Row>() {
  return (columnOf: Readonly<Record<keyof Row, string>>) => {
    const names = Object.entries<string>(columnOf);
    return {
      columns: names.map(([, column]) => column).join(', '),
      read: (row: Readonly<Record<string, unknown>>): Row =>
        Object.fromEntries(names.map(([name, column]) => [name, row[column]])) as Row,
    };
  };
}
