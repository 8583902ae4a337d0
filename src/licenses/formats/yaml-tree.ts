import { isAlias, isCollection, isMap, isScalar, parseDocument, type ParsedNode } from 'yaml';
import { stepInto, TreeLimits, type Tree, type TreeNode } from './document-tree.js';
import { MAX_DEPTH, MAX_INDENT } from './limits.js';
import { type SourceText } from './source-text.js';

/**
 * YAML 1.2 with the core schema, reduced to what JSON can say: no anchors and aliases (with them a few bytes become
 * gigabytes), no explicit tags, no second document, no duplicate keys, no infinite numbers.
 * @param source the YAML alone; it knows on which line of the document it begins
 * @throws FormatError
 */
export function readYamlTree(source: SourceText): Tree {
  const { text } = source;
  const limits = new TreeLimits(source);
  refuseDepth(text, limits);
  const document = compose(text);
  const [error] = document.errors;
  if (error) {
    const code = error.code === 'MULTIPLE_DOCS' ? 'multiple-documents' : 'malformed';
    limits.fail(code, { pointer: '', offset: error.pos[0] }, yamlMessage(error.code));
  }
  return { root: new YamlReader(limits).node(document.contents, '', 0, 0), source };
}

/**
 * The library makes an error object for each of up to 100,000 errors. Their stack traces, which nobody reads, cost
 * three quarters of the time; nothing else runs before the limit is back.
 */
function compose(text: string) {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parseDocument(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      // Looked for by the reader below: the library compares each key with each other one.
      uniqueKeys: false,
      prettyErrors: false,
      // With `silent` a second document is passed over.
      logLevel: 'error',
    });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The library's message quotes the document; its code does not. */
function yamlMessage(code: string): string {
  return `not valid YAML (${code.toLowerCase().replaceAll('_', ' ')})`;
}

const LINE = /([ \t]*(?:[-?:][ \t]+)*)[^\r\n]*(?:\r\n|\n|\r|$)/y;

/**
 * The library recurses, so depth is bounded before it sees the text: by brackets for flow collections, and by the
 * width of indentation and of the indicators at the beginning of a line for block collections.
 */
function refuseDepth(text: string, limits: TreeLimits): void {
  let brackets = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '[' || character === '{') brackets += 1;
    else if ((character === ']' || character === '}') && brackets > 0) brackets -= 1;
    if (brackets > MAX_DEPTH) tooDeep(limits, i);
  }
  LINE.lastIndex = 0;
  for (let start = 0; start < text.length; start = LINE.lastIndex) {
    const before = LINE.exec(text)?.[1] ?? '';
    const indicators = before.replace(/[ \t]/g, '').length;
    if (before.length > MAX_INDENT || indicators > MAX_DEPTH) tooDeep(limits, start);
  }
}

function tooDeep(limits: TreeLimits, offset: number): never {
  limits.fail(
    'too-deep',
    { pointer: '', offset },
    `more than ${String(MAX_DEPTH)} collections in each other`,
  );
}

type Content = ParsedNode | null;

class YamlReader {
  constructor(private readonly limits: TreeLimits) {}

  node(content: Content, pointer: string, depth: number, parentOffset: number): TreeNode {
    const offset = content?.range[0] ?? parentOffset;
    const at = { pointer, offset };
    this.limits.enter(at, isCollection(content) ? depth + 1 : depth);
    if (content === null) return { kind: 'scalar', ...at, value: null };
    if (isAlias(content)) this.limits.fail('alias-not-allowed', at, 'aliases are not read');
    if (content.anchor !== undefined) this.limits.fail('alias-not-allowed', at, 'anchors are not read');
    if (content.tag !== undefined) this.limits.fail('tag-not-allowed', at, 'explicit tags are not read');
    if (isScalar(content)) return { kind: 'scalar', ...at, value: this.scalar(content.value, at) };
    if (!isMap(content)) {
      const items = content.items.map((item, i) => this.node(item, stepInto(pointer, i), depth + 1, offset));
      return { kind: 'list', ...at, items };
    }
    const entries = new Map<string, TreeNode>();
    for (const { key, value } of content.items) {
      const name = this.key(key, at, depth);
      const inside = { pointer: stepInto(pointer, name), offset: key.range[0] };
      this.limits.checkKey(name, entries, inside);
      entries.set(name, this.node(value, inside.pointer, depth + 1, inside.offset));
    }
    return { kind: 'map', ...at, entries };
  }

  private key(key: ParsedNode, at: { pointer: string; offset: number }, depth: number): string {
    const node = this.node(key, at.pointer, depth + 1, at.offset);
    if (node.kind === 'scalar') return String(node.value);
    this.limits.fail('wrong-type', node, 'a key must be a plain text');
  }

  private scalar(value: unknown, at: { pointer: string; offset: number }): string | number | boolean | null {
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number') {
      if (Number.isFinite(value)) return value;
      this.limits.fail('non-finite-number', at, 'the number is not finite');
    }
    if (typeof value === 'string' && !/\p{Cs}/u.test(value)) return value;
    this.limits.fail('malformed', at, 'a value that JSON does not have');
  }
}
