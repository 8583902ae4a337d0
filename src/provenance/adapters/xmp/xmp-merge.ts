import sax from 'sax';
import { hasCrowdedTag } from '../../../shared/xml-tags.js';
import { type XmpText } from '../../domain/manifest-plan.js';

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const PARSER_OPTIONS = { xmlns: true, strictEntities: true, position: true };
const MAX_DEPTH = 64;
/** As much of an older value as the manifest repeats. */
const MAX_REPLACED_CHARACTERS = 500;

export interface MergedPacket {
  readonly packet: Buffer;
  /** Properties that said something else before, with what they said. */
  readonly replaced: readonly XmpText[];
}

/** A packet with these properties alone. The bytes depend on the properties and on nothing else. */
export function newPacket(properties: readonly XmpText[]): Buffer {
  return Buffer.from(
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n' +
      `<rdf:RDF xmlns:rdf="${RDF}">${description(properties, '')}</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>`,
  );
}

/**
 * Adds properties to a packet as text, so that everything else in it stays as it is to the byte. A property which the
 * packet has with another value is taken out first: two values of one property are no XMP (ISO 16684-1 section 6.1).
 *
 * @returns `undefined` for a packet that cannot be changed safely: not UTF-8, not well-formed, with a document type,
 *   without a list of properties. Such a packet stays untouched.
 */
export function mergePacket(packet: Buffer, properties: readonly XmpText[]): MergedPacket | undefined {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(packet);
  } catch {
    return undefined;
  }
  const scan = new PacketScan(text, properties).run();
  if (scan === undefined) return undefined;
  const missing = properties.filter(
    (property) =>
      !scan.found.some((each) => isSame(each.property, property) && each.value === property.value),
  );
  const outdated = scan.found.filter(({ property }) => missing.some((each) => isSame(each, property)));
  const added = missing.length === 0 ? '' : description(missing, scan.about);
  let merged = text.slice(0, scan.insertAt) + added + text.slice(scan.insertAt);
  // From the end, so that the places in front of a cut stay right; all of them lie in front of the insertion.
  for (const { start, end } of outdated.toSorted((a, b) => b.start - a.start))
    merged = merged.slice(0, start) + merged.slice(end);
  const replaced = outdated.map(({ property, value }) => ({
    ...property,
    value: value.slice(0, MAX_REPLACED_CHARACTERS),
  }));
  return { packet: Buffer.from(merged), replaced };
}

