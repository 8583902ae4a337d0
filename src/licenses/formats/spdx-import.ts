import { type ThreeValued } from '../domain/three-valued.js';
import { exportedClaims } from './cdx-properties.js';
import { placeOf, type TreeNode } from './document-tree.js';
import { type FieldReader } from './field-reader.js';
import { FormatError } from './format-error.js';
import { ReportWriter, type ImportResult } from './import-report.js';
import {
  BASE_RELATIONS,
  NO_DATA_FACTS,
  type ImportedBase,
  type ImportedComponent,
  type ImportedDataset,
  type ImportedListing,
} from './imported-listing.js';
import { readJsonTree } from './json-tree.js';
import { listClaim, NO_LICENSE, type LicenseClaim } from './license-claim.js';
import { MAX_DOCUMENT_BYTES, MAX_LISTINGS_PER_DOCUMENT } from './limits.js';
import { PROPERTY, SHA256_HEX } from './property-names.js';
import { decodeDocument } from './source-text.js';
import {
  idsOf,
  readSpdxGraph,
  type SpdxElement,
  type SpdxGraph,
  type SpdxRelationship,
} from './spdx-graph.js';
import { extensionOf, spdxLicense } from './spdx-license.js';

const COMPONENT_USE: Readonly<Record<string, 'always' | 'optional'>> = {
  contains: 'always',
  dependsOn: 'always',
  hasPrerequisite: 'always',
  hasStaticLink: 'always',
  hasDynamicLink: 'always',
  hasProvidedDependency: 'always',
  hasOptionalComponent: 'optional',
  hasOptionalDependency: 'optional',
};

/**
 * The AI and dataset packages of an SPDX 3 document in JSON-LD.
 * @throws FormatError when the document is refused
 */
export function readSpdx(content: Uint8Array | string): ImportResult {
  const tree = readJsonTree(decodeDocument(content, MAX_DOCUMENT_BYTES));
  const report = new ReportWriter(tree, 'spdx-3');
  const graph = readSpdxGraph(tree, report);
  const listings: ImportedListing[] = [];
  const about = relationshipsByElement(graph);
  for (const element of graph.elements.values()) {
    const kind = kindOf(element);
    if (kind === undefined) continue;
    if (listings.length === MAX_LISTINGS_PER_DOCUMENT) {
      throw new FormatError('too-many-values', placeOf(tree, element.fields.map), 'too many packages');
    }
    listings.push(new PackageReader(graph, element, about.get(element.id) ?? []).listing(kind));
  }
  return report.finish(listings, graph.version);
}

function kindOf({ fields, type }: SpdxElement): ImportedListing['kind'] | undefined {
  if (type === 'ai_AIPackage') return 'model';
  if (type === 'dataset_DatasetPackage') return 'dataset';
  if (type !== 'software_Package') return undefined;
  return fields.text('software_primaryPurpose')?.text === 'model' ? 'model' : undefined;
}

function relationshipsByElement(graph: SpdxGraph): ReadonlyMap<string, readonly SpdxRelationship[]> {
  const found = new Map<string, SpdxRelationship[]>();
  const add = (id: string, relationship: SpdxRelationship) => {
    const known = found.get(id);
    if (known) known.push(relationship);
    else found.set(id, [relationship]);
  };
  for (const relationship of graph.relationships) {
    add(relationship.from, relationship);
    // The only direction in which the base speaks of what was made from it.
    if (relationship.type === 'ancestorOf') for (const id of relationship.to) add(id, relationship);
  }
  return found;
}

class PackageReader {
  private readonly fields: FieldReader;
  private readonly report: ReportWriter;

  constructor(
    private readonly graph: SpdxGraph,
    private readonly element: SpdxElement,
    private readonly relationships: readonly SpdxRelationship[],
  ) {
    this.fields = element.fields;
    this.report = element.fields.report;
  }

