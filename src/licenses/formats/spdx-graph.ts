import { placeOf, type Tree, type TreeNode } from './document-tree.js';
import { FieldReader, wrongType } from './field-reader.js';
import { FormatError } from './format-error.js';
import { type ReportWriter } from './import-report.js';
import { type LicenseClaim } from './license-claim.js';

export interface SpdxElement {
  readonly id: string;
  readonly type: string;
  readonly fields: FieldReader;
}
export interface SpdxRelationship {
  readonly type: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly node: TreeNode;
}
export interface SpdxGraph {
  readonly version: string;
  readonly elements: ReadonlyMap<string, SpdxElement>;
  readonly relationships: readonly SpdxRelationship[];
  /** Claims already made, by id: sets that share members would otherwise be walked exponentially often. */
  readonly claims: Map<string, LicenseClaim>;
}

/** The one context of SPDX 3 JSON; it fixes what every name means, so it is compared and never fetched. */
const CONTEXT = /^https:\/\/spdx\.org\/rdf\/(3\.[01](?:\.\d{1,2})?)\/spdx-context\.jsonld$/;

/**
 * All elements of an SPDX 3 document, wherever they stand: the format allows them in the graph or inside each other.
 * @throws FormatError
 */
export function readSpdxGraph(tree: Tree, report: ReportWriter): SpdxGraph {
  const root = FieldReader.of(tree.root, report);
  const version = readContext(root);
  const elements = new Map<string, SpdxElement>();
  const relationships: SpdxRelationship[] = [];
  root.markRead('@graph');
  visit(tree.root, (node) => {
    const fields = FieldReader.of(node, report, '@graph[].');
    if (node !== tree.root && node.kind === 'map' && node.entries.has('@context')) refuseContext(fields);
    const id = (fields.text('spdxId', 2_000) ?? fields.text('@id', 2_000))?.text;
    const type = fields.text('type')?.text;
    if (type === undefined || node.kind !== 'map') return;
    if (type === 'Relationship' || type === 'LifecycleScopedRelationship') {
      relationships.push(relationshipOf(fields));
    } else if (id !== undefined) {
      if (elements.has(id))
        throw new FormatError('duplicate-id', placeOf(tree, node), 'two elements have one id');
      elements.set(id, { id, type, fields });
    }
  });
  return { version, elements, relationships, claims: new Map() };
}

function readContext(root: FieldReader): string {
  const node = root.node('@context');
  const version = node?.kind === 'scalar' ? CONTEXT.exec(String(node.value))?.[1] : undefined;
  return version ?? refuseContext(root);
}

function refuseContext(fields: FieldReader): never {
  const at = placeOf(fields.report.tree, fields.node('@context') ?? fields.map);
  throw new FormatError(
    'context-not-supported',
    at,
    'only the context of SPDX 3.0 or 3.1 is read, alone and at the top',
  );
}

function visit(node: TreeNode, onMap: (node: TreeNode) => void): void {
  if (node.kind === 'scalar') return;
  if (node.kind === 'map') onMap(node);
  const inside = node.kind === 'map' ? node.entries.values() : node.items;
  for (const child of inside) visit(child, onMap);
}

function relationshipOf(fields: FieldReader): SpdxRelationship {
  const type = fields.text('relationshipType');
  const from = fields.nodes('from').flatMap((node) => idsOf(node, fields))[0];
  const to = fields.nodes('to').flatMap((node) => idsOf(node, fields));
  if (type === undefined || from === undefined) {
    const at = placeOf(fields.report.tree, fields.map);
    throw new FormatError('missing-field', at, 'a relationship without from or relationshipType');
  }
  return { type: type.text, from, to, node: fields.map };
}

/** A reference is an id, or the element itself. */
export function idsOf(node: TreeNode, fields: FieldReader): readonly string[] {
  if (node.kind === 'scalar') return [fields.textOf(node, 2_000).text];
  if (node.kind === 'list') return wrongType(fields.report, node, 'a reference');
  const element = FieldReader.of(node, fields.report);
  const id = element.text('spdxId', 2_000) ?? element.text('@id', 2_000);
  return id === undefined ? wrongType(fields.report, node, 'an element with an id') : [id.text];
}