function description(properties: readonly XmpText[], about: string): string {
  const prefixes = new Map(properties.map(({ prefix, namespace }) => [prefix, namespace]));
  const declarations = [...prefixes].map(([prefix, namespace]) => ` xmlns:${prefix}="${escaped(namespace)}"`);
  const elements = properties.map(
    ({ prefix, name, value }) => `<${prefix}:${name}>${escaped(value)}</${prefix}:${name}>`,
  );
  return `<rdf:Description xmlns:rdf="${RDF}" rdf:about="${escaped(about)}"${declarations.join('')}>${elements.join('')}</rdf:Description>`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters are not allowed in XML 1.0 at all. */
function escaped(value: string): string {
  return value.replace(/\p{Cc}/gu, ' ').replace(/[&<>"]/g, (character) => ESCAPES[character] ?? '');
}

function isSame(a: Pick<XmpText, 'namespace' | 'name'>, b: Pick<XmpText, 'namespace' | 'name'>): boolean {
  return a.namespace === b.namespace && a.name === b.name;
}

interface FoundProperty {
  readonly property: XmpText;
  /** The text of the value; of a structured one all its text. */
  value: string;
  readonly start: number;
  end: number;
}

interface OpenElement {
  readonly uri: string;
  readonly local: string;
  readonly start: number;
  readonly found: FoundProperty | undefined;
}

/** Where in a packet the wanted properties stand, and where its list of descriptions ends. */
class PacketScan {
  readonly found: FoundProperty[] = [];
  /** Value of `rdf:about`: all descriptions of a packet are about the same thing. */
  about = '';
  insertAt = -1;
  private readonly open: OpenElement[] = [];
  private failed = false;
  private readonly parser = sax.parser(true, PARSER_OPTIONS);

  constructor(
    private readonly text: string,
    private readonly wanted: readonly XmpText[],
  ) {}

  run(): this | undefined {
    const { parser } = this;
    // At once: the parser would go on, and each closing tag without a beginning goes over all that is open.
    const fail = (): never => {
      throw new Error('a packet that cannot be changed safely');
    };
    if (hasCrowdedTag(this.text)) return undefined;
    parser.onerror = fail;
    parser.ondoctype = fail;
    parser.onsgmldeclaration = fail;
    parser.onopentag = (tag) => this.openTag(tag as sax.QualifiedTag);
    parser.ontext = (words) => this.addText(words);
    parser.oncdata = (words) => this.addText(words);
    parser.onclosetag = () => this.closeTag();
    try {
      parser.write(withoutPadding(this.text)).close();
    } catch {
      return undefined;
    }
    return this.failed || this.insertAt < 0 ? undefined : this;
  }

  private openTag({ uri, local, attributes, isSelfClosing }: sax.QualifiedTag): void {
    const start = this.parser.startTagPosition - 1;
    const parent = this.open.at(-1);
    const isDescription =
      parent?.uri === RDF && parent.local === 'RDF' && uri === RDF && local === 'Description';
    const isProperty =
      parent?.uri === RDF && parent.local === 'Description' && this.open.at(-2)?.local === 'RDF';
    if (uri === RDF && local === 'RDF' && isSelfClosing) this.failed = true;
    let found: FoundProperty | undefined;
    if (isProperty) found = this.find(uri, local, start, this.parser.position);
    // The value of a property may be an address in an attribute.
    if (found) found.value = Object.values(attributes).find((each) => each.local === 'resource')?.value ?? '';
    this.open.push({ uri, local, start, found });
    if (this.open.length > MAX_DEPTH) throw new Error('a packet of too many elements inside of each other');
    if (isDescription) this.readDescription(start, attributes);
  }

  private readDescription(start: number, attributes: sax.QualifiedTag['attributes']): void {
    const tag = this.text.slice(start, this.parser.position);
    for (const { uri, local, prefix, value } of Object.values(attributes)) {
      if (uri === RDF && local === 'about') this.about = value;
      if (!this.wanted.some((each) => isSame(each, { namespace: uri, name: local }))) continue;
      const written = new RegExp(
        `\\s${escapeRegExp(prefix)}:${escapeRegExp(local)}\\s*=\\s*("[^"]*"|'[^']*')`,
      ).exec(tag);
      if (written === null) this.failed = true;
      else {
        const found = this.find(uri, local, start + written.index, start + written.index + written[0].length);
        if (found) found.value = value;
      }
    }
  }

  private find(namespace: string, name: string, start: number, end: number): FoundProperty | undefined {
    const property = this.wanted.find((each) => isSame(each, { namespace, name }));
    if (property === undefined) return undefined;
    const found: FoundProperty = { property, value: '', start, end };
    this.found.push(found);
    return found;
  }

  private addText(words: string): void {
    const owner = this.open.find(({ found }) => found !== undefined)?.found;
    if (owner) owner.value += words;
  }

  private closeTag(): void {
    const closed = this.open.pop();
    if (closed?.found) {
      closed.found.value = closed.found.value.trim();
      closed.found.end = this.parser.position;
    }
    if (closed?.uri === RDF && closed.local === 'RDF') {
      if (this.insertAt >= 0) this.failed = true;
      this.insertAt = this.parser.startTagPosition - 1;
    }
  }
}

/** By hand: a regular expression for the end goes over long padding in the middle again from each character. */
function withoutPadding(text: string): string {
  let end = text.length;
  while (end > 0 && /[\0\s]/.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
