import { exportedClaims, readProperties } from './cdx-properties.js';
import { CDX_PROPERTY, readCdxLicenses, refOf } from './cyclonedx-license.js';
import { placeOf, type MapNode, type TreeNode } from './document-tree.js';
import { FieldReader, type TextNode } from './field-reader.js';
import { FormatError } from './format-error.js';
import { ReportWriter, type ImportResult } from './import-report.js';
import {
  BASE_RELATIONS,
  NO_DATA_FACTS,
  type ImportedComponent,
  type ImportedDataset,
  type ImportedListing,
} from './imported-listing.js';
import { readJsonTree } from './json-tree.js';
import { NO_LICENSE } from './license-claim.js';
import { MAX_DOCUMENT_BYTES, MAX_LISTINGS_PER_DOCUMENT } from './limits.js';
import { PROPERTY, SHA256_HEX } from './property-names.js';
import { decodeDocument } from './source-text.js';

const VERSIONS = ['1.5', '1.6', '1.7'];
const KINDS: Readonly<Record<string, ImportedListing['kind']>> = {
  'machine-learning-model': 'model',
  data: 'dataset',
};

/** What the components of a BOM say of each other. */
interface Bom {
  readonly report: ReportWriter;
  /** Components, and data sets written inside a model card, by bom-ref. */
  readonly byRef: ReadonlyMap<string, MapNode>;
  readonly dependsOn: ReadonlyMap<string, readonly TextNode[]>;
}

/**
 * The models and data sets of a CycloneDX BOM (JSON, 1.5 to 1.7).
 * @throws FormatError when the document is refused
 */
export function readCycloneDx(content: Uint8Array | string): ImportResult {
  const tree = readJsonTree(decodeDocument(content, MAX_DOCUMENT_BYTES));
  const report = new ReportWriter(tree, 'cyclonedx');
  const root = FieldReader.of(tree.root, report);
  const version = readVersion(root);
  const components = componentsOf(root);
  const bom: Bom = { report, byRef: indexRefs(components, report), dependsOn: readDependencies(root) };
  const listings: ImportedListing[] = [];
  for (const node of components) {
    const fields = new FieldReader(node, report, 'components[].');
    const type = fields.text('type')?.text;
    const kind = type === undefined ? undefined : KINDS[type];
    if (kind === undefined) report.notUsed('components[]', node);
    else listings.push(listingOf(bom, fields, kind));
    if (listings.length > MAX_LISTINGS_PER_DOCUMENT) {
      throw new FormatError('too-many-values', placeOf(tree, node), 'too many components');
    }
  }
  root.markRead('$schema', 'serialNumber', 'version', 'metadata', 'annotations', 'properties');
  root.reportRest();
  return report.finish(listings, version);
}

function readVersion(root: FieldReader): string {
  const format = root.text('bomFormat');
  const version = root.text('specVersion');
  if (format?.text !== 'CycloneDX' || version === undefined) {
    const at = placeOf(root.report.tree, format?.node ?? root.map);
    throw new FormatError('format-not-recognized', at, 'no CycloneDX document');
  }
  if (VERSIONS.includes(version.text)) return version.text;
  const at = placeOf(root.report.tree, version.node);
  throw new FormatError('version-not-supported', at, `only the versions ${VERSIONS.join(', ')} are read`);
}

/** All components, those inside others included. The parser bounds depth and number. */
function componentsOf(fields: FieldReader): readonly MapNode[] {
  const node = fields.node('components');
  if (node === undefined) return [];
  const items = node.kind === 'list' ? node.items : [node];
  return items.flatMap((item) => {
    const component = FieldReader.of(item, fields.report);
    return [component.map, ...componentsOf(component)];
  });
}

/** @throws FormatError `duplicate-id` */
function indexRefs(components: readonly MapNode[], report: ReportWriter): ReadonlyMap<string, MapNode> {
  const found = new Map<string, MapNode>();
  for (const component of components) {
    const ref = refOf(component);
    if (ref === undefined) continue;
    if (found.has(ref)) {
      throw new FormatError(
        'duplicate-id',
        placeOf(report.tree, component),
        'two components have one bom-ref',
      );
    }
    found.set(ref, component);
  }
  return found;
}

