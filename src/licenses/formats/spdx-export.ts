import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Listing, type ListingId, type Modality } from '../domain/listing.js';
import {
  licenseProperties,
  listingProperties,
  subjectProperties,
  trainingProperties,
  type Property,
} from './listing-properties.js';
import { spdxId } from './license-names.js';
import { PROPERTY } from './property-names.js';
import {
  checkStamp,
  findingText,
  inIdOrder,
  type ExportStamp,
  type SupplyChain,
  type SupplyChainComponent,
} from './supply-chain.js';

type Json = { readonly [key: string]: JsonValue };

const SPEC_VERSION = '3.0.1';
const CONTEXT = `https://spdx.org/rdf/${SPEC_VERSION}/spdx-context.jsonld`;
const CREATION = '_:creation';

/** SPDX has no vector pictures and no 3D. */
const DATASET_TYPE: Readonly<Record<Modality, string>> = {
  image: 'image',
  vector: 'image',
  video: 'video',
  audio: 'audio',
  '3d': 'other',
};

/**
 * The chain as an SPDX 3.0.1 document in JSON-LD with the AI and dataset profiles. The same chain and stamp give the
 * same bytes (RFC 8785). What we do not know is left out: the profiles ask for release times and download locations
 * that nobody may have seen, so the document does not claim to conform to these two profiles.
 * @throws RangeError when the stamp is malformed
 */
export function exportSpdx(chain: SupplyChain, stamp: ExportStamp): Buffer {
  checkStamp(stamp);
  return canonicalJson({ '@context': CONTEXT, '@graph': new SpdxWriter(chain, stamp).graph() });
}

class SpdxWriter {
  private readonly elements: Json[] = [];
  private relationships = 0;

  constructor(
    private readonly chain: SupplyChain,
    private readonly stamp: ExportStamp,
  ) {}

  graph(): readonly Json[] {
    const components = inIdOrder(this.chain.components);
    this.element('SpdxAgent', 'SoftwareAgent', { name: `colophon ${this.stamp.toolVersion}` });
    this.subject();
    for (const component of components) this.model(component);
    for (const id of this.chain.unlisted) this.unlisted(id);
    for (const component of components) this.relations(component);
    this.subjectRelations(components);
    this.findings();
    return [this.creation(), this.document(), ...this.elements];
  }

  private creation(): Json {
    const { time: created } = this.stamp;
    return {
      '@id': CREATION,
      type: 'CreationInfo',
      created,
      createdBy: [this.id('SpdxAgent')],
      specVersion: SPEC_VERSION,
    };
  }

  private document(): Json {
    return {
      spdxId: this.id('document'),
      type: 'SpdxDocument',
      creationInfo: CREATION,
      name: `Supply chain of ${this.chain.subject.name}`,
      profileConformance: ['core', 'extension', 'simpleLicensing', 'software'],
      rootElement: [this.id('subject')],
      element: this.elements.map(({ spdxId: id }) => id ?? null),
      ...extension(subjectProperties(this.chain)),
    };
  }

  private subject(): void {
    const { kind, name, sha256 } = this.chain.subject;
    this.element('subject', kind === 'asset' ? 'software_File' : 'software_Package', {
      name,
      ...(sha256 === null ? {} : { verifiedUsing: [hash(sha256)] }),
    });
  }

  private model(component: SupplyChainComponent): void {
    const { listing, revision, weightsSha256 } = component;
    const supplier = `supplier-${listing.id}`;
    this.element(supplier, 'Organization', { name: listing.vendor });
    const isModel = listing.access !== 'code';
    this.element(`listing-${listing.id}`, isModel ? 'ai_AIPackage' : 'software_Package', {
      name: listing.name,
      suppliedBy: this.id(supplier),
      software_primaryPurpose: isModel ? 'model' : 'library',
      ...(revision === null ? {} : { software_packageVersion: revision }),
      ...(weightsSha256 === null ? {} : { verifiedUsing: [hash(weightsSha256)] }),
      ...extension(listingProperties(component)),
    });
    this.license(component);
    if (isModel) this.trainingData(component);
  }

  /** Known by its id alone. */
  private unlisted(id: ListingId): void {
    this.element(`listing-${id}`, 'ai_AIPackage', { name: id, ...extension([[PROPERTY.listingId, id]]) });
  }

