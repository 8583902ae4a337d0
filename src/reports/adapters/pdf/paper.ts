import PDFDocument from 'pdfkit';
import { fontBytes } from './fonts.js';
import { type PdfSignaturePlace } from '../../domain/report-signature.js';
import { reserveSignature } from '../signing/pdf-signature.js';
import { type EmbeddedFont, writePlainTextPlainly } from './plain-layout.js';
import { printableText, REPLACEMENT } from './printable-text.js';
import {
  COLORS,
  CONTENT_BOTTOM,
  CONTENT_WIDTH,
  PAGE,
  STYLES,
  type FontName,
  type TextStyle,
} from './theme.js';
import { wrapText } from './wrap-text.js';

/** Structure types of ISO 32000-1 section 14.8.4 that this report uses. */
export type Tag =
  'Sect' | 'H1' | 'H2' | 'H3' | 'P' | 'Figure' | 'Table' | 'TR' | 'TH' | 'TD' | 'L' | 'LI' | 'LBody' | 'Code';
export type Structure = PDFKit.PDFStructureElement;

/** Indent of a list, in points. */
const INDENT = 12;

export interface PaperOptions {
  readonly title: string;
  readonly subject: string;
  readonly producer: string;
  readonly createdAt: Date;
}

/** What stands over something, and is drawn with the beginning of it or on the next page. */
interface Heading {
  /** With the room above it. */
  readonly height: number;
  /** Height that must follow it, in points, where it is not known what does. */
  readonly keepWith: number;
  readonly draw: () => void;
}

const RULE_HEIGHT = 11;
const LEAD_ROOM = 6;
const PART_ROOM = 3;

/** Above a section and above a part of it, in points; nothing at the top of a page. */
const ROOM_ABOVE = { section: 26, part: 12 } as const;

/**
 * Paper to print on: PDF/A-3a pages with a cursor, safe text, and a structure for screen readers. All text passes
 * through here, so nothing of a stranger reaches the page as it is.
 */
export class Paper {
  readonly doc: PDFKit.PDFDocument;
  /** True when some character could not be printed. */
  hasReplacements = false;
  private readonly root: Structure;
  private section: Structure;
  private top: number = PAGE.top;
  private headings: Heading[] = [];
  private readonly glyphs = new Map<FontName, ReadonlySet<number>>();
  /** What was drawn on each page so far, as lines of its content stream. */
  private readonly drawn = new Map<PDFKit.PDFPage, string[]>();

  constructor(options: PaperOptions) {
    this.doc = new PDFDocument({
      size: PAGE.size,
      // The cursor of the library stays unused: with margins it would begin pages by itself.
      margin: 0,
      pdfVersion: '1.7',
      subset: 'PDF/A-3a',
      tagged: true,
      lang: 'en-US',
      displayTitle: true,
      bufferPages: true,
      font: undefined as unknown as string,
      info: {
        Title: options.title,
        Subject: options.subject,
        Creator: options.producer,
        Producer: options.producer,
        CreationDate: options.createdAt,
      },
      autoFirstPage: false,
    });
    this.gatherContent();
    for (const name of ['regular', 'strong', 'mono'] as const) this.registerFont(name);
    this.doc.addPage();
    this.root = this.doc.struct('Document');
    this.doc.addStructure(this.root);
    this.section = this.root;
  }

  /** The library makes an array of bytes of each operator as it comes, a hundred thousand of them; this one of each page. */
  private gatherContent(): void {
    const doc = this.doc as unknown as { page: PDFKit.PDFPage; addContent(operator: string): unknown };
    doc.addContent = (operator) => {
      const lines = this.drawn.get(doc.page);
      if (lines) lines.push(operator);
      else this.drawn.set(doc.page, [operator]);
      return doc;
    };
  }

  private writeContent(): void {
    for (const [page, lines] of this.drawn)
      (page as unknown as { write(content: string): void }).write(lines.join('\n'));
    this.drawn.clear();
  }

