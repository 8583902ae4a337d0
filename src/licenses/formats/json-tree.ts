import { stepInto, TreeLimits, type Tree, type TreeNode } from './document-tree.js';
import { SourceText } from './source-text.js';

const SPACE = /[ \t\r\n]*/y;
/** RFC 8259 section 6. */
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z]+/y;
const NOT_FINITE = /^-?(?:NaN|Infinity)$/;

/**
 * JSON (RFC 8259) with the place of every value. Unlike JSON.parse it refuses duplicate keys, keys that reach a
 * prototype, numbers beyond what JavaScript holds as finite, unpaired surrogates, and depth. O(n).
 * @throws FormatError
 */
export function readJsonTree(text: string): Tree {
  const source = new SourceText(text);
  return { root: new JsonReader(text, source).document(), source };
}

class JsonReader {
  private index = 0;
  private readonly limits: TreeLimits;

  constructor(
    private readonly text: string,
    source: SourceText,
  ) {
    this.limits = new TreeLimits(source);
  }

  document(): TreeNode {
    const root = this.value('', 0);
    if (this.index < this.text.length) this.malformed('', 'something stands after the value');
    return root;
  }

  /** A value with the white space around it; afterwards `index` is at what follows. */
  private value(pointer: string, depth: number): TreeNode {
    this.skipSpace();
    const offset = this.index;
    const first = this.text[offset];
    const isCollection = first === '{' || first === '[';
    this.limits.enter({ pointer, offset }, isCollection ? depth + 1 : depth);
    const node =
      first === '{'
        ? this.map(pointer, depth + 1)
        : first === '['
          ? this.list(pointer, depth + 1)
          : this.scalar(pointer, first);
    this.skipSpace();
    return node;
  }

  private map(pointer: string, depth: number): TreeNode {
    const offset = this.index++;
    const entries = new Map<string, TreeNode>();
    this.skipSpace();
    if (this.accept('}')) return { kind: 'map', pointer, offset, entries };
    do {
      this.skipSpace();
      const keyOffset = this.index;
      if (this.text[keyOffset] !== '"') this.malformed(pointer, 'expected a key in quotation marks');
      const key = this.string(pointer);
      const inside = stepInto(pointer, key);
      this.limits.checkKey(key, entries, { pointer: inside, offset: keyOffset });
      this.skipSpace();
      if (!this.accept(':')) this.malformed(inside, 'expected ":"');
      entries.set(key, this.value(inside, depth));
    } while (this.accept(','));
    if (!this.accept('}')) this.malformed(pointer, 'expected "," or "}"');
    return { kind: 'map', pointer, offset, entries };
  }

  private list(pointer: string, depth: number): TreeNode {
    const offset = this.index++;
    const items: TreeNode[] = [];
    this.skipSpace();
    if (this.accept(']')) return { kind: 'list', pointer, offset, items };
    do items.push(this.value(stepInto(pointer, items.length), depth));
    while (this.accept(','));
    if (!this.accept(']')) this.malformed(pointer, 'expected "," or "]"');
    return { kind: 'list', pointer, offset, items };
  }

  private scalar(pointer: string, first: string | undefined): TreeNode {
    const offset = this.index;
    if (first === undefined) this.malformed(pointer, 'the document ends where a value is expected');
    if (first === '"') return { kind: 'scalar', pointer, offset, value: this.string(pointer) };
    const number = this.match(NUMBER);
    const word = this.match(WORD);
    if (
      NOT_FINITE.test(`${number}${word}`) ||
      (number === '' && /^-[IN]/.test(this.text.slice(offset, offset + 2)))
    ) {
      this.limits.fail('non-finite-number', { pointer, offset }, 'JSON has no such number');
    }
    if (number !== '' && word === '')
      return { kind: 'scalar', pointer, offset, value: this.number(number, pointer, offset) };
    const literal = number === '' ? LITERALS.get(word) : undefined;
    if (literal !== undefined) return { kind: 'scalar', pointer, offset, value: literal };
    this.index = offset;
    this.malformed(pointer, 'expected a value');
  }

  private number(digits: string, pointer: string, offset: number): number {
    const value = Number(digits);
    if (Number.isFinite(value)) return value;
    this.limits.fail('non-finite-number', { pointer, offset }, 'the number is too large');
  }

  private string(pointer: string): string {
    const start = this.index;
    let escaped = false;
    for (let i = start + 1; i < this.text.length; i++) {
      const code = this.text.charCodeAt(i);
      if (code === 0x22) {
        this.index = i + 1;
        return this.unescaped(start, escaped, pointer);
      }
      if (code < 0x20) {
        this.index = i;
        this.malformed(pointer, 'a control character stands in a text');
      }
      if (code === 0x5c) {
        escaped = true;
        i += 1;
      }
    }
    this.malformed(pointer, 'the text does not end');
  }

  private unescaped(start: number, escaped: boolean, pointer: string): string {
    const quoted = this.text.slice(start, this.index);
    let value = quoted.slice(1, -1);
    if (escaped) {
      try {
        value = JSON.parse(quoted) as string;
      } catch {
        this.index = start;
        this.malformed(pointer, 'an escape that JSON does not have');
      }
    }
    if (/\p{Cs}/u.test(value)) {
      this.index = start;
      this.malformed(pointer, 'an unpaired surrogate');
    }
    return value;
  }

  private skipSpace(): void {
    SPACE.lastIndex = this.index;
    SPACE.test(this.text);
    this.index = SPACE.lastIndex;
  }

  private accept(character: string): boolean {
    if (this.text[this.index] !== character) return false;
    this.index += 1;
    return true;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.index;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.index += found.length;
    return found;
  }

  private malformed(pointer: string, message: string): never {
    this.limits.fail('malformed', { pointer, offset: Math.min(this.index, this.text.length) }, message);
  }
}

const LITERALS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);
