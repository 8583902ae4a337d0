import { isText, placeOf, typeWord, type ListNode, type MapNode, type TreeNode } from './document-tree.js';
import { FormatError } from './format-error.js';
import { type ReportWriter } from './import-report.js';
import { MAX_LIST_ITEMS, MAX_NAME_CHARS, MAX_PROSE_CHARS } from './limits.js';

export interface TextNode {
  readonly text: string;
  readonly node: TreeNode;
}

/**
 * Reads the fields of one map by name. A field that is read and has another type than the format gives it refuses
 * the document: whoever wrote it meant something that we would have to guess. Absent and null are the same.
 */
export class FieldReader {
  private readonly read = new Set<string>();

  constructor(
    readonly map: MapNode,
    readonly report: ReportWriter,
    /** Prefix of field names in the report, e.g. `components[].`. */
    private readonly prefix = '',
  ) {}

  static of(node: TreeNode, report: ReportWriter, prefix = ''): FieldReader {
    if (node.kind !== 'map') return wrongType(report, node, 'a map of fields');
    return new FieldReader(node, report, prefix);
  }

  /** How the report calls a field. */
  label(name: string): string {
    return `${this.prefix}${name}`;
  }

  node(name: string): TreeNode | undefined {
    this.read.add(name);
    const node = this.map.entries.get(name);
    return node?.kind === 'scalar' && node.value === null ? undefined : node;
  }

  /** @throws FormatError `wrong-type`, `too-long` */
  text(name: string, maxChars = MAX_NAME_CHARS): TextNode | undefined {
    const node = this.node(name);
    return node === undefined ? undefined : this.textOf(node, maxChars);
  }

  prose(name: string): TextNode | undefined {
    return this.text(name, MAX_PROSE_CHARS);
  }

  textOf(node: TreeNode, maxChars = MAX_NAME_CHARS): TextNode {
    if (!isText(node) || node.value === '') return wrongType(this.report, node, 'a text');
    if (node.value.length > maxChars) {
      const message = `${String(node.value.length)} characters; at most ${String(maxChars)} are read`;
      throw new FormatError('too-long', placeOf(this.report.tree, node), message);
    }
    return { text: node.value, node };
  }

  flag(name: string): boolean | undefined {
    const node = this.node(name);
    if (node === undefined) return undefined;
    if (node.kind !== 'scalar' || typeof node.value !== 'boolean') {
      return wrongType(this.report, node, 'true or false');
    }
    return node.value;
  }

  /** A text, or a list of texts. */
  texts(name: string): readonly TextNode[] {
    const node = this.node(name);
    if (node === undefined) return [];
    return node.kind === 'list' ? this.itemsOf(node).map((item) => this.textOf(item)) : [this.textOf(node)];
  }

  /** A list of whatever; a single value counts as a list of one, as JSON-LD has it. */
  nodes(name: string): readonly TreeNode[] {
    const node = this.node(name);
    if (node === undefined) return [];
    return node.kind === 'list' ? this.itemsOf(node) : [node];
  }

  inner(name: string): FieldReader | undefined {
    const node = this.node(name);
    return node === undefined ? undefined : FieldReader.of(node, this.report, `${this.label(name)}.`);
  }

  itemsOf(list: ListNode): readonly TreeNode[] {
    if (list.items.length <= MAX_LIST_ITEMS) return list.items;
    const message = `${String(list.items.length)} items; at most ${String(MAX_LIST_ITEMS)} are read`;
    throw new FormatError('too-many-values', placeOf(this.report.tree, list), message);
  }

  /** Reads a text and reports it as understood. */
  keep(
    name: string,
    as: string,
    read: (name: string) => TextNode | undefined = (key) => this.text(key),
  ): string | null {
    const found = read(name);
    if (found === undefined) return null;
    this.report.understood(this.label(name), found.node, as, found.text);
    return found.text;
  }

  keepProse(name: string, as: string): string | null {
    return this.keep(name, as, (key) => this.prose(key));
  }

  /** Names that the format has and that were read on the way. */
  markRead(...names: readonly string[]): void {
    for (const name of names) this.read.add(name);
  }

  /** Reports every field that nobody asked for. */
  reportRest(): void {
    for (const [name, node] of this.map.entries) {
      if (!this.read.has(name)) this.report.notUsed(this.label(name), node);
    }
  }
}

/** @throws FormatError always */
export function wrongType(report: ReportWriter, node: TreeNode, expected: string): never {
  const message = `expected ${expected}, found ${typeWord(node)}`;
  throw new FormatError('wrong-type', placeOf(report.tree, node), message);
}
