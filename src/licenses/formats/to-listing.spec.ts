import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  trainingDisclosure,
  renderTrainingDisclosure,
  AB_2013_ITEMS,
  EU_SUMMARY_ITEMS,
} from './training-disclosure.js';
import { seedListings } from '../registry/seed.js';
import { decide } from '../domain/engine.js';
import { ENGINE_VERSION } from '../domain/engine-version.js';
import { indexListings } from '../domain/listing-index.js';
import { listingIdSchema } from '../domain/listing.js';
import { runFactsSchema } from '../domain/run-facts.js';
import { importDocument } from './import-document.js';
import { type ImportedListing } from './imported-listing.js';
import { slugOf, toListing, type ListingContext } from './to-listing.js';

const CONTEXT: ListingContext = {
  channel: 'self-hosted',
  access: 'open-weights',
  dateRead: '2026-11-22',
  url: 'https://huggingface.co/a/b',
};
function card(header: string, name = 'Owner/Some_Model'): ImportedListing {
  const result = importDocument({
    format: 'hugging-face-model',
    content: `---\n${header}\n---\n`,
    origin: { name, revision: 'abcdef0123' },
  });
  const listing = result.ok ? result.listings[0] : undefined;
  if (!listing) throw new Error('refused');
  return listing;
}
function draft(header: string, context: Partial<ListingContext> = {}, name?: string) {
  const made = toListing(card(header, name), { ...CONTEXT, ...context });
  if (!made.ok) throw new Error(`${made.reason}: ${made.detail}`);
  return made;
}
const values = (header: string) =>
  draft(`${header}\npipeline_tag: text-to-image`).listing.terms.flatMap((term) =>
    'value' in term ? [term.value] : [],
  );

