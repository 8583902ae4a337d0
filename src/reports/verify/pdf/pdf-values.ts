/**
 * Values of PDF (ISO 32000-1 section 7.3) as our reports hold them, read strictly: what our writer never writes, such
 * as a comment, a nested parenthesis or a key that stands twice, is refused instead of being understood.
 */

/** The file is not of the form that this program writes; the message says where, in plain words. */
export class ForeignForm extends Error {}

export class PdfName {
  constructor(readonly name: string) {}
}

/** A reference to an object. */
export class PdfReference {
  constructor(readonly id: number) {}
}

export class PdfText {
  constructor(readonly bytes: Buffer) {}
}

/** Hexadecimal digits, by the place of their brackets in the file: `start` is that of `<`, `end` follows `>`. */
export class PdfHex {
  constructor(
    readonly start: number,
    readonly end: number,
  ) {}
}

export type PdfDictionary = ReadonlyMap<string, PdfValue>;
export type PdfValue =
  null | boolean | number | PdfName | PdfReference | PdfText | PdfHex | readonly PdfValue[] | PdfDictionary;

const MAX_DEPTH = 32;
const MAX_NAME_BYTES = 256;
const MAX_TEXT_BYTES = 1024 * 1024;
/** In one object; the list of all elements of a long report is the longest one. */
const MAX_VALUES = 2_000_000;

const code = (character: string): number => character.charCodeAt(0);
const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a;
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
const isHexDigit = (byte: number | undefined): boolean =>
  isDigit(byte) || (byte !== undefined && byte >= 0x61 && byte <= 0x66);
const DELIMITERS = new Set([...'()<>[]{}/%'].map(code));
const isRegular = (byte: number | undefined): boolean =>
  byte !== undefined && byte > 0x20 && byte < 0x7f && !DELIMITERS.has(byte);

const OPEN = code('(');
const CLOSE = code(')');
const BACKSLASH = code('\\');
const LESS = code('<');
const GREATER = code('>');
const SLASH = code('/');
const OPEN_ARRAY = code('[');
const CLOSE_ARRAY = code(']');

/** Reads values one after the other; every step goes forward, so time grows with the length alone. */
export class PdfScanner {
  private values = 0;

  constructor(
    private readonly bytes: Buffer,
    public position: number,
    private readonly end: number,
  ) {}

  /** @throws ForeignForm unless exactly this text follows */
  expect(text: string): void {
    const until = this.position + text.length;
    if (until > this.end || this.bytes.toString('latin1', this.position, until) !== text)
      throw new ForeignForm(`something else stands at byte ${this.position} than in our reports`);
    this.position = until;
  }

  value(depth = 0): PdfValue {
    this.values += 1;
    if (depth > MAX_DEPTH || this.values > MAX_VALUES)
      throw new ForeignForm('an object holds values beyond measure');
    this.space();
    const byte = this.at(0);
    if (byte === SLASH) return this.name();
    if (byte === OPEN) return this.text();
    if (byte === OPEN_ARRAY) return this.array(depth);
    if (byte === LESS) return this.at(1) === LESS ? this.dictionary(depth) : this.hex();
    return this.numberOrWord();
  }

  private at(ahead: number): number | undefined {
    const place = this.position + ahead;
    return place < this.end ? this.bytes[place] : undefined;
  }

  private space(): void {
    while (isSpace(this.at(0))) this.position += 1;
  }

  private fail(): never {
    throw new ForeignForm(`the value at byte ${this.position} is not as in our reports`);
  }

  private name(): PdfName {
    const start = this.position + 1;
    this.position = start;
    while (isRegular(this.at(0))) this.position += 1;
    if (this.position === start || this.position - start > MAX_NAME_BYTES) this.fail();
    return new PdfName(this.bytes.toString('latin1', start, this.position));
  }

  private text(): PdfText {
    const start = this.position + 1;
    this.position = start;
    for (;;) {
      const byte = this.at(0);
      if (byte === undefined || byte === OPEN || this.position - start > MAX_TEXT_BYTES) this.fail();
      if (byte === CLOSE) break;
      this.position += byte === BACKSLASH ? 2 : 1;
    }
    const written = this.bytes.toString('latin1', start, this.position);
    this.position += 1;
    return new PdfText(Buffer.from(unescaped(written), 'latin1'));
  }

  private hex(): PdfHex {
    const start = this.position;
    this.position += 1;
    while (isHexDigit(this.at(0))) this.position += 1;
    if (this.at(0) !== GREATER) this.fail();
    this.position += 1;
    return new PdfHex(start, this.position);
  }

  private array(depth: number): PdfValue[] {
    this.position += 1;
    const values: PdfValue[] = [];
    for (;;) {
      this.space();
      if (this.at(0) === CLOSE_ARRAY) break;
      values.push(this.value(depth + 1));
    }
    this.position += 1;
    return values;
  }

  private dictionary(depth: number): PdfDictionary {
    this.position += 2;
    const members = new Map<string, PdfValue>();
    for (;;) {
      this.space();
      if (this.at(0) === GREATER && this.at(1) === GREATER) break;
      if (this.at(0) !== SLASH) this.fail();
      const { name } = this.name();
      if (members.has(name)) this.fail();
      members.set(name, this.value(depth + 1));
    }
    this.position += 2;
    return members;
  }

  private numberOrWord(): PdfValue {
    const start = this.position;
    while (isRegular(this.at(0))) this.position += 1;
    const word = this.bytes.toString('latin1', start, Math.min(this.position, start + MAX_NAME_BYTES));
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === 'null') return null;
    if (!/^-?\d{1,15}(?:\.\d{1,15})?$/.test(word)) this.fail();
    return this.reference(word) ?? Number(word);
  }

  /** `12 0 R`, where a number was read that could be the first of it. Generations are always 0: nothing is updated. */
  private reference(word: string): PdfReference | undefined {
    const isReference =
      this.bytes.toString('latin1', this.position, Math.min(this.position + 4, this.end)) === ' 0 R';
    if (!isReference || isRegular(this.at(4))) return undefined;
    if (!/^[1-9]\d{0,9}$/.test(word)) this.fail();
    this.position += 4;
    return new PdfReference(Number(word));
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

function unescaped(text: string): string {
  return text.replaceAll(/\\([^])/g, (_, character: string) => ESCAPES[character] ?? character);
}

export function isDictionary(value: PdfValue | undefined): value is PdfDictionary {
  return value instanceof Map;
}

/** The name under a key; `undefined` when something else stands there. */
export function nameIn(dictionary: PdfDictionary, key: string): string | undefined {
  const value = dictionary.get(key);
  return value instanceof PdfName ? value.name : undefined;
}
