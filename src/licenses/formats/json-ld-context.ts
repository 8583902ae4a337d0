import { placeOf, type TreeNode } from './document-tree.js';
import { type FieldReader } from './field-reader.js';
import { FormatError } from './format-error.js';

/** What the prefixes and names that we read have to mean. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  '@vocab': ['https://schema.org/', 'http://schema.org/'],
  sc: ['https://schema.org/', 'http://schema.org/'],
  cr: ['http://mlcommons.org/croissant/', 'https://mlcommons.org/croissant/'],
  rai: ['http://mlcommons.org/croissant/RAI/', 'https://mlcommons.org/croissant/RAI/'],
  dct: ['http://purl.org/dc/terms/'],
  conformsTo: ['dct:conformsTo', 'http://purl.org/dc/terms/conformsTo'],
  isLiveDataset: ['cr:isLiveDataset', 'http://mlcommons.org/croissant/isLiveDataset'],
};
/** Names of schema.org that stand for themselves; a context that gives them another meaning is refused. */
const PLAIN = [
  'license',
  'sdLicense',
  'name',
  'creator',
  'publisher',
  'version',
  'distribution',
  'sha256',
  'description',
  'url',
];
/** Addresses whose meaning is fixed and known; naming them loads nothing. */
const KNOWN_ADDRESSES = [
  'https://schema.org',
  'https://schema.org/',
  'http://schema.org',
  'http://schema.org/',
  'http://mlcommons.org/croissant/1.0',
  'http://mlcommons.org/croissant/1.1',
];

/**
 * Checks that the context of a Croissant document gives our names their usual meaning. Nothing is fetched: an unknown
 * address in a context could give `license` any meaning, so it is refused.
 * @throws FormatError `context-not-supported`
 */
export function checkCroissantContext(root: FieldReader): void {
  const context = root.node('@context');
  if (context === undefined) refuse(root, root.map, 'the document has no @context');
  for (const part of context.kind === 'list' ? context.items : [context]) {
    if (part.kind === 'scalar') {
      if (!KNOWN_ADDRESSES.includes(String(part.value)))
        refuse(root, part, 'a context at an address is not fetched');
    } else if (part.kind === 'list') refuse(root, part, 'a context is an address or a map');
    else for (const [name, node] of part.entries) checkEntry(root, name, node);
  }
}

function checkEntry(root: FieldReader, name: string, node: TreeNode): void {
  if (name === '@import' || name === '@base') refuse(root, node, `${name} is not read`);
  const meaning = node.kind === 'map' ? node.entries.get('@id') : node;
  if (node.kind === 'map' && node.entries.has('@context')) refuse(root, node, 'a context inside a context');
  const value = meaning?.kind === 'scalar' ? meaning.value : undefined;
  const expected = EXPECTED[name] ?? (PLAIN.includes(name) ? plainMeanings(name) : undefined);
  if (expected !== undefined && (typeof value !== 'string' || !expected.includes(value))) {
    refuse(root, node, `the context gives "${name}" another meaning`);
  }
}

function plainMeanings(name: string): readonly string[] {
  return [`sc:${name}`, `https://schema.org/${name}`, `http://schema.org/${name}`];
}

/** A node that changes the meaning of names below it. */
export function refuseInnerContext(root: FieldReader, node: TreeNode): void {
  if (node.kind === 'scalar') return;
  if (node.kind === 'list') {
    for (const item of node.items) refuseInnerContext(root, item);
    return;
  }
  for (const [name, child] of node.entries) {
    if (name === '@context' && node !== root.map) refuse(root, child, 'only the context at the top is read');
    if (name !== '@context') refuseInnerContext(root, child);
  }
}

function refuse({ report }: FieldReader, node: TreeNode, message: string): never {
  throw new FormatError('context-not-supported', placeOf(report.tree, node), message);
}