describe('a listing from a card', () => {
  it('carries the license as declared and not read', () => {
    const { listing } = draft('license: apache-2.0\npipeline_tag: text-to-image');
    expect(listing).toMatchObject({
      id: 'owner.some-model@self-hosted',
      vendor: 'Owner',
      roles: ['generator'],
      modalities: ['image'],
      license: { spdxOrRef: 'Apache-2.0', status: 'unverified' },
      trainingData: { disclosure: 'unknown' },
      sources: [{ commit: 'abcdef0123', verified: 'secondary' }],
    });
  });

  it('never permits anything by a card, and keeps a prohibition', () => {
    expect(values('license: apache-2.0')).toEqual(['unknown', 'unknown']);
    expect(values('license: cc-by-nc-4.0')).toEqual(['no', 'no']);
    expect(values('license: no-such-license')).toEqual(['unknown', 'unknown']);
  });

  it('names the revision, because another revision is another listing', () => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    const imported = { ...card('license: mit\npipeline_tag: text-to-image'), version: commit };
    const weights = { ...imported, sha256: ['a'.repeat(64)] };
    expect(toListing(imported, CONTEXT)).toMatchObject({
      listing: { id: 'owner.some-model.0123456789ab@self-hosted', revision: { commit } },
    });
    expect(toListing(weights, CONTEXT)).toMatchObject({
      listing: {
        id: 'owner.some-model.aaaaaaaaaaaa@self-hosted',
        revision: { weightsSha256: 'a'.repeat(64) },
      },
    });
  });

  it('names what is open in the reason of the status', () => {
    const { license } = draft(
      'license: other\nlicense_name: flux-1-dev-non-commercial-license\npipeline_tag: text-to-image',
    ).listing;
    expect(license.spdxOrRef).toBe('LicenseRef-FLUX.1-dev-NC');
    expect(license.statusReason).toContain('version-not-stated');
    expect(license.statusReason).toContain('LicenseRef-FLUX.1-dev-NC-1.1.1');
    expect(draft('license: acme\npipeline_tag: text-to-image').listing.license).toMatchObject({
      spdxOrRef: 'LicenseRef-Unknown',
      name: 'acme',
    });
    expect(draft('pipeline_tag: text-to-image').listing.license.spdxOrRef).toBe('LicenseRef-Not-Named');
  });

  it('keeps alternatives as texts of which one has to be concluded', () => {
    const { license } = draft('license: MIT OR CC-BY-NC-4.0\npipeline_tag: text-to-image').listing;
    expect(license.spdxOrRef).toBe('LicenseRef-Not-Concluded');
    expect(license.conflictingTexts.map(({ spdxOrRef }) => spdxOrRef)).toEqual(['MIT', 'CC-BY-NC-4.0']);
  });

  it('links a base that has a listing, and notes one that has none', () => {
    const header =
      'license: mit\nbase_model: a/base\nbase_model_relation: adapter\npipeline_tag: text-to-image';
    const linked = draft(header, { listingIdOf: () => 'base@self-hosted' });
    expect(linked.listing).toMatchObject({
      roles: ['lora'],
      base: { listingId: 'base@self-hosted', relation: 'adapter' },
    });
    expect(draft(header)).toMatchObject({
      listing: { base: { listingId: 'unlisted.a.base@self-hosted', relation: 'adapter' } },
      notes: ['base not linked: a/base (adapter)'],
    });
    const merged = draft('license: mit\nbase_model: [a/x, b/y]\npipeline_tag: text-to-image', {
      listingIdOf: () => 'base@self-hosted',
    });
    expect(merged).toMatchObject({
      listing: { base: { listingId: 'unlisted.a.x@self-hosted', relation: 'merge' } },
      notes: [
        'base not linked: a/x (merge)',
        'base not linked: b/y (merge)',
        'component linked: b/y is base@self-hosted',
      ],
    });
  });

  it('keeps every base but the first as a component', () => {
    const { components } = draft(
      'license: mit\nbase_model: [a/x, b/y, c/z]\npipeline_tag: text-to-image',
    ).listing;
    expect(components).toMatchObject([
      { name: 'b/y', listingId: null, use: 'always' },
      { name: 'c/z', listingId: null, use: 'always' },
    ]);
  });

  it('says what the caller has to add', () => {
    const without = toListing(card('license: mit'), CONTEXT);
    expect(without).toMatchObject({ ok: false, reason: 'modality-unknown' });
    expect(draft('license: mit', { modalities: ['video'], roles: ['upscaler'] }).listing.roles).toEqual([
      'upscaler',
    ]);
  });

  it('passes the schema of the registry or says why not, and never says yes, whatever the card', () => {
    const text = fc.string({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(
        fc.record({ license: text, license_name: text, base_model: text }, { requiredKeys: [] }),
        text,
        (fields, name) => {
          const header = Object.entries(fields)
            .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
            .join('\n');
          const content = `---\npipeline_tag: text-to-image\n${header}\n---\n`;
          const result = importDocument({
            format: 'hugging-face-model',
            content,
            origin: { name, revision: null },
          });
          const imported = result.ok ? result.listings[0] : undefined;
          if (imported === undefined) return;
          const made = toListing(imported, CONTEXT);
          expect(made).toMatchObject({ ok: true });
          if (made.ok) expect(JSON.stringify(made.listing.terms)).not.toContain('"yes"');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('cuts long names so that different names stay different', () => {
    const [a, b] = [slugOf(`a/${'x'.repeat(100)}1`), slugOf(`a/${'x'.repeat(100)}2`)];
    expect(a).not.toBe(b);
    expect(a.length).toBeLessThanOrEqual(50);
    expect(slugOf('\u6a21\u578b')).toMatch(/^model-[0-9a-f]{12}$/);
  });
});

describe('what a model brings along', () => {
  const bom = (parts: readonly object[], dependsOn: readonly string[], inside: readonly object[] = []) =>
    JSON.stringify({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      components: [
        {
          type: 'machine-learning-model',
          'bom-ref': 'dreamer',
          name: 'dreamer',
          licenses: [{ license: { id: 'Apache-2.0' } }],
          modelCard: { modelParameters: { task: 'text-to-image' } },
          components: inside,
        },
        ...parts,
      ],
      dependencies: [{ ref: 'dreamer', dependsOn }],
    });
  const spdx = (elements: readonly object[], relations: readonly (readonly [type: string, to: string])[]) =>
    JSON.stringify({
      '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
      '@graph': [
        { type: 'ai_AIPackage', spdxId: 'urn:dreamer', name: 'dreamer', ai_domain: ['text-to-image'] },
        ...elements,
        ...relations.map(([relationshipType, to], at) => ({
          type: 'Relationship',
          spdxId: `urn:relation-${at}`,
          relationshipType,
          from: 'urn:dreamer',
          to: [to],
        })),
      ],
    });
  const LLAMA = { type: 'machine-learning-model', 'bom-ref': 'llama', name: 'meta/Llama' };

  function dreamer(format: 'cyclonedx' | 'spdx-3', content: string, context: Partial<ListingContext> = {}) {
    const result = importDocument({ format, content, origin: { name: 'x', revision: null } });
    const imported = result.ok ? result.listings.find(({ name }) => name === 'dreamer') : undefined;
    if (imported === undefined) throw new Error('refused');
    const made = toListing(imported, { ...CONTEXT, ...context });
    if (!made.ok) throw new Error(`${made.reason}: ${made.detail}`);
    return made;
  }
  const namesOf = ({ listing }: ReturnType<typeof dreamer>) => listing.components.map(({ name }) => name);

  it('is a component without terms where nothing says what it is, and the work goes to review', () => {
    const made = dreamer('cyclonedx', bom([LLAMA], ['llama']));
    expect(made.listing.components).toMatchObject([{ name: 'meta/Llama', listingId: null, use: 'always' }]);
    expect(made.notes).toContain('component not linked: meta/Llama');
    const result = decide({
      lineage: {
        components: [{ listingId: made.listing.id, role: 'generator', stepKey: 'generate' }],
        inputs: [],
      },
      facts: runFactsSchema.parse({
        purpose: 'commercial',
        audienceCountries: ['US'],
        organizationRevenueUsd: 1,
      }),
      listings: indexListings([made.listing]),
      engineVersion: ENGINE_VERSION,
    });
    const unknown = result.findings.filter(({ ruleId }) => ruleId === 'component-unknown');
    // An id, as the log wants it, that no listing has.
    expect(unknown).toMatchObject([
      { severity: 'review', listingId: expect.stringContaining('unlisted.meta-llama.') },
    ]);
    expect(listingIdSchema.safeParse(unknown[0]?.listingId).success).toBe(true);
  });

  it('is linked by what the registry knows, then by what the document says', () => {
    const content = bom([LLAMA], ['llama']);
    const inDocument = { listingIdInDocument: (id: string) => (id === 'llama' ? 'other@fal' : undefined) };
    const known = { listingIdOf: (name: string) => (name === 'meta/Llama' ? 'llama@fal' : undefined) };
    expect(dreamer('cyclonedx', content, inDocument).listing.components[0]?.listingId).toBe('other@fal');
    const both = dreamer('cyclonedx', content, { ...inDocument, ...known });
    expect(both.listing.components[0]?.listingId).toBe('llama@fal');
    expect(both.notes).toContain('component linked: meta/Llama is llama@fal');
  });

  it('may be a program, optional, inside of it, or not in the document', () => {
    const parts = [
      { type: 'library', 'bom-ref': 'lib', name: 'diffusers' },
      { type: 'machine-learning-model', 'bom-ref': 'up', name: 'upscaler', scope: 'optional' },
      { type: 'data', 'bom-ref': 'd', name: 'pictures' },
    ];
    const inside = [{ type: 'machine-learning-model', name: 'vae' }];
    const made = dreamer('cyclonedx', bom(parts, ['lib', 'up', 'd', 'gone', 'dreamer'], inside));
    expect(made.listing.components).toMatchObject([
      { name: 'diffusers', role: 'library', use: 'always', usedWhen: null },
      { name: 'upscaler', use: 'optional', usedWhen: expect.any(String) },
      { name: 'gone', listingId: null, use: 'always' },
      { name: 'vae', listingId: null, use: 'always' },
    ]);
    expect(made.listing.trainingData.summary).toContain('pictures');
  });

  it.each(['dependsOn', 'contains', 'hasPrerequisite', 'hasStaticLink', 'hasOptionalComponent'])(
    'is read in SPDX: %s',
    (type) => {
      const llama = { type: 'ai_AIPackage', spdxId: 'urn:llama', name: 'Llama' };
      expect(namesOf(dreamer('spdx-3', spdx([llama], [[type, 'urn:llama']])))).toEqual(['Llama']);
      expect(namesOf(dreamer('spdx-3', spdx([], [[type, 'urn:gone']])))).toEqual(['urn:gone']);
    },
  );

  it('holds no files of its own', () => {
    const file = { type: 'software_File', spdxId: 'urn:file', name: 'a.safetensors' };
    expect(namesOf(dreamer('spdx-3', spdx([file], [['contains', 'urn:file']])))).toEqual([]);
    expect(namesOf(dreamer('spdx-3', spdx([file], [['dependsOn', 'urn:file']])))).toEqual(['a.safetensors']);
  });

  it('is never cut off in silence', () => {
    const made = dreamer(
      'cyclonedx',
      bom(
        [],
        Array.from({ length: 30 }, (_, at) => `model ${at}`),
      ),
    );
    expect(made.listing.components).toHaveLength(20);
    expect(made.listing.components.at(-1)).toMatchObject({
      name: '11 more that the document names',
      listingId: null,
      use: 'always',
    });
  });
});

describe('the disclosure of training data', () => {
  it('answers every item, most of them with unknown, and lists what is open', () => {
    for (const { listing } of seedListings().all) {
      const disclosure = trainingDisclosure(listing);
      expect(Object.keys(disclosure.ab2013)).toEqual(AB_2013_ITEMS.map(([item]) => item));
      expect(Object.keys(disclosure.euSummary)).toEqual(EU_SUMMARY_ITEMS.map(([item]) => item));
      for (const answer of [...Object.values(disclosure.ab2013), ...Object.values(disclosure.euSummary)]) {
        expect(answer.standing === 'unknown').toBe(answer.answer === null);
        expect(answer.standing === 'unknown').toBe(answer.source === null);
      }
      expect(disclosure.unknown).toContain('ab2013.syntheticData');
      expect(JSON.parse(renderTrainingDisclosure(disclosure).toString())).toEqual(disclosure);
    }
  });

  it('knows twelve items of the statute', () => {
    expect(AB_2013_ITEMS).toHaveLength(12);
  });

  it('takes from data set cards only what the registry leaves open, and as reported', () => {
    const result = importDocument({
      format: 'hugging-face-dataset',
      content: '---\nlicense: cc-by-4.0\n---\n',
      origin: { name: 'laion/pictures', revision: null },
    });
    const dataset = result.ok ? result.listings : [];
    const [listing] = [draft('license: mit\npipeline_tag: text-to-image').listing];
    const { ab2013, euSummary } = trainingDisclosure(listing, dataset);
    expect(ab2013.sourcesOrOwners).toEqual({
      standing: 'reported',
      answer: 'laion/pictures (laion)',
      source: 'laion/pictures',
    });
    expect(ab2013.purchasedOrLicensed.answer).toBe('declared license: cc-by-4.0');
    expect(euSummary.optOuts.standing).toBe('unknown');
  });

  it('does not count a statement without a text behind it', () => {
    const base = draft('license: mit\npipeline_tag: text-to-image').listing;
    const claimed = {
      ...base,
      trainingData: {
        ...base.trainingData,
        disclosure: 'full' as const,
        source: 'document',
        summary: 'All of it.',
      },
    };
    expect(trainingDisclosure(claimed).ab2013.sourcesOrOwners.standing).toBe('unknown');
    expect(trainingDisclosure(claimed).disclosure).toBe('unknown');
  });
});
