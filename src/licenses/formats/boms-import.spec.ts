import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type JsonValue } from '../../shared/canonical-json.js';
import { importDocument } from './import-document.js';
import { type ImportFormat } from './imported-listing.js';

const HASH = 'a'.repeat(64);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

function attempt(format: ImportFormat, document: JsonValue) {
  return importDocument({
    format,
    content: JSON.stringify(document),
    origin: { name: 'document', revision: null },
  });
}
function read(format: ImportFormat, document: JsonValue) {
  const result = attempt(format, document);
  if (!result.ok)
    throw new Error(`${result.refusal.code} at ${result.refusal.place.pointer}: ${result.refusal.message}`);
  return result;
}
const reasons = (result: ReturnType<typeof read>) =>
  result.report.fields.flatMap(({ field, reason }) => (reason === null ? [] : [`${field}: ${reason}`]));

const bom = (components: JsonValue, more: Record<string, JsonValue> = {}): JsonValue => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components,
  ...more,
});
const model = (fields: Record<string, JsonValue>): JsonValue => ({
  type: 'machine-learning-model',
  name: 'm',
  ...fields,
});

describe('CycloneDX', () => {
  it('reads a model with license, hash, base, data and components', () => {
    const result = read(
      'cyclonedx',
      bom(
        [
          model({
            'bom-ref': 'm',
            group: 'acme',
            name: 'painter',
            version: '1.0',
            supplier: { name: 'Acme' },
            hashes: [
              { alg: 'SHA-256', content: HASH.toUpperCase() },
              { alg: 'SHA-1', content: 'b'.repeat(40) },
            ],
            licenses: [
              {
                license: { name: 'openrail++', url: 'https://example.com/L', text: { content: 'the text' } },
              },
            ],
            pedigree: { ancestors: [{ type: 'machine-learning-model', group: 'stabilityai', name: 'sdxl' }] },
            modelCard: {
              modelParameters: {
                task: 'text-to-image',
                datasets: [{ ref: 'd' }, { type: 'dataset', name: 'inline' }, { ref: 'gone' }],
              },
            },
          }),
          {
            type: 'data',
            'bom-ref': 'd',
            name: 'pictures',
            licenses: [{ expression: 'CC-BY-4.0 OR CC-BY-NC-4.0' }],
            data: [
              {
                type: 'dataset',
                classification: 'public',
                sensitiveData: ['faces'],
                governance: { owners: [{ organization: { name: 'Owner' } }] },
              },
            ],
          },
          { type: 'library', 'bom-ref': 'l', name: 'torch' },
          model({
            'bom-ref': 'e',
            name: 'encoder',
            scope: 'optional',
            licenses: [
              { license: { id: 'MIT', acknowledgement: 'declared' } },
              { license: { id: 'Apache-2.0', acknowledgement: 'concluded' } },
            ],
          }),
        ],
        { dependencies: [{ ref: 'm', dependsOn: ['e', 'l'] }] },
      ),
    );
    const [painter, pictures, encoder] = result.listings;
    expect(result.listings).toHaveLength(3);
    expect(painter).toMatchObject({
      kind: 'model',
      name: 'acme/painter',
      documentId: 'm',
      supplier: 'Acme',
      sha256: [HASH],
      bases: [{ name: 'stabilityai/sdxl', relation: 'unknown' }],
      tasks: ['text-to-image'],
      components: [
        { name: 'encoder', use: 'optional' },
        { name: 'torch', use: 'always' },
      ],
    });
    expect(painter?.datasets.map(({ name }) => name)).toEqual(['pictures', 'inline', 'gone']);
    expect(painter?.declaredLicense).toMatchObject({
      spdx: 'LicenseRef-CreativeML-OpenRAIL-PP-M',
      textSha256: sha256('the text'),
      url: 'https://example.com/L',
    });
    expect(pictures).toMatchObject({
      kind: 'dataset',
      data: {
        personalInformation: 'faces',
        sources: ['Owner'],
        confidentiality: 'public',
        personalData: 'unknown',
      },
    });
    expect(pictures?.declaredLicense).toMatchObject({
      commercialUse: 'unknown',
      doubts: ['choice-not-made'],
    });
    expect([encoder?.declaredLicense.spdx, encoder?.concludedLicense?.spdx]).toEqual(['MIT', 'Apache-2.0']);
    expect(reasons(result)).toEqual(
      expect.arrayContaining([
        'components[].hashes: other-hash',
        'components[].licenses: choice-not-made',
        'components[].modelCard.modelParameters.datasets[].ref: dangling-reference',
      ]),
    );
  });

  it.each(['1.5', '1.6', '1.7'])('reads version %s', (specVersion) => {
    expect(read('cyclonedx', bom([], { specVersion })).report.formatVersion).toBe(specVersion);
  });

  it('does not decide how several licenses belong together', () => {
    const licenses = [{ license: { id: 'MIT' } }, { license: { id: 'CC-BY-NC-4.0' } }];
    const [listing] = read('cyclonedx', bom([model({ licenses })])).listings;
    expect(listing?.declaredLicense).toMatchObject({
      commercialUse: 'unknown',
      doubts: ['list-not-explained'],
    });
  });

  it('reads components inside components, and an empty BOM gives no listing', () => {
    expect(
      read(
        'cyclonedx',
        bom([{ type: 'application', name: 'a', components: [model({ name: 'inner' })] }]),
      ).listings.map(({ name }) => name),
    ).toEqual(['inner']);
    expect(read('cyclonedx', bom([])).report.understood).toBe('not');
  });
});

