import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type ListingId } from '../domain/listing.js';
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

export type CycloneDxVersion = '1.6' | '1.7';
type Json = { readonly [key: string]: JsonValue };

const SUBJECT_REF = 'subject';
const listingRef = (id: ListingId): string => `listing:${id}`;
const dataRef = (id: ListingId): string => `training-data:${id}`;

/**
 * An ML-BOM in CycloneDX JSON: every listing as a component with its license, its training data as a component of
 * type `data`, findings as annotations. The same chain and stamp give the same bytes (RFC 8785).
 * @throws RangeError when the stamp is malformed
 */
export function exportCycloneDx(
  chain: SupplyChain,
  stamp: ExportStamp,
  version: CycloneDxVersion = '1.6',
): Buffer {
  checkStamp(stamp);
  const components = inIdOrder(chain.components);
  return canonicalJson({
    $schema: `http://cyclonedx.org/schema/bom-${version}.schema.json`,
    bomFormat: 'CycloneDX',
    specVersion: version,
    serialNumber: `urn:uuid:${stamp.serial}`,
    version: 1,
    metadata: metadataOf(chain, stamp),
    components: [
      ...components.flatMap((component) => [modelOf(chain, component), ...trainingDataOf(component)]),
      ...chain.unlisted.map(unlistedOf),
    ],
    dependencies: dependenciesOf(chain, components),
    annotations: annotationsOf(chain, stamp),
  });
}

function metadataOf(chain: SupplyChain, stamp: ExportStamp): Json {
  const { subject } = chain;
  return {
    timestamp: stamp.time,
    tools: { components: [{ type: 'application', name: 'colophon', version: stamp.toolVersion }] },
    component: {
      type: subject.kind === 'asset' ? 'file' : 'application',
      'bom-ref': SUBJECT_REF,
      name: subject.name,
      ...(subject.sha256 === null ? {} : { hashes: [sha256(subject.sha256)] }),
    },
    properties: propertyList(subjectProperties(chain)),
  };
}

function modelOf(chain: SupplyChain, component: SupplyChainComponent): Json {
  const { listing, revision, use, weightsSha256 } = component;
  const isModel = listing.access !== 'code';
  return {
    type: isModel ? 'machine-learning-model' : 'library',
    'bom-ref': listingRef(listing.id),
    name: listing.name,
    ...(revision === null ? {} : { version: revision }),
    supplier: { name: listing.vendor },
    scope: use === 'always' ? 'required' : 'optional',
    ...(weightsSha256 === null ? {} : { hashes: [sha256(weightsSha256)] }),
    licenses: [licenseOf(component)],
    ...(listing.base === null ? {} : { pedigree: { ancestors: [ancestorOf(chain, listing.base)] } }),
    ...(isModel ? { modelCard: { modelParameters: { datasets: [{ ref: dataRef(listing.id) }] } } } : {}),
    properties: propertyList(listingProperties(component)),
  };
}

/** `declared` as long as the text in force was not read; `concluded` when somebody read it. */
function licenseOf(component: SupplyChainComponent): Json {
  const { license } = component.listing;
  const id = spdxId(license.spdxOrRef);
  return {
    license: {
      ...(id === undefined ? { name: license.name } : { id }),
      acknowledgement: license.status === 'unverified' ? 'declared' : 'concluded',
      ...(license.url === null ? {} : { url: license.url }),
      properties: propertyList(licenseProperties(component)),
    },
  };
}

function ancestorOf(
  chain: SupplyChain,
  base: { readonly listingId: ListingId; readonly relation: string },
): Json {
  const known = chain.components.find(({ listing }) => listing.id === base.listingId);
  return {
    type: 'machine-learning-model',
    name: known?.listing.name ?? base.listingId,
    properties: propertyList([
      [PROPERTY.listingId, base.listingId],
      [PROPERTY.baseRelation, base.relation],
    ]),
  };
}

function trainingDataOf(component: SupplyChainComponent): readonly Json[] {
  const { listing } = component;
  if (listing.access === 'code') return [];
  const name = `Training data of ${listing.name}`;
  return [
    {
      type: 'data',
      'bom-ref': dataRef(listing.id),
      name,
      data: [{ type: 'dataset', name, description: listing.trainingData.summary }],
      properties: propertyList(trainingProperties(component)),
    },
  ];
}

function unlistedOf(id: ListingId): Json {
  return {
    type: 'machine-learning-model',
    'bom-ref': listingRef(id),
    name: id,
    description: 'The registry has no listing: neither license nor training data is known.',
    properties: propertyList([[PROPERTY.listingId, id]]),
  };
}

function dependenciesOf(chain: SupplyChain, components: readonly SupplyChainComponent[]): readonly Json[] {
  const direct = components.filter(({ via }) => via.length === 0).map(({ listing }) => listing.id);
  const broughtBy = (id: ListingId) =>
    components.filter(({ via }) => via.includes(id)).map(({ listing }) => listingRef(listing.id));
  return [
    { ref: SUBJECT_REF, dependsOn: [...direct, ...chain.unlisted].map(listingRef).sort() },
    ...components.map(({ listing }) => ({ ref: listingRef(listing.id), dependsOn: broughtBy(listing.id) })),
  ];
}

function annotationsOf(
  { clearance, components, unlisted }: SupplyChain,
  stamp: ExportStamp,
): readonly Json[] {
  if (clearance === null) return [];
  const known = new Set([...components.map(({ listing }) => listing.id), ...unlisted]);
  const annotator = { component: { type: 'application', name: 'colophon', version: stamp.toolVersion } };
  const decision = `clearance ${clearance.id}: ${clearance.decision} (engine ${clearance.engineVersion})`;
  const annotation = (subject: string, text: string): Json => ({
    subjects: [subject],
    annotator,
    timestamp: stamp.time,
    text,
  });
  return [
    annotation(SUBJECT_REF, decision),
    ...clearance.findings.map((finding) => {
      const { listingId } = finding;
      const subject = listingId !== null && known.has(listingId) ? listingRef(listingId) : SUBJECT_REF;
      return annotation(subject, findingText(finding));
    }),
  ];
}

function sha256(content: string): Json {
  return { alg: 'SHA-256', content };
}

function propertyList(properties: readonly Property[]): readonly Json[] {
  return properties.map(([name, value]) => ({ name, value }));
}