function readDependencies(root: FieldReader): ReadonlyMap<string, readonly TextNode[]> {
  const found = new Map<string, readonly TextNode[]>();
  for (const node of root.nodes('dependencies')) {
    const fields = FieldReader.of(node, root.report, 'dependencies[].');
    const ref = fields.text('ref', 2_000)?.text;
    const on = fields.nodes('dependsOn').map((item) => fields.textOf(item, 2_000));
    if (ref !== undefined) found.set(ref, [...(found.get(ref) ?? []), ...on]);
  }
  return found;
}

function listingOf(bom: Bom, fields: FieldReader, kind: ImportedListing['kind']): ImportedListing {
  const licenses = readCdxLicenses(fields);
  if (licenses.declared === null && licenses.concluded === null) {
    bom.report.notUnderstood(
      fields.label('licenses'),
      fields.map,
      'missing',
      'the component names no license',
    );
  }
  const properties = readProperties(fields.nodes('properties'), bom.report, CDX_PROPERTY);
  const documentId = refOf(fields.map) ?? null;
  const parameters = fields.inner('modelCard')?.inner('modelParameters');
  const group = fields.keep('group', 'name');
  const name = fields.keep('name', 'name');
  if (name === null) {
    throw new FormatError(
      'missing-field',
      placeOf(bom.report.tree, fields.map),
      'a component without a name',
    );
  }
  const parts = readParts(bom, fields);
  const listing: ImportedListing = {
    kind,
    name: group === null ? name : `${group}/${name}`,
    documentId,
    version: fields.keep('version', 'version'),
    supplier: fields.inner('supplier')?.keep('name', 'supplier') ?? fields.keep('publisher', 'supplier'),
    sha256: readHashes(fields),
    declaredLicense: licenses.declared ?? NO_LICENSE,
    concludedLicense: licenses.concluded,
    bases: readAncestors(fields),
    datasets: [...(parameters === undefined ? [] : readDatasets(bom, parameters)), ...parts.datasets],
    components: parts.components,
    gated: 'unknown',
    gatedAgainst: [],
    tasks: [parameters?.keep('task', 'tasks')].flatMap((task) => task ?? []),
    library: null,
    tags: fields.texts('tags').map(({ text }) => text),
    data: dataFacts(fields),
    exported: exportedClaims(properties),
  };
  fields.markRead('bom-ref', 'components', 'scope', 'mime-type');
  fields.reportRest();
  return listing;
}

function readHashes(fields: FieldReader): readonly string[] {
  const found: string[] = [];
  for (const node of fields.nodes('hashes')) {
    const hash = FieldReader.of(node, fields.report, fields.label('hashes[].'));
    const content = hash.text('content')?.text.toLowerCase() ?? '';
    if (hash.text('alg')?.text === 'SHA-256' && SHA256_HEX.test(content)) {
      found.push(content);
      fields.report.understood(fields.label('hashes'), node, 'sha256', content);
    } else fields.report.notUnderstood(fields.label('hashes'), node, 'other-hash', content);
  }
  return [...new Set(found)].sort();
}

/** `pedigree.ancestors` says that something was made from another thing, not how. Our exporter adds how. */
function readAncestors(fields: FieldReader): ImportedListing['bases'] {
  const pedigree = fields.inner('pedigree');
  if (pedigree === undefined) return [];
  return pedigree.nodes('ancestors').flatMap((node) => {
    const ancestor = FieldReader.of(node, fields.report, pedigree.label('ancestors[].'));
    const group = ancestor.text('group')?.text;
    const name = ancestor.keep('name', 'bases');
    const properties = readProperties(ancestor.nodes('properties'), fields.report, CDX_PROPERTY);
    const relation =
      BASE_RELATIONS.find((word) => word === properties.get(PROPERTY.baseRelation)) ?? 'unknown';
    return name === null ? [] : [{ name: group === undefined ? name : `${group}/${name}`, relation }];
  });
}

