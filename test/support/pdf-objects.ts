import { inflateSync } from 'node:zlib';

/** A PDF as its objects (ISO 32000-1 section 7), read by the table at its end: independent of the library that writes. */

export class PdfName {
  constructor(readonly name: string) {}
}
export class PdfReference {
  constructor(readonly number: number) {}
}
export class PdfString {
  constructor(
    readonly bytes: Buffer,
    readonly isHex: boolean,
  ) {}

  /** PDFDocEncoding as far as it is Latin-1, or UTF-16BE with its mark. */
  get text(): string {
    const { bytes } = this;
    if (bytes[0] === 0xfe && bytes[1] === 0xff)
      return Buffer.from(bytes.subarray(2)).swap16().toString('utf16le');
    return bytes.toString('latin1');
  }
}
export class PdfStream {
  constructor(
    readonly dictionary: PdfDictionary,
    readonly raw: Buffer,
  ) {}

  get data(): Buffer {
    const filter = this.dictionary.get('Filter');
    return filter instanceof PdfName && filter.name === 'FlateDecode' ? inflateSync(this.raw) : this.raw;
  }
}
export type PdfDictionary = ReadonlyMap<string, PdfValue>;
export type PdfValue =
  | PdfName
  | PdfReference
  | PdfString
  | PdfStream
  | PdfDictionary
  | readonly PdfValue[]
  | number
  | boolean
  | null;

/** White space and comments. */
const SKIPPED = /(?:[\0\t\n\f\r ]+|%[^\r\n]*)*/y;
const WORD = /[^\0\t\n\f\r ()<>[\]{}/%]*/y;
const PLAIN_STRING = /\(([^()\\\r]*)\)/y;

/** Values one after another from a place in the file. */
class Reader {
  constructor(
    private readonly text: string,
    public at: number,
  ) {}

  value(): PdfValue {
    this.skipWhite();
    const two = this.text.slice(this.at, this.at + 2);
    if (two === '<<') return this.dictionary();
    const [one = ''] = two;
    if (one === '[') return this.array();
    if (one === '<') return this.hex();
    if (one === '(') return this.literal();
    if (one === '/') return this.name();
    const word = this.word();
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === 'null') return null;
    const reference = /^\s+\d+\s+R(?![A-Za-z])/.exec(this.text.slice(this.at, this.at + 30));
    if (/^\d+$/.test(word) && reference) {
      this.at += reference[0].length;
      return new PdfReference(Number(word));
    }
    if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(word)) throw new Error(`"${word}" at ${this.at} is no value`);
    return Number(word);
  }

  word(): string {
    this.skipWhite();
    return this.take(WORD);
  }

  private skipWhite(): void {
    this.take(SKIPPED);
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [found = ''] = pattern.exec(this.text) ?? [];
    this.at += found.length;
    return found;
  }

  private dictionary(): PdfDictionary {
    this.at += 2;
    const found = new Map<string, PdfValue>();
    for (;;) {
      this.skipWhite();
      if (this.text.startsWith('>>', this.at)) {
        this.at += 2;
        return found;
      }
      const { name } = this.name();
      if (found.has(name)) throw new Error(`the key ${name} stands twice in one dictionary`);
      found.set(name, this.value());
    }
  }

  private array(): PdfValue[] {
    this.at++;
    const found: PdfValue[] = [];
    for (;;) {
      this.skipWhite();
      if (this.text[this.at] === ']') {
        this.at++;
        return found;
      }
      found.push(this.value());
    }
  }

  private name(): PdfName {
    if (this.text[this.at] !== '/') throw new Error(`a name is expected at ${this.at}`);
    this.at++;
    const name = this.take(WORD);
    return new PdfName(
      name.replaceAll(/#([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    );
  }

  private hex(): PdfString {
    const end = this.text.indexOf('>', this.at);
    const digits = this.text.slice(this.at + 1, end).replaceAll(/\s/g, '');
    if (!/^([0-9A-Fa-f]{2})*$/.test(digits))
      throw new Error('a hexadecimal string of odd length or other digits');
    this.at = end + 1;
    return new PdfString(Buffer.from(digits, 'hex'), true);
  }

  private literal(): PdfString {
    PLAIN_STRING.lastIndex = this.at;
    const plain = PLAIN_STRING.exec(this.text);
    if (plain) {
      this.at += plain[0].length;
      return new PdfString(Buffer.from(plain[1] ?? '', 'latin1'), false);
    }
    const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };
    let found = '';
    let depth = 0;
    for (;;) {
      const character = this.text[this.at++];
      if (character === undefined) throw new Error('a string has no end');
      if (character === '\\') {
        const octal = /^[0-7]{1,3}/.exec(this.text.slice(this.at, this.at + 3))?.[0];
        const next = this.text[this.at] ?? '';
        this.at += octal?.length ?? 1;
        found += octal === undefined ? (ESCAPES[next] ?? next) : String.fromCharCode(parseInt(octal, 8));
        continue;
      }
      if (character === '(' && depth++ === 0) continue;
      if (character === ')' && --depth === 0) return new PdfString(Buffer.from(found, 'latin1'), false);
      found += character;
    }
  }
}

