import { sha256Hex } from '../../../shared/bytes.js';
import { foldText, withGapsForInvisible } from './fold-text.js';

export const MAX_TERMS = 20_000;
export const MAX_TERM_LENGTH = 200;
/** A finding names a place to look; it is no concordance. */
const MAX_MATCHES = 50;

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** Scripts that are written without spaces, or that glue particles to a name. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u30fc]/u;

/** Shorter ones would be found by accident in words that stand beside each other. */
const MIN_SQUEEZED_LETTERS = 5;
/**
 * Where words were written together: `PabloPicasso`, `Picasso2`. Not behind one or two letters, which are prefixes of
 * names (`McDonald`, `DiCaprio`, `iPhone`).
 */
const SEAM = /(?<=\p{L}{2}\p{Ll})(?=\p{Lu})|(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/gu;

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

/**
 * A list of words that no text may hold, prepared once. A term is found as whole words in their order, whatever stands
 * between them that is no letter or digit; one of five letters or more also where its words were written together or
 * taken apart; in scripts without spaces, anywhere.
 */
export class BlockedTerms {
  readonly #spaced = new Phrases(' ');
  readonly #unspaced = new Phrases('');
  readonly #squeezed = new SqueezedTerms();

  constructor(terms: readonly string[]) {
    for (const term of terms) {
      const words = wordsOf(foldText(term));
      if (words.length === 0) continue;
      if (UNSPACED.test(words.join(''))) this.#unspaced.add([...words.join('')], termId(term));
      else {
        this.#spaced.add(words, termId(term));
        this.#squeezed.add(words.join(''), termId(term));
      }
    }
  }

  /** Ids of the terms that a text holds, sorted; at most 50. */
  find(text: string): readonly string[] {
    const found = new Set<string>();
    for (const reading of new Set([text, withGapsForInvisible(text)])) {
      const words = wordsOf(foldText(reading));
      this.#spaced.find(words, found);
      if (!this.#unspaced.isEmpty) this.#unspaced.find([...words.join('')], found);
      this.#squeezed.find(words, found);
      this.#squeezed.find(wordsOf(foldText(reading.normalize('NFKC').replace(SEAM, ' '))), found);
    }
    return [...found].sort().slice(0, MAX_MATCHES);
  }
}

/**
 * Phrases of parts (words, or characters), looked up by the lengths that begin with a part: the work depends on the
 * text and on how long phrases are, not on how many begin alike.
 */
class Phrases {
  readonly #lengths = new Map<string, Set<number>>();
  readonly #ids = new Map<string, string>();

  constructor(private readonly separator: string) {}

  get isEmpty(): boolean {
    return this.#ids.size === 0;
  }

  add(parts: readonly string[], id: string): void {
    const first = parts[0] ?? '';
    const lengths = this.#lengths.get(first) ?? new Set();
    this.#lengths.set(first, lengths.add(parts.length));
    this.#ids.set(parts.join(this.separator), id);
  }

  find(parts: readonly string[], found: Set<string>): void {
    for (const [index, part] of parts.entries()) {
      for (const length of this.#lengths.get(part) ?? []) {
        const id = this.#ids.get(parts.slice(index, index + length).join(this.separator));
        if (id !== undefined) found.add(id);
      }
    }
  }
}

/** Terms without what stands between their words, looked up by how they begin. They end where words of the text do. */
class SqueezedTerms {
  readonly #lengths = new Map<string, Set<number>>();
  readonly #ids = new Map<string, string>();

  add(term: string, id: string): void {
    if ((term.match(/\p{L}/gu) ?? []).length < MIN_SQUEEZED_LETTERS) return;
    const beginning = term.slice(0, MIN_SQUEEZED_LETTERS);
    const lengths = this.#lengths.get(beginning) ?? new Set();
    this.#lengths.set(beginning, lengths.add(term.length));
    this.#ids.set(term, id);
  }

  find(words: readonly string[], found: Set<string>): void {
    if (this.#ids.size === 0) return;
    const text = words.join('');
    const ends = new Set<number>();
    let end = 0;
    for (const word of words) ends.add((end += word.length));
    let start = 0;
    for (const word of words) {
      for (const length of this.#lengths.get(text.slice(start, start + MIN_SQUEEZED_LETTERS)) ?? []) {
        if (!ends.has(start + length)) continue;
        const id = this.#ids.get(text.slice(start, start + length));
        if (id !== undefined) found.add(id);
      }
      start += word.length;
    }
  }
}
