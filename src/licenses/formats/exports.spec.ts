import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { cycloneDxSchema, spdxSchema } from '../../../test/support/bom-schemas.js';
import { expandLineage } from '../domain/expand-lineage.js';
import { indexListings } from '../domain/listing-index.js';
import { type Finding } from '../domain/finding.js';
import { type Listing } from '../domain/listing.js';
import { seedListings } from '../registry/seed.js';
import { exportCycloneDx, type CycloneDxVersion } from './cyclonedx-export.js';
import { importDocument } from './import-document.js';
import { type ImportedListing } from './imported-listing.js';
import { exportSpdx } from './spdx-export.js';
import { supplyChainComponents, type ExportStamp, type SupplyChain } from './supply-chain.js';

const VECTORS = join(import.meta.dirname, '../../../test/vectors/licenses');
const file = (name: string) => readFileSync(join(VECTORS, name), 'utf8');

const STAMP: ExportStamp = {
  serial: '01890000-0000-7000-8000-000000000001',
  time: '2026-11-22T10:00:00Z',
  toolVersion: '0.1.0',
};
const HASH = 'c'.repeat(64);

/** Listings of this test alone, so that the recorded bytes do not change with the registry. */
function fixture(id: string, fields: Partial<Listing> = {}): Listing {
  const [name = '', channel = ''] = id.split('@');
  return {
    id,
    name,
    vendor: 'Acme',
    modalities: ['image'],
    roles: ['generator'],
    channel,
    access: 'open-weights',
    endpoints: [],
    license: {
      spdxOrRef: 'Apache-2.0',
      name: 'Apache License 2.0',
      url: 'https://www.apache.org/licenses/LICENSE-2.0',
      textSha256: 'a'.repeat(64),
      version: '2.0',
      dateRead: '2026-11-22',
      status: 'current',
      statusReason: '',
      conflictingTexts: [],
    },
    history: [],
    terms: [],
    components: [],
    base: null,
    datasetManifestSha256: null,
    trainingData: {
      disclosure: 'unknown',
      summary: 'Nothing was found.',
      source: null,
      verified: 'unverified',
    },
    indemnity: { offered: 'unknown', conditions: [], voidedBy: [], source: null, verified: 'unverified' },
    sources: [
      {
        id: 's',
        title: 'Card',
        url: null,
        commit: null,
        section: null,
        dateRead: '2026-11-22',
        verified: 'primary',
      },
    ],
    ...fields,
  };
}