function readDatasets(bom: Bom, parameters: FieldReader): readonly ImportedDataset[] {
  return parameters.nodes('datasets').flatMap((node) => {
    const dataset = FieldReader.of(node, bom.report, parameters.label('datasets[].'));
    const ref = dataset.text('ref', 2_000);
    const target = ref === undefined ? dataset.map : bom.byRef.get(ref.text);
    if (ref !== undefined && target === undefined) {
      bom.report.notUnderstood(dataset.label('ref'), ref.node, 'dangling-reference', ref.text);
      return [{ name: ref.text, use: 'trained-on' as const }];
    }
    const name = target && nameOf(target);
    if (name === undefined) return [];
    bom.report.understood(parameters.label('datasets'), node, 'datasets', name);
    return [{ name, use: 'trained-on' as const }];
  });
}

/** What it depends on, and what stands inside of it. Data is no component: a model may have learnt from it. */
function readParts(bom: Bom, fields: FieldReader): Pick<ImportedListing, 'components' | 'datasets'> {
  const documentId = refOf(fields.map);
  const named = documentId === undefined ? [] : (bom.dependsOn.get(documentId) ?? []);
  const parts = [
    ...named.map(({ text, node }) => ({ node, target: bom.byRef.get(text), ref: text })),
    ...innerOf(fields).map((inner) => ({ node: inner, target: inner, ref: refOf(inner) })),
  ];
  const components: ImportedComponent[] = [];
  const datasets: ImportedDataset[] = [];
  for (const { node, target, ref } of parts) {
    const name = (target && nameOf(target)) ?? ref;
    if (name === undefined) continue;
    const kind = kindOf(target);
    const field = 'dependencies[].dependsOn';
    if (target === undefined) bom.report.notUnderstood(field, node, 'dangling-reference', name);
    else bom.report.understood(field, node, kind === 'dataset' ? 'datasets' : 'components', name);
    if (kind === 'dataset') datasets.push({ name, use: 'unknown' });
    else components.push(componentOf(name, kind, target, ref));
  }
  return { components, datasets };
}

/** What is not in the document may be a model. */
function kindOf(target: MapNode | undefined): ImportedComponent['kind'] | 'dataset' {
  const type = textOf(target?.entries.get('type'));
  return type === undefined ? 'model' : (KINDS[type] ?? 'program');
}

function componentOf(
  name: string,
  kind: ImportedComponent['kind'],
  target: MapNode | undefined,
  ref: string | undefined,
): ImportedComponent {
  const isOptional = textOf(target?.entries.get('scope')) === 'optional';
  const documentId = target === undefined ? null : (ref ?? null);
  return { name, use: isOptional ? 'optional' : 'always', kind, documentId };
}

/** Those that stand in it directly. */
function innerOf(fields: FieldReader): readonly MapNode[] {
  const node = fields.node('components');
  const items = node?.kind === 'list' ? node.items : node === undefined ? [] : [node];
  return items.map((item) => FieldReader.of(item, fields.report).map);
}

function textOf(node: TreeNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

function nameOf({ entries }: MapNode): string | undefined {
  const name = textOf(entries.get('name'));
  const group = textOf(entries.get('group'));
  return name === undefined || group === undefined ? name : `${group}/${name}`;
}

/** Governance and classification of the first data description of a data component. */
function dataFacts(fields: FieldReader): ImportedListing['data'] {
  const [first] = fields.nodes('data');
  if (first === undefined) return NO_DATA_FACTS;
  const data = FieldReader.of(first, fields.report, fields.label('data[].'));
  const sensitive = data.texts('sensitiveData');
  for (const { text, node } of sensitive) {
    fields.report.understood(data.label('sensitiveData'), node, 'data.personalInformation', text);
  }
  const owners = data.inner('governance')?.nodes('owners') ?? [];
  const sources = owners.flatMap((node) => {
    const owner = FieldReader.of(node, fields.report, data.label('governance.owners[].'));
    return owner.inner('organization')?.keep('name', 'data.sources') ?? [];
  });
  return {
    ...NO_DATA_FACTS,
    collection: data.keepProse('description', 'data.collection'),
    confidentiality: data.keep('classification', 'data.confidentiality'),
    personalInformation: sensitive.length === 0 ? null : sensitive.map(({ text }) => text).join('; '),
    sources,
  };
}
