import {
  type PdfDictionary,
  PdfName,
  PdfObjects,
  PdfReference,
  PdfStream,
  PdfString,
  type PdfValue,
} from './pdf-objects.js';

/**
 * What a validator asks of PDF/A-3, level A (ISO 19005-3, which takes most of its clauses from ISO 19005-2), as far as
 * these documents have it at all. No substitute for a validator: a clause that is not here is not checked.
 *
 * @returns what is wrong, a sentence each with its clause; empty when nothing is
 */
export function pdfaFaults(bytes: Buffer): string[] {
  return new PdfaCheck(new PdfObjects(bytes)).all();
}

/** ISO 19005-2, 6.1.13; names by ISO 32000-1 annex C. */
const LIMITS = {
  stringBytes: 32_767,
  nameBytes: 127,
  integer: 2_147_483_647,
  objects: 8_388_607,
  nesting: 28,
};
/** ISO 32000-1, 14.8.4; others need a role map. */
const STRUCTURE = new Set(
  'Document Part Art Sect Div BlockQuote Caption TOC TOCI Index NonStruct Private P H H1 H2 H3 H4 H5 H6 L LI Lbl LBody Table TR TH TD THead TBody TFoot Span Quote Note Reference BibEntry Code Link Annot Figure Formula Form'.split(
    ' ',
  ),
);
const FORBIDDEN_ANNOTATIONS = new Set(['3D', 'Sound', 'Screen', 'Movie']);
const FORBIDDEN_ACTIONS = new Set(
  'Launch Sound Movie ResetForm ImportData Hide SetOCGState Rendition Trans GoTo3DView JavaScript'.split(' '),
);

class PdfaCheck {
  private readonly faults: string[] = [];
  private readonly catalog: PdfValue | undefined;
  private readonly all_: readonly [number, PdfValue][];

  constructor(private readonly pdf: PdfObjects) {
    this.catalog = pdf.resolve(pdf.trailer.get('Root'));
    this.all_ = pdf.numbers.map((number) => [number, pdf.object(number)]);
  }

  all(): string[] {
    this.fileStructure();
    for (const [number, value] of this.all_) this.value(value, `object ${number}`);
    this.metadata();
    this.outputIntent();
    this.fonts();
    this.pages();
    this.structure();
    this.attachments();
    this.forms();
    return this.faults;
  }

  private require(holds: boolean, clause: string, fault: string): void {
    if (!holds) this.faults.push(`${clause}: ${fault}`);
  }

  private fileStructure(): void {
    const { text, trailer, bytes } = this.pdf;
    this.require(/^%PDF-1\.[0-7]\n%/.test(text), '6.1.2', 'the header');
    const marks = bytes.subarray(text.indexOf('\n') + 2).subarray(0, 4);
    this.require(
      marks.every((byte) => byte > 127),
      '6.1.2',
      'no four bytes above 127 after the header',
    );
    const id = this.pdf.resolve(trailer.get('ID'));
    const isId = Array.isArray(id) && id.length === 2 && id.every((each) => each instanceof PdfString);
    this.require(isId, '6.1.3', 'no file identifier');
    this.require(!trailer.has('Encrypt'), '6.1.3', 'the file is encrypted');
    this.require(this.all_.length < LIMITS.objects, '6.1.13', 'too many objects');
    for (const key of ['Requirements', 'OCProperties', 'AA', 'OpenAction', 'PresSteps', 'XFA'])
      this.require(this.member(this.catalog, key) === undefined, '6.5', `the catalog has ${key}`);
  }