const APACHE = fixture('any@x').license;
const PAINTER = fixture('painter@self-hosted', {
  license: {
    ...APACHE,
    spdxOrRef: 'LicenseRef-FLUX.1-dev-NC-1.1.1',
    name: 'FLUX.1 [dev] Non-Commercial License v1.1.1',
    url: 'https://example.com/license',
    status: 'unverified',
    statusReason: 'Not read.',
  },
  trainingData: {
    disclosure: 'partial',
    summary: 'Pictures from the web.',
    source: 's',
    verified: 'primary',
    rightsBasis: { value: 'scraped', source: 's', clause: null, verified: 'secondary' },
  },
});
/** A LoRA of the customer, a model that brings an encoder, one that runs elsewhere, and code. */
const LISTINGS = [
  PAINTER,
  fixture('acme-style@self-hosted', {
    roles: ['lora'],
    base: { listingId: 'painter@self-hosted', relation: 'adapter' },
    datasetManifestSha256: 'd'.repeat(64),
    license: PAINTER.license,
  }),
  fixture('dreamer@fal', {
    access: 'api',
    license: { ...APACHE, spdxOrRef: 'MIT', name: 'MIT License', url: null, textSha256: null, version: null },
    components: [
      {
        role: 'encoder',
        name: 'encoder',
        listingId: 'encoder@self-hosted',
        licenseRef: null,
        use: 'always',
        usedWhen: null,
        source: 's',
        clause: null,
        verified: 'primary',
      },
      {
        role: 'upscaler',
        name: 'bigger',
        listingId: 'bigger@self-hosted',
        licenseRef: null,
        use: 'optional',
        usedWhen: 'on request',
        source: 's',
        clause: null,
        verified: 'primary',
      },
    ],
  }),
  fixture('encoder@self-hosted', {
    license: { ...APACHE, spdxOrRef: 'LicenseRef-Llama-3.1-Community', name: 'Llama 3.1 Community License' },
  }),
  fixture('bigger@self-hosted', { modalities: ['vector', '3d'] }),
  fixture('crop@studio', { access: 'code', roles: ['library'] }),
];
const expanded = expandLineage(
  {
    components: [
      { listingId: 'painter@self-hosted', role: 'generator', stepKey: 'make' },
      { listingId: 'acme-style@self-hosted', role: 'lora', stepKey: 'make' },
      { listingId: 'dreamer@fal', role: 'generator', stepKey: 'second try' },
      { listingId: 'crop@studio', role: 'library', stepKey: 'crop' },
      { listingId: 'nobody-knows@fal', role: 'editor', stepKey: 'edit' },
    ],
    inputs: [],
  },
  indexListings(LISTINGS),
);
const FINDING: Finding = {
  ruleId: 'commercial-outputs',
  severity: 'review',
  listingId: 'painter@self-hosted',
  stepKeys: ['make'],
  via: [],
  term: null,
  fact: { name: 'purpose', value: 'commercial' },
  message: 'The text contradicts itself about outputs.',
  howToFix: 'Choose another model.',
  alternatives: [],
};
const CHAIN: SupplyChain = {
  subject: { kind: 'asset', id: 'ast_018900000000700080000000000000aa', name: 'Hero image', sha256: HASH },
  ...supplyChainComponents(
    expanded,
    new Map([['painter@self-hosted', { weightsSha256: 'e'.repeat(64), revision: 'abc1234' }]]),
  ),
  clearance: {
    id: 'clr_018900000000700080000000000000bb',
    decision: 'review',
    engineVersion: '2.0.0',
    findings: [FINDING, { ...FINDING, listingId: null, ruleId: 'indemnity', howToFix: '' }],
    obligations: [
      { kind: 'attribution', listingId: null, text: 'Name the model.', due: 'on-publication', term: null },
    ],
  },
};
/** Every listing of the seed at once. */
const ALL: SupplyChain = {
  subject: { kind: 'use-case', id: 'use_1', name: 'All', sha256: null },
  components: seedListings().all.map(({ listing: each, sha256 }) => ({
    listing: each,
    listingSha256: sha256,
    roles: each.roles,
    stepKeys: ['s'],
    via: [],
    use: 'always',
    weightsSha256: null,
    revision: null,
  })),
  unlisted: [],
  clearance: null,
};

const parse = (bytes: Buffer) => JSON.parse(bytes.toString()) as Record<string, unknown>;

