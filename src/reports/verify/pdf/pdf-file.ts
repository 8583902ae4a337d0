import {
  ForeignForm,
  isDictionary,
  nameIn,
  PdfHex,
  PdfReference,
  PdfScanner,
  PdfText,
  type PdfDictionary,
  type PdfValue,
} from './pdf-values.js';

/** The first line of our files, and four bytes that say that binary data follow. */
const HEADER = '%PDF-1.7\n%\xff\xff\xff\xff\n';
const END = /startxref\n([1-9]\d{0,9})\n%%EOF\n$/;
/** `startxref`, a number, `%%EOF`. */
const END_BYTES = 64;
const CROSS_REFERENCE_BYTES = 20;
const MAX_OBJECTS = 2_000_000;

export interface PdfObject {
  readonly value: PdfValue;
  readonly stream: Buffer | undefined;
}

/** The signature dictionary, and where its digits lie: `gapStart` is the place of `<`, `gapEnd` follows `>`. */
export interface PdfSignatureParts {
  readonly byteRange: readonly number[];
  readonly gapStart: number;
  readonly gapEnd: number;
  /** `M` as it stands there. */
  readonly signedAt: string;
}

/**
 * A PDF in the form that our writer gives it, and in no other: one revision, one table of references, and objects that
 * fill the file from the header to that table without a byte between them. So there is nothing in it that one reader
 * could see and another could not.
 */
export class PdfFile {
  /** Where each object begins, by its number. */
  private readonly places: readonly number[];
  /** Where what follows each object begins. */
  private readonly ends = new Map<number, number>();
  private readonly catalog: PdfDictionary;
  /** Of objects that a reader of reports looks for. */
  private readonly signatures: number[] = [];
  private readonly fileSpecifications: number[] = [];
  private streams = 0;

  /** @throws ForeignForm */
  constructor(private readonly bytes: Buffer) {
    if (bytes.toString('latin1', 0, HEADER.length) !== HEADER)
      throw new ForeignForm('it does not begin as our reports do');
    const tail = bytes.toString('latin1', Math.max(0, bytes.length - END_BYTES));
    const end = END.exec(tail);
    if (end === null) throw new ForeignForm('it does not end as our reports do');
    const tableAt = Number(end[1]);
    if (tableAt >= bytes.length) throw new ForeignForm('its table of references is not where it says');
    const scanner = new PdfScanner(bytes, tableAt, bytes.length);
    this.places = readTable(scanner, bytes);
    const trailer = scanner.value();
    scanner.expect(`\nstartxref\n${tableAt}\n%%EOF\n`);
    if (scanner.position !== bytes.length) throw new ForeignForm('bytes follow its end');
    const isWhole = isDictionary(trailer) && [...trailer.keys()].join(' ') === 'Size Root Info ID';
    if (!isWhole || trailer.get('Size') !== this.places.length)
      throw new ForeignForm('its end is not that of a file that was written once');
    this.readAll(tableAt);
    this.catalog = this.dictionary(trailer.get('Root'));
    if (nameIn(this.catalog, 'Type') !== 'Catalog') throw new ForeignForm('it has no catalog');
  }

  /** Each object begins where the one before it ends: nothing lies between them, and none lies in another. */
  private readAll(tableAt: number): void {
    const order = this.places.map((place, id) => ({ place, id })).slice(1);
    order.sort((a, b) => a.place - b.place);
    if (order[0]?.place !== HEADER.length) throw new ForeignForm('something lies before its first object');
    for (const [i, { id }] of order.entries()) {
      this.ends.set(id, order[i + 1]?.place ?? tableAt);
      this.note(id, this.object(id));
    }
  }

  private note(id: number, { value, stream }: PdfObject): void {
    if (stream !== undefined && isDictionary(value) && nameIn(value, 'Type') === 'EmbeddedFile')
      this.streams += 1;
    for (const dictionary of dictionariesIn(value)) {
      const type = nameIn(dictionary, 'Type');
      const isOwnObject = dictionary === value && stream === undefined;
      if (dictionary.has('ByteRange') || type === 'Sig' || type === 'DocTimeStamp') {
        if (!isOwnObject) throw new ForeignForm('a signature stands where our reports have none');
        this.signatures.push(id);
      }
      if (type === 'Filespec') {
        if (!isOwnObject) throw new ForeignForm('an attachment stands where our reports have none');
        this.fileSpecifications.push(id);
      }
    }
  }