  listing(kind: ImportedListing['kind']): ImportedListing {
    const { fields, element } = this;
    fields.markRead('spdxId', '@id', 'type', 'creationInfo', 'extension', 'software_primaryPurpose');
    const declared = this.license('hasDeclaredLicense', 'declaredLicense');
    if (declared === undefined) {
      this.report.notUnderstood(
        'hasDeclaredLicense',
        fields.map,
        'missing',
        'the package declares no license',
      );
    }
    const parts = this.parts();
    const listing: ImportedListing = {
      kind,
      name: fields.keep('name', 'name') ?? element.id,
      documentId: element.id,
      version: fields.keep('software_packageVersion', 'version'),
      supplier: this.supplier(),
      sha256: this.hashes(),
      declaredLicense: declared ?? NO_LICENSE,
      concludedLicense: this.license('hasConcludedLicense', 'concludedLicense') ?? null,
      bases: this.bases(),
      datasets: [
        ...this.datasets('trainedOn', 'trained-on'),
        ...this.datasets('testedOn', 'tested-on'),
        ...parts.datasets,
      ],
      components: parts.components,
      gated: fields.text('dataset_datasetAvailability')?.text === 'registration' ? 'yes' : 'unknown',
      gatedAgainst: [],
      tasks: this.texts('ai_domain', 'tasks'),
      library: null,
      tags: this.texts('ai_typeOfModel', 'tags'),
      data: this.dataFacts(),
      exported: exportedClaims(extensionOf(element)),
    };
    fields.reportRest();
    return listing;
  }

  private dataFacts(): ImportedListing['data'] {
    const { fields } = this;
    return {
      ...NO_DATA_FACTS,
      collection:
        fields.keepProse('dataset_dataCollectionProcess', 'data.collection') ??
        fields.keepProse('ai_informationAboutTraining', 'data.collection'),
      intendedUse:
        fields.keepProse('dataset_intendedUse', 'data.intendedUse') ??
        fields.keepProse('ai_informationAboutApplication', 'data.intendedUse'),
      availability: this.oneOf('dataset_datasetAvailability', 'data.availability', AVAILABILITIES),
      confidentiality: this.oneOf('dataset_confidentialityLevel', 'data.confidentiality', CONFIDENTIALITY),
      personalData: worst(
        this.presence('dataset_hasSensitivePersonalInformation'),
        this.presence('ai_useSensitivePersonalInformation'),
      ),
    };
  }

  private oneOf(name: string, as: string, words: readonly string[]): string | null {
    const found = this.fields.text(name);
    if (found === undefined) return null;
    if (words.includes(found.text)) {
      this.report.understood(this.fields.label(name), found.node, as, found.text);
      return found.text;
    }
    this.report.notUnderstood(this.fields.label(name), found.node, 'unknown-value', found.text);
    return null;
  }

  private presence(name: string): ThreeValued {
    const word = this.oneOf(name, 'data.personalData', ['yes', 'no', 'noAssertion']);
    return word === 'yes' || word === 'no' ? word : 'unknown';
  }

  private texts(name: string, as: string): readonly string[] {
    return this.fields.texts(name).map(({ text, node }) => {
      this.report.understood(this.fields.label(name), node, as, text);
      return text;
    });
  }

  private supplier(): string | null {
    const node = this.fields.node('suppliedBy');
    const id = node && idsOf(node, this.fields)[0];
    if (node === undefined || id === undefined) return null;
    const name = this.graph.elements.get(id)?.fields.text('name')?.text;
    if (name === undefined)
      this.report.notUnderstood(this.fields.label('suppliedBy'), node, 'dangling-reference', id);
    else this.report.understood(this.fields.label('suppliedBy'), node, 'supplier', name);
    return name ?? null;
  }

