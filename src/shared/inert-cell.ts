/** Cells that begin so are formulas to some spreadsheet; the full-width forms are read as the plain ones. */
const FORMULA_START = /^[=+\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]/;

/** A leading single quote makes a cell text (OWASP ASVS 5.0, 1.2.10). */
export function inertCell(cell: string): string {
  return FORMULA_START.test(cell) ? `'${cell}` : cell;
}