  /** @throws ForeignForm */
  private object(id: number): PdfObject {
    const place = this.places[id];
    const end = this.ends.get(id);
    if (place === undefined || end === undefined) throw new ForeignForm(`there is no object ${id}`);
    const scanner = new PdfScanner(this.bytes, place, end);
    scanner.expect(`${id} 0 obj\n`);
    const value = scanner.value();
    scanner.expect('\n');
    let stream: Buffer | undefined;
    if (this.bytes.toString('latin1', scanner.position, scanner.position + 7) === 'stream\n') {
      scanner.expect('stream\n');
      const length = isDictionary(value) ? value.get('Length') : undefined;
      if (typeof length !== 'number' || !Number.isInteger(length) || length < 0)
        throw new ForeignForm(`object ${id} does not say how long it is`);
      stream = this.bytes.subarray(scanner.position, scanner.position + length);
      scanner.position += length;
      scanner.expect('\nendstream\n');
    }
    scanner.expect('endobj\n');
    if (scanner.position !== end) throw new ForeignForm(`something lies after object ${id}`);
    return { value, stream };
  }

  private dictionary(value: PdfValue | undefined): PdfDictionary {
    const found = value instanceof PdfReference ? this.object(value.id).value : value;
    if (!isDictionary(found)) throw new ForeignForm('a dictionary is missing');
    return found;
  }

  /** The one signature: that of the one field of the form. @throws ForeignForm */
  signature(): PdfSignatureParts {
    const [id, ...others] = this.signatures;
    if (id === undefined) throw new ForeignForm('it carries no signature');
    if (others.length > 0) throw new ForeignForm('it carries more than one signature');
    const form = this.dictionary(this.catalog.get('AcroForm'));
    const fields = form.get('Fields');
    const field =
      Array.isArray(fields) && fields.length === 1 ? this.dictionary(fields[0] as PdfValue) : form;
    const signed = field.get('V');
    if (nameIn(field, 'FT') !== 'Sig' || !(signed instanceof PdfReference) || signed.id !== id)
      throw new ForeignForm('its signature is not that of its one field');
    const dictionary = this.dictionary(signed);
    const contents = dictionary.get('Contents');
    const range = dictionary.get('ByteRange');
    const time = dictionary.get('M');
    const isOurs =
      nameIn(dictionary, 'Type') === 'Sig' &&
      nameIn(dictionary, 'Filter') === 'Adobe.PPKLite' &&
      nameIn(dictionary, 'SubFilter') === 'ETSI.CAdES.detached';
    if (!isOurs || !(contents instanceof PdfHex) || !(time instanceof PdfText) || !isNumbers(range))
      throw new ForeignForm('its signature is of another kind than ours');
    return {
      byteRange: range,
      gapStart: contents.start,
      gapEnd: contents.end,
      signedAt: time.bytes.toString('latin1'),
    };
  }

  /** Each attachment: its name, what it is to the report, and the object with its bytes. @throws ForeignForm */
  *attachments(): Generator<{
    readonly name: string;
    readonly relationship: string;
    readonly file: PdfObject;
  }> {
    if (this.streams !== this.fileSpecifications.length)
      throw new ForeignForm('it has files inside that nothing names');
    const names = new Set<string>();
    for (const id of this.fileSpecifications) {
      const specification = this.dictionary(new PdfReference(id));
      const name = specification.get('F');
      const relationship = nameIn(specification, 'AFRelationship');
      const held = this.dictionary(specification.get('EF')).get('F');
      if (!(name instanceof PdfText) || relationship === undefined || !(held instanceof PdfReference))
        throw new ForeignForm('an attachment is of another kind than ours');
      const text = name.bytes.toString('latin1');
      if (names.has(text)) throw new ForeignForm('two attachments have one name');
      names.add(text);
      yield { name: text, relationship, file: this.object(held.id) };
    }
  }
}

/** `xref`, then twenty bytes for each object. @returns where each begins, by its number; 0 is none */
function readTable(scanner: PdfScanner, bytes: Buffer): number[] {
  const begins = 'xref\n0 ';
  if (bytes.toString('latin1', scanner.position, scanner.position + begins.length) !== begins)
    throw new ForeignForm('its table of references is not that of a file that was written once');
  scanner.position += begins.length;
  const count = scanner.value();
  scanner.expect('\n0000000000 65535 f \n');
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 2 || count > MAX_OBJECTS)
    throw new ForeignForm('its table of references has no length that we write');
  const places = [0];
  for (let id = 1; id < count; id++) {
    const line = bytes.toString('latin1', scanner.position, scanner.position + CROSS_REFERENCE_BYTES);
    if (!/^\d{10} 00000 n \n$/.test(line))
      throw new ForeignForm('its table of references is not as we write it');
    places.push(Number(line.slice(0, 10)));
    scanner.position += CROSS_REFERENCE_BYTES;
  }
  scanner.expect('trailer\n');
  return places;
}

function* dictionariesIn(value: PdfValue): Generator<PdfDictionary> {
  if (isDictionary(value)) {
    yield value;
    for (const member of value.values()) yield* dictionariesIn(member);
  } else if (Array.isArray(value))
    for (const member of value as readonly PdfValue[]) yield* dictionariesIn(member);
}

function isNumbers(value: PdfValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number');
}
