import { type SignableMediaType } from './media-types.js';

/** C0 controls which no text has, but tab, line feed, form feed and carriage return; and DEL. */
const CONTROL = /[^\P{Cc}\t\n\f\r\x80-\x9f]/u;
/** Behind a byte order mark, an XML declaration and comments: the root element (XML 1.0 section 2.8). */
const PROLOG = '^\\ufeff?\\s*(?:<\\?xml[^>]{0,200}\\?>\\s*)?(?:<!--(?:[^-]|-(?!->)){0,3000}-->\\s*)*';
const SVG_ROOT = new RegExp(
  `${PROLOG}(?:<!DOCTYPE svg[^>[]{0,300}(?:\\[|>\\s*))?<svg[\\s>/]|${PROLOG}<!DOCTYPE svg`,
);
/** What a browser could take for a page, or a reader of XML for a document of an unknown kind. */
const MARKUP =
  /^\ufeff?\s*<(?:[!?]|html|head|body|script|svg|[a-z]+:svg|iframe|object|embed|style|link|meta|base)/i;
const PDF = /%PDF-\d/;

/** Whether the beginning of a file is text in UTF-8. A character that is cut at the end is let go. */
export function isPlainText(head: Uint8Array): boolean {
  const text = decoded(head, true);
  return text !== undefined && !CONTROL.test(text);
}

/** The whole of a text; `undefined` when it is none. */
export function textOf(bytes: Uint8Array): string | undefined {
  const text = decoded(bytes, false);
  return text === undefined || CONTROL.test(text) ? undefined : text;
}

/**
 * What a text is, as far as its beginning tells; `text/plain` may still turn out to be JSON. Pages and programs for
 * browsers, XML of an unknown kind, and what a reader of PDF would open are `undefined`: not signed.
 */
export function textMediaType(head: Uint8Array): SignableMediaType | undefined {
  const text = decoded(head, true) ?? '';
  if (SVG_ROOT.test(text)) return 'image/svg+xml';
  if (MARKUP.test(text) || PDF.test(text.slice(0, 1024))) return undefined;
  if (/^\s*solid\b[^\n]*\n\s*facet\s+normal\s/.test(text)) return 'model/stl';
  return isWavefrontObject(text) ? 'model/obj' : 'text/plain';
}

const OBJ_LINE =
  /^(?:#.*|(?:v|vn|vt|vp|f|l|p|o|g|s|mtllib|usemtl|usemap|cstype|deg|curv|surf|parm|end)(?:\s.*)?|)$/;
const OBJ_VERTEX = /^v(?:\s+-?[\d.]+(?:e[-+]?\d+)?){3,7}\s*$/im;

/** Wavefront OBJ: nothing but its statements, and a vertex among them. */
function isWavefrontObject(text: string): boolean {
  const lines = text.replace(/\r/g, '').split('\n');
  // The last line of a beginning may be cut.
  const whole = lines.length > 1 ? lines.slice(0, -1) : lines;
  return OBJ_VERTEX.test(text) && whole.every((line) => OBJ_LINE.test(line.trim()));
}

function decoded(bytes: Uint8Array, isBeginning: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isBeginning });
  } catch {
    return undefined;
  }
}
