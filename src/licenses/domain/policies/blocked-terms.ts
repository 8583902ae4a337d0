import { sha256Hex } from '../../../shared/bytes.js';
import { foldText } from './fold-text.js';

export const MAX_TERMS = 20_000;
export const MAX_TERM_LENGTH = 200;
/** A finding names a place to look; it is no concordance. */
const MAX_MATCHES = 50;

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** Scripts that are written without spaces, or that glue particles to a name. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u30fc]/u;

/** Names a term without showing it, the same in every version of a list. */
export function termId(term: string): string {
  return `t-${sha256Hex(wordsOf(foldText(term)).join(' ')).slice(0, 16)}`;
}

/** Whether anything of a term is left to look for. */
export function isTerm(term: string): boolean {
  return wordsOf(foldText(term)).length > 0;
}

function wordsOf(folded: string): string[] {
  return folded.match(WORD) ?? [];
}

interface Term {
  readonly id: string;
  readonly words: readonly string[];
}

/**
 * A list of words that no text may hold, prepared once. A term is found as whole words in their order, whatever stands
 * between them that is no letter or digit; in scripts without spaces, anywhere.
 */
export class BlockedTerms {
  /** By the first word. */
  readonly #spaced = new Map<string, Term[]>();
  /** By the first character of the term without its spaces. */
  readonly #unspaced = new Map<string, Term[]>();

  constructor(terms: readonly string[]) {
    const seen = new Set<string>();
    for (const text of terms) {
      const words = wordsOf(foldText(text));
      const [first] = words;
      const id = termId(text);
      if (first === undefined || seen.has(id)) continue;
      seen.add(id);
      if (UNSPACED.test(words.join('')))
        add(this.#unspaced, [...first][0] ?? '', { id, words: [words.join('')] });
      else add(this.#spaced, first, { id, words });
    }
  }

  /** Ids of the terms that a text holds, sorted; at most 50. */
  find(text: string): readonly string[] {
    const words = wordsOf(foldText(text));
    const found = new Set<string>();
    for (const [index, word] of words.entries()) {
      for (const term of this.#spaced.get(word) ?? []) {
        if (term.words.every((part, offset) => words[index + offset] === part)) found.add(term.id);
      }
    }
    if (this.#unspaced.size > 0) this.#findUnspaced(words.join(''), found);
    return [...found].sort().slice(0, MAX_MATCHES);
  }

  #findUnspaced(text: string, found: Set<string>): void {
    let at = 0;
    for (const character of text) {
      for (const term of this.#unspaced.get(character) ?? [])
        if (text.startsWith(term.words[0] ?? '', at)) found.add(term.id);
      at += character.length;
    }
  }
}

function add(index: Map<string, Term[]>, key: string, term: Term): void {
  const known = index.get(key);
  if (known) known.push(term);
  else index.set(key, [term]);
}