  /** Everything that any value may hold, however deep it lies. */
  private value(value: PdfValue | undefined, where: string): void {
    if (value instanceof PdfString)
      return this.require(
        value.bytes.length <= LIMITS.stringBytes,
        '6.1.13',
        `${where}: a string is too long`,
      );
    if (value instanceof PdfName)
      return this.require(value.name.length <= LIMITS.nameBytes, '6.1.13', `${where}: a name is too long`);
    if (typeof value === 'number')
      return this.require(
        Math.abs(value) <= LIMITS.integer || (where.includes('ByteRange') && value > 0),
        '6.1.13',
        `${where}: a number is too large`,
      );
    if (Array.isArray(value)) return value.forEach((each: PdfValue, i) => this.value(each, `${where}[${i}]`));
    const dictionary = value instanceof PdfStream ? value.dictionary : value;
    if (!(dictionary instanceof Map)) return;
    const entries = dictionary as PdfDictionary;
    if (value instanceof PdfStream) this.stream(entries, where);
    const action = entries.get('S');
    if (action instanceof PdfName && !entries.has('P'))
      this.require(!FORBIDDEN_ACTIONS.has(action.name), '6.5.1', `${where}: an action ${action.name}`);
    for (const key of ['JS', 'Alternates', 'OPI', 'TR', 'HTP', 'Ref'])
      this.require(!entries.has(key), '6.2', `${where} has ${key}`);
    for (const [key, member] of entries) this.value(member, `${where}/${key}`);
  }

  private stream(entries: PdfDictionary, where: string): void {
    for (const key of ['F', 'FFilter', 'FDecodeParms'])
      this.require(!entries.has(key), '6.1.7.1', `${where}: a stream has ${key}`);
    const filter = this.pdf.resolve(entries.get('Filter'));
    const names = Array.isArray(filter) ? (filter as PdfValue[]) : [filter];
    for (const each of names)
      this.require(
        !(each instanceof PdfName) || !['LZWDecode', 'Crypt'].includes(each.name),
        '6.1.7.2',
        `${where}: a filter that is not allowed`,
      );
    if (this.name(entries.get('Subtype')) !== 'Image') return;
    this.require(entries.get('Interpolate') !== true, '6.2.8', `${where}: an image asks for interpolation`);
    const space = this.pdf.resolve(entries.get('ColorSpace'));
    const words = JSON.stringify(this.plain(space));
    this.require(!words.includes('DeviceCMYK'), '6.2.4.3', `${where}: CMYK under an RGB output intent`);
  }

