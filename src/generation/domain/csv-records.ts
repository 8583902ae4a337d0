/** A record as it stands in the file: its fields, or why it cannot be read. */
export type CsvRecord =
  | { readonly line: number; readonly fields: readonly string[] }
  | { readonly line: number; readonly problem: string };

const MAX_FIELDS = 50;
const MAX_FIELD_CHARACTERS = 1_000;

/**
 * Reads CSV as in RFC 4180, piece by piece: quotes doubled inside quotes, line ends LF or CRLF, a byte order mark at the
 * beginning. What RFC 4180 does not know is a problem of that record and not guessed at. No library for reading CSV is
 * among the dependencies; this knows one dialect.
 *
 * Memory: one record. A record that is too large is skipped to its end and reported.
 */
export class CsvReader {
  private fields: string[] = [];
  private field = '';
  /** `quoted`: between quotes. `closed`: after the closing quote. */
  private state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  private problem: string | undefined;
  private line = 1;
  private firstLine = 1;
  private begun = false;
  private afterCarriageReturn = false;

  /** Records that end within this piece. */
  push(text: string): CsvRecord[] {
    const records: CsvRecord[] = [];
    const piece = this.begun ? text : text.replace(/^\ufeff/, '');
    if (text !== '') this.begun = true;
    for (const character of piece) {
      const ended = this.take(character);
      if (ended !== undefined) records.push(ended);
    }
    return records;
  }

  /** The last record, where the file does not end with a line end. */
  end(): CsvRecord[] {
    if (this.state === 'quoted') this.problem ??= 'a quote is not closed';
    const isEmpty = this.state === 'start' && this.fields.length === 0;
    return isEmpty && this.problem === undefined ? [] : [this.finish()];
  }

  private take(character: string): CsvRecord | undefined {
    if (character === '\n') {
      this.line++;
      const { afterCarriageReturn } = this;
      this.afterCarriageReturn = false;
      if (this.state === 'quoted') {
        this.add(afterCarriageReturn ? '\r\n' : '\n');
        return undefined;
      }
      return this.finish();
    }
    if (this.afterCarriageReturn) {
      this.afterCarriageReturn = false;
      this.problem ??= 'a carriage return stands alone';
    }
    if (character === '\r') this.afterCarriageReturn = true;
    else this.takeOther(character);
    return undefined;
  }

  private takeOther(character: string): void {
    if (this.state === 'quoted') {
      if (character === '"') this.state = 'closed';
      else this.add(character);
    } else if (character === ',') {
      this.endField();
    } else if (character === '"') {
      if (this.state === 'closed') this.add('"');
      else if (this.state === 'plain') this.problem ??= 'a quote stands within a field';
      this.state = 'quoted';
    } else {
      if (this.state === 'closed') this.problem ??= 'something follows a closing quote';
      this.state = 'plain';
      this.add(character);
    }
  }

  private add(text: string): void {
    if (this.field.length + text.length > MAX_FIELD_CHARACTERS)
      this.problem ??= `a field has more than ${MAX_FIELD_CHARACTERS} characters`;
    else this.field += text;
  }

  private endField(): void {
    if (this.fields.length >= MAX_FIELDS) this.problem ??= `there are more than ${MAX_FIELDS} fields`;
    else this.fields.push(this.field);
    this.field = '';
    this.state = 'start';
  }

  private finish(): CsvRecord {
    this.endField();
    const { fields, problem, firstLine } = this;
    this.fields = [];
    this.problem = undefined;
    this.firstLine = this.line;
    return problem === undefined ? { line: firstLine, fields } : { line: firstLine, problem };
  }
}
