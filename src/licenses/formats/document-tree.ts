import { FormatError, shortened, type Place } from './format-error.js';
import { MAX_DEPTH, MAX_NODES } from './limits.js';
import { type SourceText } from './source-text.js';

/**
 * A parsed document of a stranger. Maps are real maps, so no key can reach a prototype; each value knows where it
 * stands.
 */
export type TreeNode = MapNode | ListNode | ScalarNode;

interface Located {
  /** JSON pointer (RFC 6901). */
  readonly pointer: string;
  /** Offset in the source text, in UTF-16 code units. */
  readonly offset: number;
}
export interface MapNode extends Located {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, TreeNode>;
}
export interface ListNode extends Located {
  readonly kind: 'list';
  readonly items: readonly TreeNode[];
}
export interface ScalarNode extends Located {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
}

export interface Tree {
  readonly root: TreeNode;
  readonly source: SourceText;
}

/** Keys that reach a prototype in programs that copy maps into objects. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** What both parsers check while they build a tree. */
export class TreeLimits {
  private nodes = 0;

  constructor(private readonly source: SourceText) {}

  fail(code: FormatError['code'], { pointer, offset }: Located, message: string): never {
    throw new FormatError(code, { pointer, ...this.source.position(offset) }, message);
  }

  /** Counts one value. @throws FormatError `too-many-values`, `too-deep` */
  enter(at: Located, depth: number): void {
    this.nodes += 1;
    if (this.nodes > MAX_NODES) this.fail('too-many-values', at, `more than ${String(MAX_NODES)} values`);
    if (depth > MAX_DEPTH) {
      this.fail('too-deep', at, `more than ${String(MAX_DEPTH)} collections in each other`);
    }
  }

  /** @throws FormatError `forbidden-key`, `duplicate-key` */
  checkKey(key: string, known: ReadonlyMap<string, TreeNode>, at: Located): void {
    if (FORBIDDEN_KEYS.has(key)) this.fail('forbidden-key', at, `the key "${key}" is not allowed`);
    if (known.has(key)) this.fail('duplicate-key', at, `the key "${shortened(key)}" stands here twice`);
  }
}

/** One more step of a JSON pointer. */
export function stepInto(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

export function placeOf({ source }: Tree, { pointer, offset }: Located): Place {
  return { pointer, ...source.position(offset) };
}

export function isText(node: TreeNode | undefined): node is ScalarNode & { readonly value: string } {
  return node?.kind === 'scalar' && typeof node.value === 'string';
}

/** What a node is, for messages. */
export function typeWord(node: TreeNode): string {
  if (node.kind !== 'scalar') return node.kind;
  return node.value === null ? 'null' : node.value === '' ? 'an empty text' : typeof node.value;
}
