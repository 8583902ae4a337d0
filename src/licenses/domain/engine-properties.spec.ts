import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import {
  allowed,
  component,
  countries,
  date,
  decideOn,
  facts,
  fileSignal,
  ids,
  input,
  lineage,
  listings,
  strictness,
  STRICTNESS,
} from '../testing/arbitraries.js';
import { COUNTRIES } from './countries.js';
import { decide, decidePrepared, prepareLineage } from './engine.js';
import { ENGINE_VERSION } from './engine-version.js';
import { type FileSignal, SIGNAL_PLACES } from './file-signals.js';
import { type Lineage, type LineageComponent, type LineageInput, lineageSchema } from './lineage.js';
import { type Listing } from './listing.js';
import { indexListings } from './listing-index.js';
import { FURTHER_ACTS, purposeOf, type RunFacts, runFactsSchema } from './run-facts.js';
import { FIELDS_OF_USE } from './terms.js';
import { THREE_VALUES } from './three-valued.js';

/** Where work for a purpose may be shown without becoming work for another one. */
function fieldsOf(under: RunFacts): RunFacts['fieldsOfUse'] {
  return FIELDS_OF_USE.filter(
    (field) => purposeOf({ ...under, fieldsOfUse: [field] }, ENGINE_VERSION) === under.purpose,
  );
}