const CONTEXT = 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld';
const graph = (...elements: JsonValue[]): JsonValue => ({ '@context': CONTEXT, '@graph': elements });
const element = (type: string, spdxId: string, fields: Record<string, JsonValue> = {}): JsonValue => ({
  type,
  spdxId,
  creationInfo: '_:c',
  ...fields,
});
const relation = (relationshipType: string, from: JsonValue, ...to: JsonValue[]): JsonValue => ({
  type: 'Relationship',
  spdxId: 'x:r',
  creationInfo: '_:c',
  relationshipType,
  from,
  to,
});

describe('SPDX 3', () => {
  it('reads AI and data set packages with their relationships', () => {
    const result = read(
      'spdx-3',
      graph(
        element('Organization', 'x:acme', { name: 'Acme' }),
        element('ai_AIPackage', 'x:m', {
          name: 'painter',
          suppliedBy: 'x:acme',
          software_packageVersion: '2',
          ai_domain: ['text-to-image'],
          ai_useSensitivePersonalInformation: 'no',
          verifiedUsing: [{ type: 'Hash', algorithm: 'sha256', hashValue: HASH }],
        }),
        element('ai_AIPackage', 'x:base', { name: 'base' }),
        element('dataset_DatasetPackage', 'x:d', {
          name: 'pictures',
          dataset_datasetType: ['image'],
          dataset_datasetAvailability: 'registration',
          dataset_confidentialityLevel: 'green',
          dataset_hasSensitivePersonalInformation: 'yes',
          dataset_intendedUse: 'training',
          dataset_dataCollectionProcess: 'crawled',
        }),
        element('simplelicensing_LicenseExpression', 'x:l', {
          simplelicensing_licenseExpression: 'Apache-2.0 OR MIT',
        }),
        relation('hasDeclaredLicense', 'x:m', 'x:l'),
        relation('hasConcludedLicense', 'x:m', 'https://spdx.org/licenses/MIT'),
        relation('trainedOn', 'x:m', 'x:d'),
        relation('testedOn', 'x:m', 'x:d'),
        relation('descendantOf', 'x:m', 'x:base'),
        relation('ancestorOf', 'x:base', 'x:m'),
        relation('hasOptionalComponent', 'x:m', 'x:base'),
        relation('hasDeclaredLicense', 'x:d', 'x:gone'),
      ),
    );
    const [painter, base, pictures] = result.listings;
    expect(painter).toMatchObject({
      name: 'painter',
      documentId: 'x:m',
      version: '2',
      supplier: 'Acme',
      sha256: [HASH],
      tasks: ['text-to-image'],
      bases: [{ name: 'base', relation: 'unknown' }],
      datasets: [
        { name: 'pictures', use: 'trained-on' },
        { name: 'pictures', use: 'tested-on' },
      ],
      components: [{ name: 'base', use: 'optional' }],
      data: { personalData: 'no' },
    });
    expect(painter?.declaredLicense).toMatchObject({
      spdx: 'Apache-2.0 OR MIT',
      commercialUse: 'yes',
      doubts: [],
    });
    expect(painter?.concludedLicense?.spdx).toBe('MIT');
    expect(base?.declaredLicense.status).toBe('absent');
    expect(pictures).toMatchObject({
      kind: 'dataset',
      gated: 'yes',
      data: {
        availability: 'registration',
        confidentiality: 'green',
        personalData: 'yes',
        intendedUse: 'training',
        collection: 'crawled',
      },
    });
    expect(reasons(result)).toEqual(
      expect.arrayContaining(['hasDeclaredLicense: dangling-reference', 'hasDeclaredLicense: missing']),
    );
  });

  it('keeps the structure of license sets, and hashes license texts that it contains', () => {
    const set = element('expandedlicensing_DisjunctiveLicenseSet', 'x:set', {
      expandedlicensing_member: [
        'https://spdx.org/licenses/MIT',
        element('expandedlicensing_CustomLicense', 'x:own', {
          name: 'kolors',
          simplelicensing_licenseText: 'text',
        }),
      ],
    });
    const [one] = read(
      'spdx-3',
      graph(element('ai_AIPackage', 'x:m', { name: 'm' }), relation('hasDeclaredLicense', 'x:m', set)),
    ).listings;
    expect(one?.declaredLicense).toMatchObject({
      spdx: 'MIT OR LicenseRef-Kolors',
      commercialUse: 'unknown',
    });
    const own = read(
      'spdx-3',
      graph(
        element('ai_AIPackage', 'x:m', { name: 'm' }),
        relation(
          'hasDeclaredLicense',
          'x:m',
          element('expandedlicensing_CustomLicense', 'x:own', {
            name: 'kolors',
            simplelicensing_licenseText: 'text',
          }),
        ),
      ),
    );
    expect(own.listings[0]?.declaredLicense.textSha256).toBe(sha256('text'));
  });

  it('refuses sets that contain themselves and ids that stand twice', () => {
    const set = (id: string, ...members: string[]) =>
      element('expandedlicensing_ConjunctiveLicenseSet', id, { expandedlicensing_member: members });
    const package_ = element('ai_AIPackage', 'x:m', { name: 'm' });
    const cyclic = attempt(
      'spdx-3',
      graph(
        package_,
        relation('hasDeclaredLicense', 'x:m', 'x:a'),
        set('x:a', 'x:b', 'x:b'),
        set('x:b', 'x:a', 'x:a'),
      ),
    );
    expect(!cyclic.ok && cyclic.refusal.code).toBe('cyclic-reference');
    const twice = attempt('spdx-3', graph(package_, package_));
    expect(!twice.ok && [twice.refusal.code, twice.refusal.place.pointer]).toEqual([
      'duplicate-id',
      '/@graph/1',
    ]);
  });

  it('does not grow exponentially with license sets in each other', () => {
    const sets = Array.from({ length: 40 }, (_, i) =>
      element('expandedlicensing_ConjunctiveLicenseSet', `x:s${String(i)}`, {
        expandedlicensing_member:
          i === 39
            ? ['https://spdx.org/licenses/MIT', 'https://spdx.org/licenses/ISC']
            : [`x:s${String(i + 1)}`, `x:s${String(i + 1)}`],
      }),
    );
    const [listing] = read(
      'spdx-3',
      graph(
        element('ai_AIPackage', 'x:m', { name: 'm' }),
        relation('hasDeclaredLicense', 'x:m', 'x:s0'),
        ...sets,
      ),
    ).listings;
    expect(listing?.declaredLicense).toMatchObject({ status: 'unknown', commercialUse: 'unknown' });
  });
});