describe.each<CycloneDxVersion>(['1.6', '1.7'])('CycloneDX %s', (version) => {
  const validate = cycloneDxSchema(version);

  it.each([
    ['an asset', CHAIN],
    ['a use case with every listing', ALL],
    [
      'a pipeline of nothing',
      { ...ALL, components: [], subject: { ...ALL.subject, kind: 'pipeline' as const } },
    ],
  ])('the export of %s is valid', (_what, chain) => {
    const valid = validate(parse(exportCycloneDx(chain, STAMP, version)));
    expect(validate.errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it('a wrong field would be noticed', () => {
    expect(validate({ ...parse(exportCycloneDx(CHAIN, STAMP, version)), serialNumber: 'x' })).toBe(false);
  });

  it('gives the recorded bytes', () => {
    const name = version === '1.6' ? 'golden.cdx.json' : 'golden-1.7.cdx.json';
    expect(`${exportCycloneDx(CHAIN, STAMP, version).toString()}\n`).toBe(file(name));
  });
});

describe('SPDX 3.0.1', () => {
  const validate = spdxSchema();

  it.each([
    ['an asset', CHAIN],
    ['a use case with every listing', ALL],
    [
      'a pipeline of nothing',
      { ...ALL, components: [], subject: { ...ALL.subject, kind: 'pipeline' as const } },
    ],
  ])('the export of %s is valid', (_what, chain) => {
    const valid = validate(parse(exportSpdx(chain, STAMP)));
    expect((validate.errors ?? []).slice(0, 3)).toEqual([]);
    expect(valid).toBe(true);
  });

  it('a wrong element would be noticed', () => {
    const document = parse(exportSpdx(CHAIN, STAMP));
    const graph = document['@graph'] as Record<string, unknown>[];
    const changed = graph.map((element) =>
      element.type === 'Relationship' ? { ...element, relationshipType: 'likes' } : element,
    );
    expect(validate({ ...document, '@graph': changed })).toBe(false);
  });

  it('names every element once, and every reference has an element', () => {
    const graph = parse(exportSpdx(CHAIN, STAMP))['@graph'] as Record<string, unknown>[];
    const ids = graph.flatMap(({ spdxId }) => (typeof spdxId === 'string' ? [spdxId] : []));
    expect(new Set(ids).size).toBe(ids.length);
    const references = graph.flatMap(({ from, to, subject, suppliedBy, element }) =>
      [from, to, subject, suppliedBy, element].flat().filter((id) => typeof id === 'string'),
    );
    for (const id of references) expect(ids).toContain(id);
  });

  it('gives the recorded bytes', () => {
    expect(`${exportSpdx(CHAIN, STAMP).toString()}\n`).toBe(file('golden.spdx.json'));
  });
});

/** What must survive an export and an import. */
function expected({ listing, weightsSha256, revision }: SupplyChain['components'][number]) {
  const { license } = listing;
  return {
    name: listing.name,
    supplier: listing.vendor,
    channel: listing.channel,
    sha256: weightsSha256 === null ? [] : [weightsSha256],
    version: revision,
    license: license.spdxOrRef,
    textSha256: license.textSha256,
    concluded: license.status !== 'unverified',
  };
}
function kept(imported: ImportedListing | undefined) {
  if (imported === undefined) return undefined;
  const { concludedLicense, declaredLicense, exported, name, sha256, supplier, version } = imported;
  const license = concludedLicense ?? declaredLicense;
  const concluded = concludedLicense !== null;
  const { declared, textSha256 } = license;
  return {
    name,
    supplier,
    channel: exported.channel,
    sha256,
    version,
    license: declared,
    textSha256,
    concluded,
  };
}

describe.each([
  ['cyclonedx' as const, exportCycloneDx],
  ['spdx-3' as const, exportSpdx],
])('export to and import from %s', (format, write) => {
  const back = (chain: SupplyChain) => {
    const result = importDocument({
      format,
      content: write(chain, STAMP),
      origin: { name: 'x', revision: null },
    });
    if (!result.ok) throw new Error(result.refusal.message);
    return result.listings;
  };

  it.each([
    ['the example', CHAIN],
    ['the registry', ALL],
  ])('keeps ids, channels, hashes, revisions and licenses of every listing of %s', (_what, chain) => {
    const found = new Map(back(chain).map((item) => [item.exported.listingId, item]));
    const models = chain.components.filter(({ listing }) => listing.access !== 'code');
    expect(models.map(({ listing: { id } }) => kept(found.get(id)))).toEqual(models.map(expected));
    for (const { listing } of models) {
      const data = [{ name: `Training data of ${listing.name}`, use: 'trained-on' }];
      expect(found.get(listing.id)?.datasets).toEqual(data);
    }
  });

  it('keeps the base of a LoRA, hidden components, and what is known of training data', () => {
    const listings = back(CHAIN);
    const of = (id: string) => listings.find(({ exported }) => exported.listingId === id);
    expect(of('acme-style@self-hosted')?.bases).toEqual([{ name: 'painter', relation: 'adapter' }]);
    const uses = of('dreamer@fal')?.components.map(({ name, use, kind }) => ({ name, use, kind }));
    expect(uses).toEqual(
      expect.arrayContaining([
        { name: 'encoder', use: 'always', kind: 'model' },
        { name: 'bigger', use: 'optional', kind: 'model' },
      ]),
    );
    expect(of('nobody-knows@fal')?.declaredLicense.status).toBe('absent');
    const data = listings.find(({ name }) => name === 'Training data of painter');
    expect(data).toMatchObject({
      kind: 'dataset',
      exported: { disclosure: 'partial', rightsBasis: 'scraped' },
    });
  });

  it('does not depend on the order of components, only on the stamp', () => {
    const reversed = { ...CHAIN, components: [...CHAIN.components].reverse() };
    expect(write(reversed, STAMP).equals(write(CHAIN, STAMP))).toBe(true);
    expect(write(CHAIN, { ...STAMP, time: '2026-11-23T10:00:00Z' }).equals(write(CHAIN, STAMP))).toBe(false);
  });

  it('refuses a stamp that the formats could not hold', () => {
    expect(() => write(CHAIN, { ...STAMP, serial: 'x' })).toThrow(RangeError);
    expect(() => write(CHAIN, { ...STAMP, time: '2026-11-22T10:00:00.000Z' })).toThrow(RangeError);
  });
});