  private registerFont(name: FontName): void {
    this.doc.registerFont(name, fontBytes(name));
    this.doc.font(name);
    const { _font: embedded } = this.doc as unknown as {
      _font: EmbeddedFont & { font: { characterSet: readonly number[] } };
    };
    writePlainTextPlainly(embedded);
    this.glyphs.set(name, new Set(embedded.font.characterSet));
  }

  /** Where the next thing goes, in points from the top of the page. */
  get y(): number {
    this.drawHeadings(this.headings.at(-1)?.keepWith ?? 0);
    return this.top;
  }

  set y(points: number) {
    this.top = points;
  }

  /** Makes room: a new page unless `height` points are left on this one. Headings that wait for it come along. */
  ensure(height: number): void {
    if (this.headings.length > 0) this.drawHeadings(height);
    else if (this.top + height > CONTENT_BOTTOM) this.newPage();
  }

  newPage(): void {
    this.doc.addPage();
    this.top = PAGE.top;
  }

  /** @param follows height of what must not be parted from them */
  private drawHeadings(follows: number): void {
    const headings = this.headings;
    if (headings.length === 0) return;
    this.headings = [];
    const height = headings.reduce((sum, heading) => sum + heading.height, follows);
    if (this.top + height > CONTENT_BOTTOM && this.top > PAGE.top) this.newPage();
    for (const { draw } of headings) draw();
  }

  space(points: number): void {
    if (this.y > PAGE.top) this.y += points;
  }

  /** Lines that fit into a width; see wrapText. */
  lines(text: string, style: TextStyle, width: number): string[] {
    const glyphs = this.glyphs.get(style.font);
    const printable = printableText(text, (codePoint) => glyphs?.has(codePoint) ?? false);
    if (printable.includes(REPLACEMENT)) this.hasReplacements = true;
    this.doc.font(style.font).fontSize(style.size);
    return wrapText(printable, width, (piece) => this.doc.widthOfString(piece));
  }

  private heightOf(text: string, style: TextStyle): number {
    return this.lines(text, style, CONTENT_WIDTH).length * style.leading;
  }

  /** One line as it is: no wrapping, no page break. `lines` made it safe. */
  line(text: string, x: number, y: number, style: TextStyle): void {
    if (text === '') return;
    this.doc.font(style.font).fontSize(style.size).fillColor(style.color);
    this.doc.text(text, x, y, { lineBreak: false });
  }

  /** A structure element of the current section, or of `parent`. */
  element(tag: Tag, parent?: Structure, options: { alt?: string; scope?: string } = {}): Structure {
    this.drawHeadings(this.headings.at(-1)?.keepWith ?? 0);
    const element = this.doc.struct(tag, options);
    (parent ?? this.section).add(element);
    return element;
  }

  /** Draws on this page what belongs to a structure element. */
  mark(element: Structure, tag: Tag, draw: () => void): void {
    const content = this.doc.markStructureContent(tag);
    draw();
    this.doc.endMarkedContent();
    element.add(content);
  }

  /** Draws what is decoration or repetition, and not read aloud. */
  artifact(draw: () => void, type: 'Layout' | 'Pagination' = 'Layout'): void {
    this.doc.markContent('Artifact', { type });
    draw();
    this.doc.endMarkedContent();
  }

  /** @param keepWith height of what must not be parted from the heading, in points, where it is drawn without `ensure` */
  beginSection(title: string, lead?: string, keepWith = 110): void {
    this.headings.push({
      height:
        ROOM_ABOVE.section +
        this.heightOf(title, STYLES.heading) +
        RULE_HEIGHT +
        (lead === undefined ? 0 : this.heightOf(lead, STYLES.small) + LEAD_ROOM),
      keepWith,
      draw: () => this.drawSectionHead(title, lead),
    });
  }

  private drawSectionHead(title: string, lead: string | undefined): void {
    this.space(ROOM_ABOVE.section);
    this.section = this.element('Sect', this.root);
    this.doc.outline.addItem(printableText(title, () => true));
    this.text(title, STYLES.heading, { tag: 'H2' });
    const lineY = this.y + 3;
    this.artifact(() => {
      this.doc
        .moveTo(PAGE.left, lineY)
        .lineTo(PAGE.width - PAGE.right, lineY)
        .lineWidth(0.8)
        .stroke(COLORS.accent);
    });
    this.y += RULE_HEIGHT;
    if (lead !== undefined) {
      this.text(lead, STYLES.small);
      this.y += LEAD_ROOM;
    }
  }

