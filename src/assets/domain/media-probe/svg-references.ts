/** A part of the drawing itself, or a picture that lies inside of it. A drawing inside could bring scripts in again. */
const FRAGMENT = /^\s*#[^\s"'<>\\]*\s*$/;
const INNER_PICTURE = /^\s*data:image\/(?:png|jpeg|jpg|gif|webp)(?:;base64)?,[A-Za-z0-9+/=\s%]*$/i;

export function isHarmlessReference(value: string): boolean {
  return value.trim() === '' || FRAGMENT.test(value) || INNER_PICTURE.test(value);
}

/** What can bring something in from elsewhere, but `url()`; and escapes, by which all of it can be spelled differently. */
const ESCAPING =
  /\\|@import|@namespace|@font-face|image-set\(|cross-fade\(|\bsrc\(|expression\(|javascript:|-moz-binding|behavior\s*:/i;
const URL_FUNCTION = /url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"']*))\s*\)/gi;
const URL_NAME = /url\s*\(/gi;

/** Style sheets, `style` attributes and presentation attributes. */
export function isHarmlessStyle(css: string): boolean {
  // Comments could split a word: "u/**/rl" is none, but whoever reads it may differ.
  const text = css.replaceAll(/\/\*[\s\S]*?\*\//g, ' ');
  if (ESCAPING.test(text)) return false;
  const references = [...text.matchAll(URL_FUNCTION)];
  if (references.length !== [...text.matchAll(URL_NAME)].length) return false;
  return references.every(([, a, b, c]) => isHarmlessReference(a ?? b ?? c ?? ''));
}
