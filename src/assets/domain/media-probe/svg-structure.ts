import sax from 'sax';
import { ColophonError } from '../../../shared/errors.js';
import { hasCrowdedTag } from '../../../shared/xml-tags.js';
import { type ByteSource, damaged } from './byte-source.js';
import { MAX_SIDE_PIXELS } from './media-limits.js';
import { type MediaShape } from './media-probe.port.js';
import { isHarmlessReference, isHarmlessStyle } from './svg-references.js';

const MAX_SVG_BYTES = 8 * 1024 * 1024;
const MAX_DEPTH = 256;
const MAX_ELEMENTS = 200_000;
/** Each `use` draws something again, and what it draws may hold more of them. */
const MAX_USES = 1_000;
const SVG_NAMESPACE = 'http://www.w3.org/2000/svg';
/** Elements that run something, or bring in content of another language or file. */
const FORBIDDEN = new Set([
  'script',
  'foreignobject',
  'iframe',
  'object',
  'embed',
  'audio',
  'video',
  'canvas',
  'handler',
  'listener',
  'discard',
]);
/** Attributes that name another place. */
const REFERENCES = new Set(['href', 'src', 'base', 'action', 'formaction', 'data']);
/** Attributes by which `animate` and `set` could put a reference where none was; those with `on` put a handler. */
const ANIMATED_REFERENCES = new Set(['href', 'src', 'style']);

/**
 * SVG as a picture alone: well-formed XML whose root is `svg`, without scripts, handlers, foreign content, document
 * type, entities, style sheets from elsewhere, and references to anything but parts of itself and pictures inside of
 * it. Everything of that is refused, never removed: what was looked at is what is signed.
 */
export async function checkSvg(source: ByteSource): Promise<MediaShape> {
  if (source.sizeBytes > MAX_SVG_BYTES) {
    throw new ColophonError('media_too_large', `An SVG may have at most ${MAX_SVG_BYTES / 1024 / 1024} MiB.`);
  }
  const bytes = await source.read(0, source.sizeBytes);
  return { kind: 'image', ...new SvgCheck().check(decode(bytes)) };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw damaged('The SVG is not in UTF-8.');
  }
}

/** `strictEntities`: no HTML entities either. */
const PARSER_OPTIONS = { xmlns: true, strictEntities: true, position: false };

class SvgCheck {
  private readonly parser = sax.parser(true, PARSER_OPTIONS);
  private size: { width?: number; height?: number } = {};
  private depth = 0;
  private elements = 0;
  private uses = 0;
  private styleDepth: number | undefined;
  private styleText = '';

  check(xml: string): { width?: number; height?: number } {
    if (hasCrowdedTag(xml))
      throw new ColophonError('media_too_large', 'An element of the SVG has too many attributes.');
    this.listen();
    try {
      // In one piece: between pieces the parser refuses attributes above 64 kB, which drawings have.
      this.parser.write(xml).close();
    } catch (error) {
      if (error instanceof ColophonError) throw error;
      throw damaged('The SVG is not well-formed XML.');
    }
    if (this.elements === 0) throw damaged('The SVG is empty.');
    // The parser tells of an element that is never closed at its end only, and then throws nothing.
    if (this.depth > 0 || (this.parser as { error?: unknown }).error) throw damaged('The SVG is cut off.');
    return this.size;
  }

  private listen(): void {
    // At once: the parser would read on, and take in what it has no time limit for.
    this.parser.onerror = (error) => {
      throw error;
    };
    this.parser.ondoctype = () => {
      throw notAllowed('a document type, which could declare entities');
    };
    this.parser.onprocessinginstruction = ({ name }) => {
      // XMP packets are framed by `xpacket`; `xml` is the declaration.
      if (name !== 'xml' && name !== 'xpacket') throw notAllowed('an instruction to a program');
    };
    this.parser.onopentag = (tag) => {
      this.open(tag as sax.QualifiedTag);
    };
    this.parser.onclosetag = () => {
      if (this.styleDepth === this.depth) this.closeStyle();
      this.depth -= 1;
    };
    this.parser.ontext = (text) => {
      this.addText(text);
    };
    this.parser.oncdata = (text) => {
      this.addText(text);
    };
  }

  private open(tag: sax.QualifiedTag): void {
    this.depth += 1;
    this.elements += 1;
    if (this.depth > MAX_DEPTH || this.elements > MAX_ELEMENTS) {
      throw new ColophonError(
        'media_too_large',
        'The SVG has too many elements, or too many inside of each other.',
      );
    }
    const name = tag.local.toLowerCase();
    if (this.elements === 1) this.openRoot(tag);
    if (FORBIDDEN.has(name)) throw notAllowed(`the element "${name}"`);
    if (name === 'use') this.uses += 1;
    if (this.uses > MAX_USES)
      throw new ColophonError('media_too_large', 'The SVG repeats too many of its parts.');
    if (name === 'style') [this.styleDepth, this.styleText] = [this.depth, ''];
    for (const attribute of Object.values(tag.attributes)) checkAttribute(name, attribute);
  }

  private openRoot(tag: sax.QualifiedTag): void {
    if (tag.name !== 'svg' || tag.uri !== SVG_NAMESPACE)
      throw damaged('The root of the SVG is no "svg" of its namespace.');
    const [, , boxWidth, boxHeight] = (tag.attributes.viewBox?.value ?? '').trim().split(/[\s,]+/);
    const width = pixels(tag.attributes.width?.value) ?? pixels(boxWidth);
    const height = pixels(tag.attributes.height?.value) ?? pixels(boxHeight);
    if (width === undefined || height === undefined) return;
    if (width > MAX_SIDE_PIXELS || height > MAX_SIDE_PIXELS) {
      throw new ColophonError('media_too_large', 'The SVG says that it is larger than any picture may be.');
    }
    this.size = { width, height };
  }

  private addText(text: string): void {
    if (this.styleDepth !== undefined) this.styleText += text;
  }

  private closeStyle(): void {
    if (!isHarmlessStyle(this.styleText)) throw notAllowed('a style that refers to something outside of it');
    this.styleDepth = undefined;
  }
}

function checkAttribute(element: string, { local, value }: sax.QualifiedAttribute): void {
  const name = local.toLowerCase();
  if (name.startsWith('on')) throw notAllowed('a handler of events');
  if (REFERENCES.has(name) && !isHarmlessReference(value)) {
    throw notAllowed('a reference to something outside of it');
  }
  if (name === 'attributename' && animatesReference(value)) throw notAllowed(`"${element}" of a reference`);
  const mayStyle = name === 'style' || value.includes('(') || value.includes('\\');
  if (mayStyle && !isNamespace(name) && !isHarmlessStyle(value)) {
    throw notAllowed('a style that refers to something outside of it');
  }
}

function animatesReference(attributeName: string): boolean {
  const parts = attributeName
    .toLowerCase()
    .split(':')
    .map((part) => part.trim());
  return ANIMATED_REFERENCES.has(parts.at(-1) ?? '') || parts.some((part) => part.startsWith('on'));
}

function isNamespace(name: string): boolean {
  return name === 'xmlns';
}

/** Plain numbers and pixels, as whole pixels. Percent and physical units say nothing about pixels. */
function pixels(text: string | undefined): number | undefined {
  const value = /^\s*(\d+(?:\.\d+)?)(?:px)?\s*$/.exec(text ?? '')?.[1];
  const rounded = Math.round(Number(value));
  return rounded > 0 ? rounded : undefined;
}

function notAllowed(what: string): ColophonError {
  return new ColophonError('media_not_allowed', `The SVG has ${what}.`);
}