  private metadata(): void {
    const metadata = this.member(this.catalog, 'Metadata');
    if (!(metadata instanceof PdfStream)) return this.require(false, '6.6.2.1', 'no metadata');
    this.require(
      this.name(metadata.dictionary.get('Type')) === 'Metadata',
      '6.6.2.1',
      'the type of the metadata',
    );
    this.require(
      this.name(metadata.dictionary.get('Subtype')) === 'XML',
      '6.6.2.1',
      'metadata that is no XML',
    );
    // Asked by PDF/A-1 and by archives that look for it with other programs.
    this.require(!metadata.dictionary.has('Filter'), '6.6.2.1', 'the metadata is compressed');
    const xml = metadata.data.toString('utf8');
    this.require(/<\?xpacket begin=/.test(xml), '6.6.2.1', 'no packet header');
    this.require(
      !/<\?xpacket [^>]*\b(bytes|encoding)=/.test(xml),
      '6.6.2.1',
      'the packet header says too much',
    );
    this.require(!/&(?!(amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)/.test(xml), '6.6.2.1', 'it is no XML');
    this.require(xml.includes('<pdfaid:part>3</pdfaid:part>'), '6.6.4', 'the part');
    this.require(xml.includes('<pdfaid:conformance>A</pdfaid:conformance>'), '6.6.4', 'the conformance');
    const info = this.member(this.pdf.trailer.get('Info'));
    this.equalInXmp(xml, info, 'Title', /<dc:title>\s*<rdf:Alt>\s*<rdf:li xml:lang="x-default">([^<]*)/);
    this.equalInXmp(xml, info, 'Creator', /<xmp:CreatorTool>([^<]*)/);
    this.equalInXmp(xml, info, 'Producer', /<pdf:Producer>([^<]*)/);
    this.equalInXmp(
      xml,
      info,
      'Subject',
      /<dc:description>\s*<rdf:Alt>\s*<rdf:li xml:lang="x-default">([^<]*)/,
    );
    const created = this.member(info, 'CreationDate');
    const stated = /<xmp:CreateDate>([^<]*)/.exec(xml)?.[1];
    if (created instanceof PdfString)
      this.require(
        stated !== undefined && dateOf(created.text) === Date.parse(stated),
        '6.6.3',
        `CreationDate is ${created.text}, and in the metadata ${stated ?? 'nothing'}`,
      );
  }

  private equalInXmp(xml: string, info: PdfValue | undefined, key: string, pattern: RegExp): void {
    const value = this.member(info, key);
    if (!(value instanceof PdfString)) return;
    const stated = pattern.exec(xml)?.[1];
    this.require(
      stated === value.text,
      '6.6.3',
      `${key} is "${value.text}", and in the metadata "${stated ?? ''}"`,
    );
  }

  private outputIntent(): void {
    const intents = this.member(this.catalog, 'OutputIntents');
    const [intent] = Array.isArray(intents) ? (intents as PdfValue[]) : [];
    this.require(this.name(this.member(intent, 'S')) === 'GTS_PDFA1', '6.2.3', 'no output intent for PDF/A');
    const profile = this.member(intent, 'DestOutputProfile');
    if (!(profile instanceof PdfStream)) return this.require(false, '6.2.3', 'no profile');
    const icc = profile.data;
    this.require(icc.readUInt32BE(0) === icc.length, '6.2.3', 'the profile is cut');
    this.require(icc.toString('latin1', 36, 40) === 'acsp', '6.2.3', 'it is no ICC profile');
    this.require((icc[8] ?? 9) < 5, '6.2.3', 'the version of the profile');
    this.require(
      ['mntr', 'prtr'].includes(icc.toString('latin1', 12, 16)),
      '6.2.3',
      'the class of the profile',
    );
    const isRgb = icc.toString('latin1', 16, 20) === 'RGB ' && profile.dictionary.get('N') === 3;
    this.require(isRgb, '6.2.3', 'the color space of the profile');
  }

  private fonts(): void {
    const fonts = this.all_.filter(([, value]) => this.name(this.member(value, 'Type')) === 'Font');
    this.require(fonts.length > 0, '6.2.11', 'no font');
    for (const [number, font] of fonts) {
      const where = `font ${number}`;
      const subtype = this.name(this.member(font, 'Subtype'));
      if (subtype === 'Type0') {
        this.type0(font, where);
        continue;
      }
      this.require(
        subtype === 'CIDFontType2',
        '6.2.11.2',
        `${where} is ${String(subtype)}, which is not expected`,
      );
      const descriptor = this.member(font, 'FontDescriptor');
      const file = this.member(descriptor, 'FontFile2');
      this.require(
        file instanceof PdfStream && file.data.length > 0,
        '6.2.11.4.1',
        `${where} is not embedded`,
      );
      const map = this.member(font, 'CIDToGIDMap');
      this.require(
        this.name(map) === 'Identity' || map instanceof PdfStream,
        '6.2.11.3.2',
        `${where} has no map from characters to glyphs`,
      );
      this.require(Array.isArray(this.member(font, 'W')), '6.2.11.5', `${where} has no widths`);
      this.require(
        this.member(descriptor, 'CIDSet') === undefined,
        '6.2.11.4.2',
        `${where} has a set that may be incomplete`,
      );
    }
  }

  private type0(font: PdfValue, where: string): void {
    this.require(
      this.name(this.member(font, 'Encoding')) === 'Identity-H',
      '6.2.11.3.3',
      `${where}: a character map that is not embedded`,
    );
    const map = this.member(font, 'ToUnicode');
    if (!(map instanceof PdfStream)) return this.require(false, '6.2.11.7.2', `${where} says no characters`);
    const words = map.data.toString('latin1');
    // The first line says the range of codes; what is mapped follows.
    const mapped = /beginbfrange([\s\S]*)endbfrange/.exec(words)?.[1] ?? '';
    this.require(
      !/<(0000|feff|fffe)>(?=[\s\]])(?! <)/i.test(
        mapped.replaceAll(/<[0-9a-f]{4}> <[0-9a-f]{4}> \[/gi, '[').replace(/\[\s*<0000>/, '['),
      ),
      '6.2.11.7.2',
      `${where}: a glyph that stands for no character`,
    );
  }

  private pages(): void {
    const pages = this.all_.filter(([, value]) => this.name(this.member(value, 'Type')) === 'Page');
    this.require(pages.length > 0, '6.1', 'no page');
    for (const [number, page] of pages) {
      const where = `page ${number}`;
      this.require(this.member(page, 'AA') === undefined, '6.5.2', `${where} acts by itself`);
      this.annotations(page, where);
      const contents = this.member(page, 'Contents');
      if (contents instanceof PdfStream) this.contents(contents.data.toString('latin1'), where);
      else this.require(false, '6.2.2', `${where} has no contents`);
    }
    for (const [number, state] of this.all_) {
      const mode = this.name(this.member(state, 'BM'));
      const isPlain = mode === undefined || mode === 'Normal' || mode === 'Compatible';
      this.require(isPlain, '6.2.10', `object ${number} blends as ${mode ?? ''}`);
    }
  }

  private annotations(page: PdfValue, where: string): void {
    const annotations = this.member(page, 'Annots');
    for (const each of Array.isArray(annotations) ? (annotations as PdfValue[]) : []) {
      const subtype = this.name(this.member(each, 'Subtype')) ?? '';
      this.require(!FORBIDDEN_ANNOTATIONS.has(subtype), '6.3.1', `${where}: an annotation ${subtype}`);
      const flags = this.member(each, 'F');
      // Print set; Invisible, Hidden, ToggleNoView and NoView not (ISO 32000-1 table 165).
      const fits = typeof flags === 'number' && (flags & 4) !== 0 && (flags & (1 | 2 | 32 | 256)) === 0;
      this.require(fits, '6.3.2', `${where}: the flags of an annotation`);
      const rectangle = this.member(each, 'Rect');
      const [a, b, c, d] = Array.isArray(rectangle) ? (rectangle as PdfValue[]) : [];
      const hasSize = a !== c || b !== d;
      this.require(!hasSize || this.member(each, 'AP') !== undefined, '6.3.3', `${where}: no appearance`);
    }
  }

  /** Everything on a page is part of the structure, or said to be none of it; saved states are few and balanced. */
  private contents(text: string, where: string): void {
    let marked = 0;
    let saved = 0;
    const operators = text.replaceAll(/\((?:\\.|[^()\\])*\)|<[0-9A-Fa-f\s]*>/g, ' ');
    for (const [token] of operators.matchAll(/\b(BDC|BMC|EMC|q|Q|Tj|TJ|Do|f|S|B|sh|k|K|ri)(?=[\s]|$)/g)) {
      if (token === 'BDC' || token === 'BMC') marked++;
      else if (token === 'EMC') marked--;
      else if (token === 'q') saved++;
      else if (token === 'Q') saved--;
      else if (token === 'k' || token === 'K') this.require(false, '6.2.4.3', `${where}: a color in CMYK`);
      else if (token !== 'ri')
        this.require(marked > 0, '6.7.1', `${where}: something is drawn outside of the structure`);
      this.require(saved <= LIMITS.nesting, '6.1.13', `${where}: too many saved states`);
    }
    this.require(marked === 0, '6.7', `${where}: marks are not balanced`);
    this.require(saved === 0, '6.2.2', `${where}: saved states are not balanced`);
  }

  private structure(): void {
    this.require(this.member(this.catalog, 'MarkInfo', 'Marked') === true, '6.7.1', 'the file is not marked');
    const language = this.member(this.catalog, 'Lang');
    const isLanguage = language instanceof PdfString && /^[a-z]{2}(-[A-Z]{2})?$/.test(language.text);
    this.require(isLanguage, '6.7.4', 'no language');
    const root = this.member(this.catalog, 'StructTreeRoot');
    this.require(root !== undefined, '6.7.2', 'no structure');
    this.require(this.member(root, 'ParentTree') !== undefined, '6.7.2', 'no parent tree');
    const display = this.member(this.catalog, 'ViewerPreferences', 'DisplayDocTitle');
    this.require(display === true, '7.1 of ISO 14289-1', 'the title is not shown');
    const seen = this.elements(this.member(root, 'K'));
    this.require(seen > 0, '6.7.2', 'a structure without elements');
  }

  /** Everything below a node of the structure tree. @returns how many elements there are */
  private elements(kids: PdfValue | undefined): number {
    const resolved = this.pdf.resolve(kids);
    if (Array.isArray(resolved))
      return (resolved as PdfValue[]).reduce((sum: number, kid) => sum + this.elements(kid), 0);
    const type = this.name(this.member(resolved, 'S'));
    // A number or a dictionary without a type of its own is content, not an element.
    if (type === undefined) return 0;
    this.require(STRUCTURE.has(type), '6.7.3', `${type} is not a standard type`);
    if (type === 'Figure')
      this.require(
        this.member(resolved, 'Alt') instanceof PdfString,
        '7.3 of ISO 14289-1',
        'a figure is not described',
      );
    return 1 + this.elements(this.member(resolved, 'K'));
  }

  private attachments(): void {
    const associated = this.member(this.catalog, 'AF');
    const inCatalog = new Set(
      (Array.isArray(associated) ? (associated as PdfValue[]) : []).flatMap((each) =>
        each instanceof PdfReference ? [each.number] : [],
      ),
    );
    const files = this.all_.filter(([, value]) => this.name(this.member(value, 'Type')) === 'Filespec');
    for (const [number, file] of files) {
      const where = `attachment ${number}`;
      for (const key of ['F', 'UF', 'Desc'])
        this.require(this.member(file, key) instanceof PdfString, '6.8', `${where} has no ${key}`);
      const relation = this.name(this.member(file, 'AFRelationship')) ?? '';
      const isKnown = ['Source', 'Data', 'Alternative', 'Supplement', 'Unspecified'].includes(relation);
      this.require(isKnown, '6.8', `${where} has no relationship`);
      this.require(inCatalog.has(number), '6.8', `${where} is associated with nothing`);
      const stream = this.member(file, 'EF', 'F');
      const type = this.name(this.member(stream, 'Subtype')) ?? '';
      this.require(/^[\w.+-]+\/[\w.+-]+$/.test(type), '6.8', `${where} has no media type`);
      const modified = this.member(stream, 'Params', 'ModDate');
      this.require(modified instanceof PdfString, '6.8', `${where} has no date`);
      const size = this.member(stream, 'Params', 'Size');
      if (stream instanceof PdfStream)
        this.require(size === stream.data.length, '6.8', `${where} has another size than it says`);
    }
    if (files.length > 0)
      this.require(
        this.member(this.catalog, 'Names', 'EmbeddedFiles') !== undefined,
        '6.8',
        'no names of files',
      );
  }

  private forms(): void {
    const form = this.member(this.catalog, 'AcroForm');
    if (form === undefined) return;
    this.require(
      this.member(form, 'NeedAppearances') !== true,
      '6.4.1',
      'appearances are left to the reader',
    );
    this.require(this.member(form, 'XFA') === undefined, '6.4.2', 'a form of another kind');
    const fields = this.member(form, 'Fields');
    for (const field of Array.isArray(fields) ? (fields as PdfValue[]) : []) {
      for (const key of ['A', 'AA'])
        this.require(this.member(field, key) === undefined, '6.4.1', `a field has ${key}`);
      this.signature(this.member(field, 'V'));
    }
  }

  /** ISO 19005-2 annex B: over the whole file but itself, one signer. */
  private signature(signature: PdfValue | undefined): void {
    const range = this.member(signature, 'ByteRange');
    const [first, gap = 0, second = 0, rest = 0] = Array.isArray(range) ? (range as number[]) : [];
    this.require(first === 0, '6.4.3', 'the signature does not begin with the file');
    const { text } = this.pdf;
    this.require(
      text[gap] === '<' && text[second - 1] === '>',
      '6.4.3',
      'the gap holds more than the signature',
    );
    // What follows are later additions, of which each ends the file anew.
    const end = second + rest;
    this.require(/%%EOF\s*$/.test(text.slice(0, end)), '6.4.3', 'what is signed is no whole file');
  }

  private member(of: PdfValue | undefined, ...path: readonly string[]): PdfValue | undefined {
    return this.pdf.member(of, ...path);
  }

  private name(value: PdfValue | undefined): string | undefined {
    const resolved = this.pdf.resolve(value);
    return resolved instanceof PdfName ? resolved.name : undefined;
  }

  private plain(value: PdfValue | undefined): unknown {
    const resolved = this.pdf.resolve(value);
    if (resolved instanceof PdfName) return resolved.name;
    return Array.isArray(resolved) ? (resolved as PdfValue[]).map((each) => this.plain(each)) : null;
  }
}

/** `D:20261122100000Z` */
function dateOf(text: string): number {
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] =
    /^D:(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
