import { type ThreeValued } from '../domain/three-valued.js';
import { placeOf, type TreeNode } from './document-tree.js';
import { FieldReader } from './field-reader.js';
import { FormatError } from './format-error.js';
import { ReportWriter, type ImportResult } from './import-report.js';
import { NO_DATA_FACTS, NO_EXPORTED_CLAIMS, type ImportedListing } from './imported-listing.js';
import { checkCroissantContext, refuseInnerContext } from './json-ld-context.js';
import { readJsonTree } from './json-tree.js';
import { claimOf, listClaim, NO_LICENSE, type LicenseClaim } from './license-claim.js';
import { MAX_DOCUMENT_BYTES, MAX_PROSE_CHARS } from './limits.js';
import { SHA256_HEX } from './property-names.js';
import { decodeDocument } from './source-text.js';

const DATASET_TYPES = ['sc:Dataset', 'Dataset', 'https://schema.org/Dataset', 'http://schema.org/Dataset'];
const VERSION = /^https?:\/\/mlcommons\.org\/croissant\/(\d+\.\d+)$/;

/**
 * The data set that a Croissant document describes, with the responsible-AI fields.
 * @throws FormatError when the document is refused
 */
export function readCroissant(content: Uint8Array | string): ImportResult {
  const tree = readJsonTree(decodeDocument(content, MAX_DOCUMENT_BYTES));
  const report = new ReportWriter(tree, 'croissant');
  const root = FieldReader.of(tree.root, report);
  checkCroissantContext(root);
  refuseInnerContext(root, tree.root);
  const types = root.texts('@type').map(({ text }) => text);
  if (!types.some((type) => DATASET_TYPES.includes(type))) {
    throw new FormatError('format-not-recognized', placeOf(tree, tree.root), 'no description of a data set');
  }
  const conforms = root.texts('conformsTo').flatMap(({ text }) => VERSION.exec(text)?.[1] ?? []);
  const listing = datasetOf(root);
  root.markRead('@id', 'sdLicense');
  root.reportRest();
  return report.finish([listing], conforms[0] ?? null);
}

function datasetOf(root: FieldReader): ImportedListing {
  const name = keepEither(root, ['name', 'sc:name'], 'name');
  if (name === null) {
    throw new FormatError('missing-field', placeOf(root.report.tree, root.map), 'a data set without a name');
  }
  return {
    kind: 'dataset',
    name,
    documentId: root.text('@id', 2_000)?.text ?? null,
    version: keepEither(root, ['version', 'sc:version'], 'version'),
    supplier: readParty(root, 'creator') ?? readParty(root, 'publisher'),
    sha256: readHashes(root),
    declaredLicense: readLicense(root),
    concludedLicense: null,
    bases: [],
    datasets: [],
    components: [],
    gated: 'unknown',
    gatedAgainst: [],
    tasks: [],
    library: null,
    tags: root.texts('keywords').map(({ text }) => text),
    data: dataFacts(root),
    exported: NO_EXPORTED_CLAIMS,
  };
}

function keepEither(root: FieldReader, names: readonly string[], as: string): string | null {
  for (const name of names) {
    const found = root.keep(name, as);
    if (found !== null) return found;
  }
  return null;
}

function readLicense(root: FieldReader): LicenseClaim {
  const nodes = [...root.nodes('license'), ...root.nodes('sc:license')];
  const [at] = nodes;
  if (at === undefined) {
    root.report.notUnderstood('license', root.map, 'missing', 'the document names no license');
    return NO_LICENSE;
  }
  const claim = listClaim(nodes.map((node) => licenseOf(root, node)));
  root.report.license('license', at, 'declaredLicense', claim);
  return claim;
}

/** A name, the address of a text, or a work with either. The address counts when it stands for one text. */
function licenseOf(root: FieldReader, node: TreeNode): LicenseClaim {
  if (node.kind === 'scalar') return claimOf(root.textOf(node, 2_000).text);
  const work = FieldReader.of(node, root.report, 'license.');
  const name = work.text('name')?.text;
  const url = (work.text('url', 2_000) ?? work.text('@id', 2_000))?.text ?? null;
  if (name === undefined) return claimOf(url ?? 'other');
  const byName = claimOf(name, { url });
  return byName.status === 'recognized' || url === null ? byName : claimOf(url, { name, url });
}

function readParty(root: FieldReader, field: string): string | null {
  const names = root.nodes(field).flatMap((node) => {
    if (node.kind === 'scalar') return [root.textOf(node).text];
    return FieldReader.of(node, root.report, `${field}.`).text('name')?.text ?? [];
  });
  const at = root.node(field);
  if (at === undefined || names.length === 0) return null;
  root.report.understood(field, at, 'supplier', names.join(', '));
  return names.join(', ');
}

function readHashes(root: FieldReader): readonly string[] {
  const found: string[] = [];
  for (const node of root.nodes('distribution')) {
    const file = FieldReader.of(node, root.report, 'distribution[].');
    const hash = file.text('sha256') ?? file.text('sc:sha256');
    if (hash === undefined) continue;
    const value = hash.text.toLowerCase();
    if (SHA256_HEX.test(value)) {
      found.push(value);
      root.report.understood(file.label('sha256'), hash.node, 'sha256', value);
    } else root.report.notUnderstood(file.label('sha256'), hash.node, 'other-hash', hash.text);
  }
  return [...new Set(found)].sort();
}

/**
 * Responsible-AI fields (namespace rai). A text about personal data may say that there is none, so it is kept and
 * answers nothing.
 */
function dataFacts(root: FieldReader): ImportedListing['data'] {
  const live = root.flag('isLiveDataset') ?? root.flag('cr:isLiveDataset');
  return {
    ...NO_DATA_FACTS,
    collection: prose(root, 'rai:dataCollection', 'data.collection'),
    personalInformation: prose(root, 'rai:personalSensitiveInformation', 'data.personalInformation'),
    intendedUse: prose(root, 'rai:dataUseCases', 'data.intendedUse'),
    live: live === undefined ? 'unknown' : yesOrNo(live),
    sources: root.texts('prov:wasDerivedFrom').map(({ text }) => text),
  };
}

function prose(root: FieldReader, field: string, as: string): string | null {
  const nodes = root.nodes(field);
  const found = nodes.map((node) => root.textOf(node, MAX_PROSE_CHARS).text);
  const [at] = nodes;
  if (at !== undefined) root.report.understood(field, at, as, found.join('; '));
  return found.length === 0 ? null : found.join('; ');
}

function yesOrNo(value: boolean): ThreeValued {
  return value ? 'yes' : 'no';
}