  private hashes(): readonly string[] {
    const found: string[] = [];
    for (const node of this.fields.nodes('verifiedUsing')) {
      const algorithm = node.kind === 'map' ? node.entries.get('algorithm') : undefined;
      const value = node.kind === 'map' ? node.entries.get('hashValue') : undefined;
      const text = value ? this.fields.textOf(value).text.toLowerCase() : '';
      if (algorithm?.kind === 'scalar' && algorithm.value === 'sha256' && SHA256_HEX.test(text)) {
        found.push(text);
        this.report.understood(this.fields.label('verifiedUsing'), node, 'sha256', text);
      } else this.report.notUnderstood(this.fields.label('verifiedUsing'), node, 'other-hash', text);
    }
    return [...new Set(found)].sort();
  }

  private related(type: string): readonly { readonly id: string; readonly relationship: SpdxRelationship }[] {
    return this.relationships
      .filter((relationship) => relationship.type === type && relationship.from === this.element.id)
      .flatMap((relationship) => relationship.to.map((id) => ({ id, relationship })));
  }

  private license(type: string, as: string): LicenseClaim | undefined {
    const claims: LicenseClaim[] = [];
    let at: TreeNode | undefined;
    for (const { id, relationship } of this.related(type)) {
      at ??= relationship.node;
      const claim = spdxLicense(this.graph, id);
      if (claim) claims.push(claim);
      else this.report.notUnderstood(type, relationship.node, 'dangling-reference', id);
    }
    if (at === undefined || claims.length === 0) return undefined;
    const claim = listClaim(claims);
    this.report.license(type, at, as, claim);
    return claim;
  }

  private bases(): readonly ImportedBase[] {
    const named = this.related('descendantOf').map(({ id }) => id);
    const inverse = this.relationships.filter(
      ({ type, to }) => type === 'ancestorOf' && to.includes(this.element.id),
    );
    const claimed = extensionOf(this.element).get(PROPERTY.baseRelation);
    const relation = BASE_RELATIONS.find((word) => word === claimed) ?? 'unknown';
    return [...new Set([...named, ...inverse.map(({ from }) => from)])].map((id) => ({
      name: this.nameOf(id, 'descendantOf'),
      relation,
    }));
  }

  private datasets(type: string, use: 'trained-on' | 'tested-on'): ImportedListing['datasets'] {
    return this.related(type).map(({ id }) => ({ name: this.nameOf(id, type), use }));
  }

  /** Data is no component: a model may have learnt from it. Files that a package contains are its own. */
  private parts(): Pick<ImportedListing, 'components' | 'datasets'> {
    const components: ImportedComponent[] = [];
    const datasets: ImportedDataset[] = [];
    for (const [type, use] of Object.entries(COMPONENT_USE)) {
      for (const { id } of this.related(type)) {
        const target = this.graph.elements.get(id);
        const kind = target && kindOf(target);
        const name = this.nameOf(id, type);
        if (kind === 'dataset') datasets.push({ name, use: 'unknown' });
        else if (type === 'contains' && target?.type === 'software_File') continue;
        else
          components.push({
            name,
            use,
            kind: target === undefined || kind === 'model' ? 'model' : 'program',
            documentId: target === undefined ? null : id,
          });
      }
    }
    return { components, datasets };
  }

  /** The name of another element, or its id when the document does not contain it. */
  private nameOf(id: string, field: string): string {
    const other = this.graph.elements.get(id)?.fields;
    const name = other?.text('name')?.text;
    if (name === undefined) this.report.notUnderstood(field, this.fields.map, 'dangling-reference', id);
    else this.report.understood(field, this.fields.map, field, name);
    return name ?? id;
  }
}

const AVAILABILITIES = ['clickthrough', 'directDownload', 'query', 'registration', 'scrapingScript'];
const CONFIDENTIALITY = ['clear', 'green', 'amber', 'red'];

/** Of two statements about personal data the one that obliges to more. */
function worst(left: ThreeValued, right: ThreeValued): ThreeValued {
  if (left === 'yes' || right === 'yes') return 'yes';
  return left === 'no' || right === 'no' ? 'no' : 'unknown';
}