  /** A block of text that continues over pages. */
  text(
    text: string,
    style: TextStyle,
    options: { tag?: Tag; parent?: Structure; x?: number; width?: number } = {},
  ): void {
    const { tag = 'P', x = PAGE.left, width = CONTENT_WIDTH } = options;
    const lines = this.lines(text, style, width);
    this.ensure(style.leading * Math.min(lines.length, 2));
    const element = this.element(tag, options.parent);
    // At least one line a page, so that it always gets on.
    for (let i = 0; i < lines.length;) {
      const room = Math.max(1, Math.floor((CONTENT_BOTTOM - this.y) / style.leading));
      const part = lines.slice(i, i + room);
      const top = this.y;
      this.mark(element, tag, () => {
        part.forEach((line, k) => this.line(line, x, top + k * style.leading, style));
      });
      this.y = top + part.length * style.leading;
      i += part.length;
      if (i < lines.length) this.newPage();
    }
    element.end();
  }

  /** A list with a hanging indent. */
  bullets(items: readonly string[]): void {
    this.ensure(2 * STYLES.body.leading);
    const list = this.element('L');
    for (const text of items) {
      const item = this.element('LI', list);
      this.ensure(STYLES.body.leading);
      const y = this.y;
      this.artifact(() => this.line('\u2022', PAGE.left + 1, y, STYLES.body));
      this.text(text, STYLES.body, {
        tag: 'LBody',
        parent: item,
        x: PAGE.left + INDENT,
        width: CONTENT_WIDTH - INDENT,
      });
      this.y += 2;
      item.end();
    }
    list.end();
  }

  /** @param keepWith height of what must not be parted from it, in points, where it is drawn without `ensure` */
  subheading(text: string, keepWith = 60, lead?: string): void {
    this.headings.push({
      height:
        ROOM_ABOVE.part +
        this.heightOf(text, STYLES.subheading) +
        PART_ROOM +
        (lead === undefined ? 0 : this.heightOf(lead, STYLES.small) + PART_ROOM),
      keepWith,
      draw: () => {
        this.space(ROOM_ABOVE.part);
        this.text(text, STYLES.subheading, { tag: 'H3' });
        this.y += PART_ROOM;
        if (lead === undefined) return;
        this.text(lead, STYLES.small);
        this.y += PART_ROOM;
      },
    });
  }

  /** Page numbers are known at the end; then the file is complete, but for a signature that a place is kept for. */
  async finish(footer: string, place?: PdfSignaturePlace): Promise<Buffer> {
    this.drawHeadings(0);
    const { count } = this.doc.bufferedPageRange();
    const [line = ''] = this.lines(footer, STYLES.small, CONTENT_WIDTH - 80);
    for (let page = 0; page < count; page++) {
      this.doc.switchToPage(page);
      this.artifact(() => this.footer(line, `Page ${page + 1} of ${count}`), 'Pagination');
    }
    this.writeContent();
    this.root.end();
    if (place) reserveSignature(this.doc, place);
    const chunks: Buffer[] = [];
    this.doc.on('data', (chunk: Buffer) => chunks.push(chunk));
    const ended = new Promise<void>((resolve, reject) => this.doc.once('end', resolve).once('error', reject));
    this.doc.end();
    await ended;
    return Buffer.concat(chunks);
  }

  private footer(left: string, right: string): void {
    const y = PAGE.height - 42;
    this.doc
      .moveTo(PAGE.left, y - 7)
      .lineTo(PAGE.width - PAGE.right, y - 7)
      .lineWidth(0.5)
      .stroke(COLORS.rule);
    this.line(left, PAGE.left, y, STYLES.small);
    this.doc.font('regular').fontSize(STYLES.small.size);
    this.line(right, PAGE.width - PAGE.right - this.doc.widthOfString(right), y, STYLES.small);
  }
}