  private license(component: SupplyChainComponent): void {
    const { id, license } = component.listing;
    const known = spdxId(license.spdxOrRef);
    const address = known === undefined && license.url !== null;
    this.element(`license-${id}`, 'simplelicensing_LicenseExpression', {
      name: license.name,
      simplelicensing_licenseExpression: known ?? license.spdxOrRef,
      ...(address
        ? {
            simplelicensing_customIdToUri: [
              { type: 'DictionaryEntry', key: license.spdxOrRef, value: license.url },
            ],
          }
        : {}),
      ...extension(licenseProperties(component)),
    });
  }

  private trainingData(component: SupplyChainComponent): void {
    const { listing } = component;
    this.element(`training-data-${listing.id}`, 'dataset_DatasetPackage', {
      name: `Training data of ${listing.name}`,
      dataset_dataCollectionProcess: listing.trainingData.summary,
      dataset_datasetType: datasetTypes(listing),
      dataset_hasSensitivePersonalInformation: 'noAssertion',
      software_primaryPurpose: 'data',
      ...extension(trainingProperties(component)),
    });
  }

  private relations({ listing, use, via }: SupplyChainComponent): void {
    const { access, base, id, license } = listing;
    const from = `listing-${id}`;
    const concluded = license.status !== 'unverified';
    this.relate(from, concluded ? 'hasConcludedLicense' : 'hasDeclaredLicense', [`license-${id}`]);
    if (access !== 'code') this.relate(from, 'trainedOn', [`training-data-${id}`]);
    if (base !== null) this.relateBase(from, base.listingId);
    for (const parent of via) {
      this.relate(`listing-${parent}`, use === 'always' ? 'dependsOn' : 'hasOptionalComponent', [from]);
    }
  }

  /** A base outside of the lineage gets an element of its own, so that the reference does not dangle. */
  private relateBase(from: string, base: ListingId): void {
    const isPart =
      this.chain.components.some(({ listing }) => listing.id === base) || this.chain.unlisted.includes(base);
    if (!isPart && !this.elements.some(({ spdxId: id }) => id === this.id(`listing-${base}`))) {
      this.unlisted(base);
    }
    this.relate(from, 'descendantOf', [`listing-${base}`]);
  }

  /** Models generate an asset; a definition depends on them. */
  private subjectRelations(components: readonly SupplyChainComponent[]): void {
    const direct = components.filter(({ via }) => via.length === 0).map(({ listing }) => listing.id);
    const names = [...direct, ...this.chain.unlisted].map((id) => `listing-${id}`);
    if (names.length === 0) return;
    if (this.chain.subject.kind === 'asset')
      for (const name of names) this.relate(name, 'generates', ['subject']);
    else this.relate('subject', 'dependsOn', names);
  }

  private findings(): void {
    const { clearance, components } = this.chain;
    if (clearance === null) return;
    const { decision, engineVersion, findings, id } = clearance;
    this.annotate('decision', 'subject', `clearance ${id}: ${decision} (engine ${engineVersion})`);
    for (const [index, finding] of findings.entries()) {
      const isPart = components.some(({ listing }) => listing.id === finding.listingId);
      const about = isPart && finding.listingId !== null ? `listing-${finding.listingId}` : 'subject';
      this.annotate(`finding-${String(index + 1)}`, about, findingText(finding));
    }
  }

  private annotate(name: string, subject: string, statement: string): void {
    this.element(name, 'Annotation', { annotationType: 'review', subject: this.id(subject), statement });
  }

  private relate(from: string, relationshipType: string, to: readonly string[]): void {
    this.relationships += 1;
    this.element(`relationship-${String(this.relationships)}`, 'Relationship', {
      from: this.id(from),
      relationshipType,
      to: to.map((name) => this.id(name)),
      completeness: 'noAssertion',
    });
  }

  private element(name: string, type: string, fields: Json): void {
    this.elements.push({ spdxId: this.id(name), type, creationInfo: CREATION, ...fields });
  }

  private id(name: string): string {
    return `urn:uuid:${this.stamp.serial}#${name}`;
  }
}

function datasetTypes({ modalities }: Listing): readonly string[] {
  return [...new Set(modalities.map((modality) => DATASET_TYPE[modality]))].sort();
}

function hash(hashValue: string): Json {
  return { type: 'Hash', algorithm: 'sha256', hashValue };
}

function extension(properties: readonly Property[]): Json {
  const entries = properties.map(([name, value]) => ({
    type: 'extension_CdxPropertyEntry',
    extension_cdxPropName: name,
    extension_cdxPropValue: value,
  }));
  return { extension: [{ type: 'extension_CdxPropertiesExtension', extension_cdxProperty: entries }] };
}
