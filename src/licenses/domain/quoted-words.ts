/** `not-text`: the bytes are no UTF-8, so nobody can look anything up in them. */
export type Lookup = 'found' | 'missing' | 'not-text';

/** Whether the words stand in a kept text in one piece, however either of them is set. */
export function lookUp(quote: string, bytes: Uint8Array): Lookup {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return 'not-text';
  }
  return plain(text).includes(plain(quote)) ? 'found' : 'missing';
}

/** What a browser, a PDF reader or a word processor changes when words are copied is the same here. */
function plain(words: string): string {
  return words
    .normalize('NFKC')
    .replace(/[\u00ad\u200b\u2060\ufeff]/g, '')
    .replace(/["\u201c-\u201f\u00ab\u00bb]/g, '"')
    .replace(/['\u2018-\u201b\u2039\u203a\u2032]/g, "'")
    .replace(/[\p{Pd}\u2212]/gu, '-')
    .replace(/\s+/g, ' ')
    .trim();
}
