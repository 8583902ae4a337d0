import { readCardHeader } from './card-header.js';
import { FieldReader } from './field-reader.js';
import { readCardLicense } from './hugging-face-license.js';
import { ReportWriter, type ImportResult } from './import-report.js';
import {
  BASE_RELATIONS,
  NO_DATA_FACTS,
  NO_EXPORTED_CLAIMS,
  type BaseRelation,
  type ImportedListing,
} from './imported-listing.js';

/** A card does not say of which repository it is the card; whoever fetched it knows. */
export interface CardOrigin {
  /** `owner/name`. */
  readonly name: string;
  /** Commit of the repository at which the card was read. */
  readonly revision: string | null;
}

const GATE_PREFIX = 'extra_gated_';

/**
 * The header of a Hugging Face model card.
 * @throws FormatError when the card is refused
 */
export function readModelCard(content: Uint8Array | string, origin: CardOrigin): ImportResult {
  const tree = readCardHeader(content);
  const report = new ReportWriter(tree, 'hugging-face-model');
  const fields = FieldReader.of(tree.root, report);
  const listing: ImportedListing = {
    ...cardFacts(fields, origin, 'model'),
    bases: readBases(fields),
    datasets: texts(fields, 'datasets', 'datasets').map((name) => ({ name, use: 'trained-on' as const })),
    tasks: texts(fields, 'pipeline_tag', 'tasks'),
    library: fields.keep('library_name', 'library'),
  };
  fields.reportRest();
  return report.finish([listing], null);
}

/**
 * The header of a Hugging Face dataset card.
 * @throws FormatError when the card is refused
 */
export function readDatasetCard(content: Uint8Array | string, origin: CardOrigin): ImportResult {
  const tree = readCardHeader(content);
  const report = new ReportWriter(tree, 'hugging-face-dataset');
  const fields = FieldReader.of(tree.root, report);
  const listing: ImportedListing = {
    ...cardFacts(fields, origin, 'dataset'),
    tasks: texts(fields, 'task_categories', 'tasks'),
    data: {
      ...NO_DATA_FACTS,
      sources: texts(fields, 'source_datasets', 'data.sources'),
      collection: collectionOf(fields),
    },
  };
  for (const { text, node } of fields.texts('size_categories')) {
    report.understood('size_categories', node, 'read, not kept', text);
  }
  fields.reportRest();
  return report.finish([listing], null);
}

function cardFacts(fields: FieldReader, origin: CardOrigin, kind: ImportedListing['kind']): ImportedListing {
  return {
    kind,
    name: origin.name,
    documentId: null,
    version: origin.revision,
    supplier: /^([^/]+)\//.exec(origin.name)?.[1] ?? null,
    sha256: [],
    declaredLicense: readCardLicense(fields),
    concludedLicense: null,
    bases: [],
    datasets: [],
    components: [],
    tasks: [],
    library: null,
    tags: texts(fields, 'tags', 'tags'),
    ...readGate(fields),
    data: NO_DATA_FACTS,
    exported: NO_EXPORTED_CLAIMS,
  };
}

/** How the annotations were made, as a card says it, e.g. `found` or `crowdsourced`. */
function collectionOf(fields: FieldReader): string | null {
  const found = texts(fields, 'annotations_creators', 'data.collection');
  return found.length === 0 ? null : `annotations: ${found.join(', ')}`;
}

function texts(fields: FieldReader, name: string, as: string): readonly string[] {
  return fields.texts(name).map(({ text, node }) => {
    fields.report.understood(name, node, as, text);
    return text;
  });
}

/** Several bases are a merge by the definition of the format; otherwise an absent relation stays unknown. */
function readBases(fields: FieldReader): ImportedListing['bases'] {
  const names = texts(fields, 'base_model', 'bases');
  const relation = fields.text('base_model_relation');
  const known = relation === undefined ? undefined : BASE_RELATIONS.find((word) => word === relation.text);
  if (relation !== undefined) {
    if (known === undefined || known === 'unknown') {
      fields.report.notUnderstood('base_model_relation', relation.node, 'unknown-value', relation.text);
    } else {
      fields.report.understood('base_model_relation', relation.node, 'bases[].relation', known);
    }
  }
  const inferred: BaseRelation = names.length > 1 && relation === undefined ? 'merge' : 'unknown';
  return names.map((name) => ({ name, relation: known ?? inferred }));
}

/** Any `extra_gated_...` field shows that access is gated; without one the gate may still be set elsewhere. */
function readGate(fields: FieldReader): Pick<ImportedListing, 'gated' | 'gatedAgainst'> {
  const names = [...fields.map.entries.keys()].filter((name) => name.startsWith(GATE_PREFIX));
  for (const name of names) {
    const node = fields.node(name);
    if (node) fields.report.understood(name, node, 'gated', 'access is gated');
  }
  const gatedAgainst = fields.flag('extra_gated_eu_disallowed') === true ? ['EU'] : [];
  return { gated: names.length > 0 ? 'yes' : 'unknown', gatedAgainst };
}