/** One whole file, not encrypted, with cross-reference tables; later tables go before earlier ones. */
export class PdfObjects {
  readonly text: string;
  readonly trailer: PdfDictionary;
  private readonly offsets = new Map<number, number>();
  private readonly read = new Map<number, PdfValue>();

  constructor(readonly bytes: Buffer) {
    this.text = bytes.toString('latin1');
    const start = /startxref\s+(\d+)\s+%%EOF\s*$/.exec(this.text)?.[1];
    if (start === undefined) throw new Error('the file does not end with its cross-reference table');
    this.trailer = this.table(Number(start));
  }

  /** Numbers of all objects in use. */
  get numbers(): number[] {
    return [...this.offsets.keys()].sort((a, b) => a - b);
  }

  object(number: number): PdfValue {
    const known = this.read.get(number);
    if (known !== undefined) return known;
    const value = this.parse(number);
    this.read.set(number, value);
    return value;
  }

  /** The value itself where a reference to it stands. */
  resolve(value: PdfValue | undefined): PdfValue | undefined {
    return value instanceof PdfReference ? this.object(value.number) : value;
  }

  /** A member of a dictionary or of the dictionary of a stream; `undefined` where there is none. */
  member(of: PdfValue | undefined, ...path: readonly string[]): PdfValue | undefined {
    let value = this.resolve(of);
    for (const key of path) {
      const dictionary = value instanceof PdfStream ? value.dictionary : value;
      if (!(dictionary instanceof Map)) return undefined;
      value = this.resolve((dictionary as PdfDictionary).get(key));
    }
    return value;
  }

  private table(at: number): PdfDictionary {
    const reader = new Reader(this.text, at);
    if (reader.word() !== 'xref') throw new Error(`no cross-reference table at ${at}`);
    for (;;) {
      const word = reader.word();
      if (word === 'trailer') break;
      const [first, count] = [Number(word), Number(reader.word())];
      for (let i = 0; i < count; i++) {
        const offset = Number(reader.word());
        reader.word();
        // A newer table was read first.
        if (reader.word() === 'n' && !this.offsets.has(first + i)) this.offsets.set(first + i, offset);
      }
    }
    const trailer = reader.value();
    if (!(trailer instanceof Map)) throw new Error('the trailer is no dictionary');
    const previous = (trailer as PdfDictionary).get('Prev');
    if (typeof previous === 'number') this.table(previous);
    return trailer as PdfDictionary;
  }

  private parse(number: number): PdfValue {
    const offset = this.offsets.get(number);
    if (offset === undefined) throw new Error(`there is no object ${number}`);
    const head = /^(\d+) 0 obj\s/.exec(this.text.slice(offset, offset + 30));
    if (head === null || Number(head[1]) !== number)
      throw new Error(`object ${number} is not where the table says`);
    const reader = new Reader(this.text, offset + head[0].length);
    const value = reader.value();
    const after = /^\s*(endobj|stream\r?\n)/.exec(this.text.slice(reader.at, reader.at + 40));
    if (after === null) throw new Error(`object ${number} has no end`);
    if (after[1] === 'endobj' || !(value instanceof Map)) return value;
    const dictionary = value as PdfDictionary;
    const length = this.resolve(dictionary.get('Length'));
    if (typeof length !== 'number') throw new Error(`the stream ${number} has no length`);
    const start = reader.at + after[0].length;
    if (!/^\r?\nendstream\s+endobj/.test(this.text.slice(start + length, start + length + 40)))
      throw new Error(`the length of stream ${number} is wrong`);
    return new PdfStream(dictionary, this.bytes.subarray(start, start + length));
  }
}
