import sax from 'sax';
import { hasCrowdedTag } from '../../../shared/xml-tags.js';
import { speaksOfRights, type XmpProperty } from '../../domain/reservations/rights-properties.js';
import { speaksOfMaking } from '../../domain/source-statement.js';

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const XMLNS = 'http://www.w3.org/2000/xmlns/';
const XML = 'http://www.w3.org/XML/1998/namespace';
/** `strictEntities`: no HTML entities either. */
const PARSER_OPTIONS = { xmlns: true, strictEntities: true, position: false };
/** Depth of real packets is below 15. */
const MAX_DEPTH = 64;
const MAX_VALUE_CHARACTERS = 8192;
const MAX_PROPERTIES = 1000;
const CHUNK_CHARACTERS = 32_768;

export interface ParsedPacket {
  /** Only those that speak of rights or of how the file was made; what was found before a mistake counts. */
  readonly properties: readonly XmpProperty[];
  readonly isWhole: boolean;
}

/**
 * The properties of one XMP packet that speak of rights or of how the file was made. The parser knows the five entities of XML and no others, reads no document
 * type and opens nothing; a packet with a document type is not read on, because none of XMP has one (ISO 16684-1 7.3.2).
 */
export function parseXmpPacket(packet: Buffer): ParsedPacket {
  const text = decodePacket(packet);
  if (text === undefined || hasCrowdedTag(text)) return { properties: [], isWhole: false };
  return new PacketParser().parse(text);
}

/** XMP part 1 section 7.1: UTF-8, UTF-16 or UTF-32. Padding of zero bytes around the packet is let go. */
function decodePacket(packet: Buffer): string | undefined {
  try {
    const text = new TextDecoder(encodingOf(packet), { fatal: true }).decode(packet);
    return withoutPadding(text);
  } catch {
    return undefined;
  }
}

/** By hand: a regular expression for the end takes quadratic time for long padding in the middle. */
function withoutPadding(text: string): string {
  const isPadding = (at: number): boolean => /^[\0\ufeff\s]$/.test(text.charAt(at));
  let start = 0;
  let end = text.length;
  while (start < end && isPadding(start)) start += 1;
  while (end > start && isPadding(end - 1)) end -= 1;
  return text.slice(start, end);
}

/** By the byte order mark, or by how the first "<" is written. UTF-32 is left unread. */
function encodingOf(packet: Buffer): string {
  const [a, b, c, d] = packet;
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0 && b === 0x3c && c === 0 && d !== 0) return 'utf-16be';
  if (a === 0x3c && b === 0 && c !== 0 && d === 0) return 'utf-16le';
  return 'utf-8';
}

interface OpenElement {
  readonly namespace: string;
  readonly name: string;
  readonly isWanted: boolean;
  text: string;
}

class PacketParser {
  private readonly properties: XmpProperty[] = [];
  private readonly open: OpenElement[] = [];
  private isWhole = true;
  private stopped = false;

  parse(text: string): ParsedPacket {
    const parser = sax.parser(true, PARSER_OPTIONS);
    parser.onerror = () => this.stop();
    parser.ondoctype = () => this.stop();
    parser.onsgmldeclaration = () => this.stop();
    parser.onopentag = (tag) => this.openTag(tag as sax.QualifiedTag);
    parser.ontext = (words) => this.addText(words);
    parser.oncdata = (words) => this.addText(words);
    parser.onclosetag = () => this.closeTag();
    try {
      for (let at = 0; at < text.length && !this.stopped; at += CHUNK_CHARACTERS)
        parser.write(text.slice(at, at + CHUNK_CHARACTERS));
      if (!this.stopped) parser.close();
    } catch {
      this.stop();
    }
    return { properties: this.properties, isWhole: this.isWhole };
  }

  private stop(): void {
    // What stands in an element that was never closed counts, too: it may be a reservation.
    if (!this.stopped) for (const element of this.open.splice(0)) this.keep(element, element.text);
    this.stopped = true;
    this.isWhole = false;
  }

  private openTag({ uri, local, attributes }: sax.QualifiedTag): void {
    if (this.stopped) return;
    const element = { namespace: uri, name: local, isWanted: isWanted(uri, local), text: '' };
    this.open.push(element);
    if (this.open.length > MAX_DEPTH) {
      this.stop();
      return;
    }
    for (const attribute of Object.values(attributes)) this.readAttribute(attribute);
  }

  /** A simple property may be an attribute of its node; a value that is an address may be `rdf:resource`. */
  private readAttribute({ uri, local, value }: sax.QualifiedAttribute): void {
    if (uri === XMLNS || uri === XML) return;
    if (uri === RDF) {
      if (local === 'resource' || local === 'value') this.addText(value);
    } else if (isWanted(uri, local)) {
      this.keep({ namespace: uri, name: local }, value);
    }
  }

  /** Text belongs to the property around it, through `rdf:Alt`, `rdf:li` and `rdf:value`. */
  private addText(words: string): void {
    if (this.stopped) return;
    const owner = this.open.findLast(({ namespace }) => namespace !== RDF);
    if (owner?.isWanted !== true) return;
    if (owner.text.length + words.length > MAX_VALUE_CHARACTERS) this.isWhole = false;
    owner.text = `${owner.text}${words}`.slice(0, MAX_VALUE_CHARACTERS);
  }

  private closeTag(): void {
    if (this.stopped) return;
    const closed = this.open.pop();
    if (closed) this.keep(closed, closed.text);
  }

  private keep({ namespace, name }: { namespace: string; name: string }, value: string): void {
    if (!isWanted(namespace, name) || value.trim() === '') return;
    if (this.properties.length >= MAX_PROPERTIES) this.isWhole = false;
    else this.properties.push({ namespace, name, value: value.slice(0, MAX_VALUE_CHARACTERS) });
  }
}

function isWanted(namespace: string, name: string): boolean {
  return speaksOfRights(namespace, name) || speaksOfMaking(namespace, name);
}