describe('Croissant', () => {
  const dataset = (fields: Record<string, JsonValue>): JsonValue => ({
    '@context': {
      '@language': 'en',
      '@vocab': 'https://schema.org/',
      cr: 'http://mlcommons.org/croissant/',
      rai: 'http://mlcommons.org/croissant/RAI/',
      sc: 'https://schema.org/',
      dct: 'http://purl.org/dc/terms/',
      isLiveDataset: 'cr:isLiveDataset',
      conformsTo: 'dct:conformsTo',
    },
    '@type': 'sc:Dataset',
    conformsTo: 'http://mlcommons.org/croissant/1.0',
    name: 'pictures',
    ...fields,
  });

  it('reads license, creator, files and responsible-AI fields', () => {
    const result = read(
      'croissant',
      dataset({
        license: 'https://creativecommons.org/licenses/by/4.0/',
        creator: [{ '@type': 'sc:Organization', name: 'Acme' }],
        isLiveDataset: false,
        version: '1.0.0',
        distribution: [
          { '@type': 'cr:FileObject', sha256: HASH },
          { '@type': 'cr:FileObject', sha256: 'x' },
        ],
        'rai:dataCollection': 'Photographs by staff.',
        'rai:personalSensitiveInformation': 'None.',
      }),
    );
    expect(result.report).toMatchObject({ formatVersion: '1.0', understood: 'partly' });
    expect(result.listings[0]).toMatchObject({
      kind: 'dataset',
      name: 'pictures',
      supplier: 'Acme',
      sha256: [HASH],
      data: {
        live: 'no',
        collection: 'Photographs by staff.',
        personalInformation: 'None.',
        personalData: 'unknown',
      },
    });
    expect(result.listings[0]?.declaredLicense.spdx).toBe('CC-BY-4.0');
    expect(reasons(result)).toEqual(['distribution[].sha256: other-hash']);
  });

  it.each<[JsonValue, string | null]>([
    ['MIT', 'MIT'],
    [
      { '@type': 'sc:CreativeWork', name: 'CC BY', url: 'https://creativecommons.org/licenses/by-nc/4.0/' },
      'CC-BY-NC-4.0',
    ],
    [{ '@id': 'https://example.com/our-terms' }, null],
    [['MIT', 'Apache-2.0'], 'MIT AND Apache-2.0'],
  ])('reads the license %j', (license, spdx) => {
    expect(read('croissant', dataset({ license })).listings[0]?.declaredLicense.spdx).toBe(spdx);
  });
});