describe('the engine', () => {
  it('never gets milder when a component or an input is added', () => {
    fc.assert(
      fc.property(lineage, facts, component, fc.option(input), (on, under, more, moreInput) => {
        const wider = {
          components: [...on.components, more],
          inputs: moreInput ? [...on.inputs, moreInput] : on.inputs,
        };
        expect(strictness(wider, under)).toBeGreaterThanOrEqual(strictness(on, under));
      }),
      { numRuns: 300 },
    );
  });

  it('never gets milder when a file reserves more, is read less, or goes into more', () => {
    fc.assert(
      fc.property(
        lineage,
        facts,
        fileSignal,
        fc.constantFrom(...SIGNAL_PLACES),
        fc.nat(),
        (on, under, signal, place, at) => {
          const before = strictness(on, under);
          const [first, ...others] = on.inputs;
          if (!first) return;
          const asked = (changes: Partial<LineageInput>) =>
            strictness({ ...on, inputs: [{ ...first, ...changes }, ...others] }, under);
          const { fileSignals = [], unreadPlaces = [], goesInto, ...bare } = first;
          expect(asked({ fileSignals: [...fileSignals, signal] })).toBeGreaterThanOrEqual(before);
          expect(asked({ unreadPlaces: [...unreadPlaces, place] })).toBeGreaterThanOrEqual(before);
          const more = on.components[at % on.components.length]?.listingId ?? '';
          // An empty list says nothing, so all of the lineage may get the picture: there is no more than that.
          if (goesInto === undefined || goesInto.length === 0) return;
          expect(asked({ goesInto: [...goesInto, more] })).toBeGreaterThanOrEqual(before);
          const unknown = { ...bare, fileSignals, unreadPlaces };
          expect(strictness({ ...on, inputs: [unknown, ...others] }, under)).toBeGreaterThanOrEqual(before);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes a listing for a model that the lineage does not name, and the schema refuses it', () => {
    const forbidden = {
      origin: 'cawg.training-mining',
      act: 'ai-inference',
      use: 'notAllowed',
      constraint: null,
    };
    const rights = { rightsBasis: 'owned', allowedUses: ['commercial'], aiInput: 'yes' };
    const stray = { fileSignals: [forbidden], goesInto: ['stray@nowhere'] };
    const inputs = [{ ...rights, territory: 'worldwide', expiresAt: null, releases: [], ...stray }];
    const components = [{ listingId: 'studio-crop@studio', role: 'editor', stepKey: 's' }];
    const unchecked = { components, inputs } as unknown as Lineage;
    const under = runFactsSchema.parse({
      purpose: 'commercial',
      audienceCountries: ['US'],
      organizationRevenueUsd: 1,
    });
    expect(decideOn(unchecked, under).decision).toBe('deny');
    expect(lineageSchema.safeParse(unchecked).success).toBe(false);
  });

  it('a named permission never allows what a file forbids', () => {
    fc.assert(
      fc.property(lineage, facts, input, (on, under, given) => {
        const forbidden: FileSignal = {
          origin: 'cawg.training-mining',
          act: 'ai-inference',
          use: 'notAllowed',
          constraint: null,
        };
        const model: LineageComponent = {
          listingId: 'flux-1-schnell@self-hosted',
          role: 'generator',
          stepKey: 's',
        };
        const refused = { ...given, fileSignals: [forbidden], permissionReference: 'CONTRACT-7' };
        const wider = { components: [...on.components, model], inputs: [...on.inputs, refused] };
        expect(strictness(wider, under)).toBeGreaterThanOrEqual(STRICTNESS.review);
      }),
      { numRuns: 100 },
    );
  });

  it('never gets milder when a country is named in place of a part of it', () => {
    const part = fc.constantFrom('US-CA', 'US-TX', 'DE-BY', 'GB-SCT', 'CA-QC', 'AU-NSW');
    fc.assert(
      fc.property(lineage, facts, fc.uniqueArray(part, { minLength: 1 }), (on, under, parts) => {
        const here = strictness(on, { ...under, audienceCountries: parts });
        const wider = parts.map((one) => one.slice(0, 2));
        expect(strictness(on, { ...under, audienceCountries: wider })).toBeGreaterThanOrEqual(here);
      }),
      { numRuns: 200 },
    );
  });

  it('never gets milder for a wider audience', () => {
    fc.assert(
      fc.property(lineage, facts, countries, (on, under, more) => {
        const { audienceCountries: audience } = under;
        const wider = audience === 'worldwide' ? audience : [...new Set([...audience, ...more])];
        const here = strictness(on, under);
        expect(strictness(on, { ...under, audienceCountries: wider })).toBeGreaterThanOrEqual(here);
        expect(strictness(on, { ...under, audienceCountries: [...COUNTRIES] })).toBeGreaterThanOrEqual(here);
      }),
      { numRuns: 200 },
    );
  });

  it('never gets milder for a longer campaign', () => {
    const order = ['2026-12-01', '2026-12-15', '2026-12-31', 'open-ended'] as const;
    fc.assert(
      fc.property(lineage, facts, fc.nat(3), fc.nat(3), fc.boolean(), (on, under, a, b, earlier) => {
        const shorter = { ...under, campaignStart: '2026-12-01', campaignEnd: order[Math.min(a, b)] ?? null };
        const longer = {
          ...under,
          campaignStart: earlier ? '2026-11-01' : '2026-12-01',
          campaignEnd: order[Math.max(a, b)] ?? null,
        };
        expect(strictness(on, longer)).toBeGreaterThanOrEqual(strictness(on, shorter));
      }),
      { numRuns: 300 },
    );
  });

  it('never gets milder for a further act', () => {
    fc.assert(
      fc.property(lineage, facts, fc.constantFrom(...FURTHER_ACTS), (on, under, act) => {
        const more = { ...under, furtherActs: [...new Set([...under.furtherActs, act])] };
        expect(strictness(on, more)).toBeGreaterThanOrEqual(strictness(on, under));
      }),
      { numRuns: 200 },
    );
  });

  it('allows on an unknown fact only what it allows whatever the fact turns out to be', () => {
    const names = [
      'labelPlanned',
      'attributionPlanned',
      'humanReviewPlanned',
      'contentFilterPlanned',
      'editsPlanned',
      'safetyFeaturesOn',
      'trademarkUse',
      'infringementNotice',
    ] as const;
    fc.assert(
      fc.property(lineage, facts, fc.constantFrom(...names), (on, under, name) => {
        const [yes, no, unknown] = THREE_VALUES.map((value) => strictness(on, { ...under, [name]: value }));
        if (unknown === STRICTNESS.allow) expect([yes, no]).toEqual([STRICTNESS.allow, STRICTNESS.allow]);
        expect(unknown).toBeGreaterThanOrEqual(Math.min(yes ?? 0, no ?? 0));
      }),
      { numRuns: 300 },
    );
  });

  it('allows on unknown places, media and days only what it allows for each of them', () => {
    fc.assert(
      fc.property(lineage, facts, countries, date, (on, under, places, day) => {
        const unstated = [
          [{ processingCountries: 'unknown' as const }, { processingCountries: places }],
          [{ fieldsOfUse: 'unknown' as const }, { fieldsOfUse: fieldsOf(under) }],
          [{ hosting: 'unknown' as const }, { hosting: 'served-to-others' as const }],
          [{ generatedOn: null }, { generatedOn: day }],
        ] as const;
        for (const [unknown, known] of unstated) {
          if (decideOn(on, { ...under, ...unknown }).decision !== 'allow') continue;
          expect(decideOn(on, { ...under, ...known }).decision).toBe('allow');
        }
      }),
      { numRuns: 200 },
    );
  });

  it('decides a prepared lineage as it decides a new one', () => {
    fc.assert(
      fc.property(lineage, facts, facts, (on, first, second) => {
        const prepared = prepareLineage(on, listings);
        for (const under of [first, second])
          expect(decidePrepared(prepared, under)).toEqual(decideOn(on, under));
      }),
      { numRuns: 100 },
    );
  });

  it('sees the list of all countries as the world', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ids), facts, (listingId, under) => {
        const on: Lineage = { components: [{ listingId, role: 'generator', stepKey: 'a' }], inputs: [] };
        expect(strictness(on, { ...under, audienceCountries: 'worldwide' })).toBe(
          strictness(on, { ...under, audienceCountries: [...COUNTRIES] }),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('gives the same bytes whatever the order of components, inputs and countries', () => {
    fc.assert(
      fc.property(lineage, facts, (on, under) => {
        const audience = under.audienceCountries;
        const turned = decideOn(
          { components: [...on.components].reverse(), inputs: [...on.inputs].reverse() },
          { ...under, audienceCountries: audience === 'worldwide' ? audience : [...audience].reverse() },
        );
        expect(turned).toEqual(decideOn(on, under));
      }),
      { numRuns: 200 },
    );
  });

  it('hashes the canonical form of the input it returns', () => {
    fc.assert(
      fc.property(lineage, facts, (on, under) => {
        const { input: stored, inputSha256, termsSha256 } = decideOn(on, under);
        expect(inputSha256).toBe(sha256Hex(canonicalJson(stored)));
        expect(termsSha256).toBe(sha256Hex(canonicalJson(stored.listings)));
      }),
      { numRuns: 100 },
    );
  });

  it('decides the same again from the stored input', () => {
    fc.assert(
      fc.property(lineage, facts, (on, under) => {
        const first = decideOn(on, under);
        const stored = JSON.parse(canonicalJson(first.input).toString()) as {
          lineage: Lineage;
          facts: unknown;
        };
        expect(decideOn(stored.lineage, runFactsSchema.parse(stored.facts))).toEqual(first);
      }),
      { numRuns: 100 },
    );
  });

  it('never allows when a permission that it needs becomes unknown, unverified or silent', () => {
    const clean = runFactsSchema.parse({
      purpose: 'commercial',
      audienceCountries: ['US'],
      organizationRevenueUsd: 1,
    });
    for (const id of allowed) {
      const on: Lineage = { components: [{ listingId: id, role: 'generator', stepKey: 'a' }], inputs: [] };
      expect(decideOn(on, clean).decision).toBe('allow');
      const original = listings.get(id)?.listing;
      if (!original) throw new Error(id);
      for (const spoiled of spoil(original)) {
        expect(decideOn(on, clean, indexListings([spoiled])).decision).toBe('review');
      }
    }
  });

  it('never allows a listing that it does not know', () => {
    fc.assert(
      fc.property(lineage, facts, (on, under) => {
        const unknown: LineageComponent = { listingId: 'nobody@self-hosted', role: 'editor', stepKey: 'z' };
        expect(decideOn({ ...on, components: [...on.components, unknown] }, under).decision).not.toBe(
          'allow',
        );
      }),
      { numRuns: 100 },
    );
  });

  it('never gets milder when a fact becomes unknown that was within its limit', () => {
    const names = [
      'organizationRevenueUsd',
      'organizationRevenueWithAffiliatesUsd',
      'productRevenueUsd',
      'monthlyActiveUsers',
      'monthlyVisits',
    ] as const;
    fc.assert(
      fc.property(lineage, facts, fc.constantFrom(...names), (on, under, name) => {
        const here = decideOn(on, under).decision;
        if (here !== 'deny')
          expect(strictness(on, { ...under, [name]: 'unknown' })).toBeGreaterThanOrEqual(STRICTNESS[here]);
      }),
      { numRuns: 200 },
    );
  });

  it('ends on listings that name each other in a circle', () => {
    const original = listings.get('hidream-i1@self-hosted')?.listing;
    const encoder = listings.get('llama-3.1-8b-instruct@self-hosted')?.listing;
    if (!original || !encoder) throw new Error('seed');
    const [hidden] = original.components;
    if (!hidden) throw new Error('seed');
    const circle = {
      ...encoder,
      components: [{ ...hidden, listingId: original.id, source: encoder.sources[0]?.id ?? '' }],
    };
    const on: Lineage = {
      components: [{ listingId: original.id, role: 'generator', stepKey: 'a' }],
      inputs: [],
    };
    const under = runFactsSchema.parse({
      purpose: 'commercial',
      audienceCountries: ['US'],
      organizationRevenueUsd: 1,
    });
    expect(decideOn(on, under, indexListings([original, circle])).decision).toBe('review');
  });

  it('a LoRA inherits its base and needs a dataset manifest', () => {
    const base = listings.get('flux-1-schnell@self-hosted')?.listing;
    if (!base) throw new Error('seed');
    const lora: Listing = {
      ...base,
      id: 'brand-style@self-hosted',
      roles: ['lora'],
      base: { listingId: base.id, relation: 'adapter' },
    };
    const under = runFactsSchema.parse({
      purpose: 'commercial',
      audienceCountries: ['US'],
      organizationRevenueUsd: 1,
    });
    const on: Lineage = { components: [{ listingId: lora.id, role: 'lora', stepKey: 'a' }], inputs: [] };
    const known: Listing = {
      ...lora,
      datasetManifestSha256: 'a'.repeat(64),
      datasetManifest: {
        images: 1,
        rights: [{ basis: 'owned', images: 1, trainingAllowed: 'yes', expiresAt: null }],
        releases: [],
        showsPeople: 'no',
      },
    };
    const ruleIds = (index: ReturnType<typeof indexListings>) =>
      decideOn(on, under, index)
        .findings.filter(({ severity }) => severity !== 'note')
        .map(({ ruleId }) => ruleId);
    expect(ruleIds(indexListings([base, lora]))).toEqual(['lora-dataset']);
    expect(ruleIds(indexListings([base, known]))).toEqual([]);
    expect(ruleIds(indexListings([known]))).toEqual(['component-unknown']);
    const forbidden = listings.get('flux-1-dev@self-hosted')?.listing;
    if (!forbidden) throw new Error('seed');
    const onDev: Listing = { ...known, base: { listingId: forbidden.id, relation: 'adapter' } };
    expect(decideOn(on, under, indexListings([forbidden, onDev])).decision).toBe('deny');
  });

  it('refuses to answer for another version of the rules', () => {
    const on: Lineage = {
      components: [{ listingId: 'studio-crop@studio', role: 'editor', stepKey: 'a' }],
      inputs: [],
    };
    const under = runFactsSchema.parse({
      purpose: 'commercial',
      audienceCountries: ['US'],
      organizationRevenueUsd: 1,
    });
    const other = '0.9.0' as typeof ENGINE_VERSION;
    expect(() => decide({ lineage: on, facts: under, listings, engineVersion: other })).toThrow(RangeError);
  });
});

function* spoil(listing: Listing): Generator<Listing> {
  for (const [at, term] of listing.terms.entries()) {
    if (term.kind !== 'commercial-use-of-weights' && term.kind !== 'commercial-use-of-outputs') continue;
    yield { ...listing, terms: listing.terms.with(at, { ...term, value: 'unknown' }) };
    yield { ...listing, terms: listing.terms.with(at, { ...term, verified: 'unverified' }) };
    yield { ...listing, terms: listing.terms.toSpliced(at, 1) };
  }
  for (const status of ['superseded', 'unverified'] as const) {
    yield { ...listing, license: { ...listing.license, status, statusReason: 'changed' } };
  }
}

describe('run facts', () => {
  const good = { purpose: 'commercial', audienceCountries: ['US'], organizationRevenueUsd: 1 };

  it.each([
    ['an unknown field', { ...good, revenue: 5 }],
    ['UK, which is GB', { ...good, audienceCountries: ['UK'] }],
    ['EU, which is no country', { ...good, audienceCountries: ['EU'] }],
    ['lower case', { ...good, audienceCountries: ['de'] }],
    ['no audience', { ...good, audienceCountries: [] }],
    ['a fraction of a dollar', { ...good, organizationRevenueUsd: 0.5 }],
    ['a negative revenue', { ...good, organizationRevenueUsd: -1 }],
    ['affiliates that earn less than the part', { ...good, organizationRevenueWithAffiliatesUsd: 0 }],
    [
      'a campaign that ends before it starts',
      { ...good, campaignStart: '2026-12-02', campaignEnd: '2026-12-01' },
    ],
    ['a day that does not exist', { ...good, campaignEnd: '2026-02-30' }],
    [
      'an unpaired surrogate',
      { ...good, agreements: [{ listingId: 'a@b', kind: 'plan', reference: '\ud800' }] },
    ],
  ])('refuses %s', (_what, wrong) => {
    expect(runFactsSchema.safeParse(wrong).success).toBe(false);
  });

  it('takes what is not told as unknown', () => {
    expect(runFactsSchema.parse(good)).toMatchObject({
      monthlyActiveUsers: 'unknown',
      labelPlanned: 'unknown',
      hosting: 'unknown',
    });
  });
});
