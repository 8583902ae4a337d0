/** A part of the drawing itself, or a picture that lies inside of it. A drawing inside could bring scripts in again. */
const FRAGMENT = /^\s*#[^\s"'<>\\]*\s*$/;
const INNER_PICTURE = /^\s*data:image\/(?:png|jpeg|jpg|gif|webp)(?:;base64)?,[A-Za-z0-9+/=\s%]*$/i;

export function isHarmlessReference(value: string): boolean {
  return value.trim() === '' || FRAGMENT.test(value) || INNER_PICTURE.test(value);
}

/** What can bring something in from elsewhere, but `url()`; and escapes, by which all of it can be spelled differently. */
const ESCAPING =
  /\\|@import|@namespace|@font-face|image-set\(|cross-fade\(|\bsrc\(|expression\(|javascript:|-moz-binding|behavior\s*:/i;
const URL_NAME = /url\s*\(/gi;

/** Style sheets, `style` attributes and presentation attributes. */
export function isHarmlessStyle(css: string): boolean {
  // Comments could split a word: "u/**/rl" is none, but whoever reads it may differ.
  const text = withoutComments(css);
  if (ESCAPING.test(text)) return false;
  let readTo = 0;
  for (const { 0: name, index } of text.matchAll(URL_NAME)) {
    // One inside of another is read differently by different readers; a space before the bracket makes it none.
    if (index < readTo || name.length !== 'url('.length) return false;
    const found = referenceAt(text, index + name.length);
    if (found === undefined || !isHarmlessReference(found.value)) return false;
    readTo = found.end;
  }
  return true;
}

/** What stands in the brackets of `url()`, by hand: a regular expression takes cubic time for spaces without an end. */
function referenceAt(text: string, start: number): { value: string; end: number } | undefined {
  let at = start;
  while (/\s/.test(text.charAt(at))) at += 1;
  const quote = text.charAt(at);
  const isQuoted = quote === '"' || quote === "'";
  const valueEnd = isQuoted ? text.indexOf(quote, at + 1) : text.indexOf(')', at);
  if (valueEnd < 0) return undefined;
  const value = text.slice(isQuoted ? at + 1 : at, valueEnd);
  if (!isQuoted) return /["']/.test(value) ? undefined : { value, end: valueEnd + 1 };
  let end = valueEnd + 1;
  while (/\s/.test(text.charAt(end))) end += 1;
  return text.charAt(end) === ')' ? { value, end: end + 1 } : undefined;
}

function withoutComments(css: string): string {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    const start = css.indexOf('/*', at);
    const end = start < 0 ? -1 : css.indexOf('*/', start + 2);
    if (end < 0) return [...parts, css.slice(at)].join(' ');
    parts.push(css.slice(at, start));
    at = end + 2;
  }
}
