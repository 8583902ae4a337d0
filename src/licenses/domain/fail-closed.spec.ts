import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newId } from '../../shared/ids.js';
import { decideOn, facts, lineage, listings, strictness, STRICTNESS } from '../testing/arbitraries.js';
import { agreed, openFacts, ownListing, type StatedTerm, statedTerm } from '../testing/own-listings.js';
import { applyCurations, type Correction, correctionSchema, evidenceSchema } from './curation.js';
import { LINEAGE_ROLES, type LineageRole, type Listing } from './listing.js';
import { indexListings } from './listing-index.js';
import { type RunFacts } from './run-facts.js';
import { PURPOSES } from './terms.js';
import { withoutUnprovenFacts } from './unproven-facts.js';

/** How strictly a listing is decided about that is used alone, in its own role unless another one is said. */
function strictnessOf(
  listing: Listing,
  under: RunFacts,
  role: LineageRole = listing.roles[0] ?? 'generator',
  ...others: readonly Listing[]
) {
  const components = [{ listingId: listing.id, role, stepKey: 'a' }];
  return STRICTNESS[
    decideOn({ components, inputs: [] }, under, indexListings([listing, ...others])).decision
  ];
}

// Two properties leave evaluations out: these have a term of their own, beside which a permission of outputs is asked
// about where it is only reported, and not where there is none.
describe('fail closed', () => {
  it('an advertisement is decided as commercial work, whatever it is called', () => {
    const fields = fc.constantFrom('online-advertising' as const, 'offline-advertising' as const);
    fc.assert(
      fc.property(lineage, facts, fields, fc.constantFrom(...PURPOSES), (on, under, field, purpose) => {
        const advertises = { ...under, fieldsOfUse: [field] };
        const asCommercial = strictness(on, { ...advertises, purpose: 'commercial' });
        expect(strictness(on, { ...advertises, purpose })).toBe(asCommercial);
      }),
      { numRuns: 300 },
    );
  });

  it('a fact whose text is not kept allows nothing that it does not allow with the text', () => {
    fc.assert(
      fc.property(ownListing, openFacts, fc.boolean(), fc.boolean(), (listing, under, license, channel) => {
        fc.pre(under.purpose !== 'internal-evaluation');
        const kept = {
          isLicenseKept: () => license,
          isKept: (sha256: string) => (sha256.startsWith('0') ? license : channel),
        };
        const { listing: proven } = withoutUnprovenFacts(listing, kept);
        if (strictnessOf(proven, under) === STRICTNESS.allow)
          expect(strictnessOf(listing, under)).toBe(STRICTNESS.allow);
      }),
      { numRuns: 1000 },
    );
  });

  it('a correction that is only a quotation allows nothing that was not allowed before', () => {
    const evidence = evidenceSchema.parse({ title: 'Mail', quote: 'other words', dateRead: '2026-11-30' });
    const corrections = ({ terms }: Listing): fc.Arbitrary<Correction> =>
      fc
        .record({ read: fc.constantFrom(...terms), stated: statedTerm, isAbsent: fc.boolean() })
        .map(({ read: { id }, stated, isAbsent }): Correction =>
          correctionSchema.parse(
            isAbsent ? { kind: 'term-absent', termId: id } : { kind: 'term', term: corrected(id, stated) },
          ),
        );
    const corrected = (id: string, { source: _source, verified: _mark, ...stated }: StatedTerm) => ({
      ...stated,
      id,
    });
    const curated = ownListing.chain((listing) =>
      fc.tuple(fc.constant(listing), fc.array(corrections(listing), { minLength: 1, maxLength: 2 })),
    );
    fc.assert(
      fc.property(curated, openFacts, ([listing, given], under) => {
        fc.pre(under.purpose !== 'internal-evaluation');
        const curations = given.map((correction) => ({ id: newId(), correction, evidence }));
        if (strictnessOf(applyCurations(listing, curations), under) === STRICTNESS.allow)
          expect(strictnessOf(listing, under)).toBe(STRICTNESS.allow);
      }),
      { numRuns: 1500 },
    );
  });

  it('what makes something in a lineage needs the right to it, whatever its listing says that it can do', () => {
    const isSettled = ({ kind, value, verified }: { kind: string; value?: string; verified: string }) =>
      kind !== 'commercial-use-of-outputs' || (value === 'yes' && verified === 'primary');
    const makers = fc.constantFrom<LineageRole[]>(
      'generator',
      'editor',
      'upscaler',
      'control',
      'autoencoder',
    );
    fc.assert(
      fc.property(ownListing, openFacts, makers, (listing, given, role) => {
        const under = { ...given, purpose: 'commercial' as const };
        if (strictnessOf(listing, under, role) === STRICTNESS.allow)
          expect(listing.terms.filter((term) => !isSettled(term))).toEqual([]);
        const silent = {
          ...listing,
          terms: listing.terms.filter(({ kind }) => !kind.endsWith('-of-outputs')),
        };
        expect(strictnessOf(silent, under, role)).toBeGreaterThanOrEqual(STRICTNESS.review);
      }),
      { numRuns: 500 },
    );
  });

  it('nothing is laid over a model as a LoRA without its base and the rights in its training images', () => {
    fc.assert(
      fc.property(ownListing, openFacts, (listing, under) => {
        expect(strictnessOf(listing, under, 'lora')).toBeGreaterThanOrEqual(STRICTNESS.review);
      }),
      { numRuns: 200 },
    );
  });

  it('a listing in another role is never decided more mildly than in its own', () => {
    fc.assert(
      fc.property(ownListing, openFacts, fc.constantFrom(...LINEAGE_ROLES), (listing, under, role) => {
        expect(strictnessOf(listing, under, role)).toBeGreaterThanOrEqual(strictnessOf(listing, under));
      }),
      { numRuns: 500 },
    );
  });

  it('a plan that no term names is decided like none, or more strictly, and spaces or case make no other plan', () => {
    const unnamed = fc.constantFrom('banana', 'starters', 'free pro');
    const spelled = fc.constantFrom<[string, string][]>(
      ['starter', 'starter '],
      ['pro', '  PRO'],
      ['free', 'Free'],
    );
    fc.assert(
      fc.property(ownListing, openFacts, unnamed, spelled, (listing, under, other, [plan, same]) => {
        const on = (stated: string) => strictnessOf(listing, { ...under, agreements: [agreed(stated)] });
        expect(on(other)).toBeGreaterThanOrEqual(strictnessOf(listing, { ...under, agreements: [] }));
        expect(on(same)).toBe(on(plan));
      }),
      { numRuns: 1000 },
    );
  });

  it('what a merge uses beside what it was merged from does not tell that', () => {
    const [base, other] = [listed('flux-1-schnell'), listed('qwen-image')];
    const along = fc.constantFrom<LineageRole[]>('encoder', 'autoencoder', 'library', 'upscaler', 'control');
    fc.assert(
      fc.property(fc.uniqueArray(along, { maxLength: 3 }), openFacts, (roles, under) => {
        const components = roles.map((role) => alwaysUsed(role, other));
        const merged: Listing = {
          ...base,
          id: 'merged@self-hosted',
          base: { listingId: base.id, relation: 'merge' },
          components,
        };
        expect(strictnessOf(merged, under, 'generator', base, other)).toBeGreaterThanOrEqual(
          STRICTNESS.review,
        );
      }),
      { numRuns: 100 },
    );
  });
});

function listed(name: string): Listing {
  const entry = listings.get(`${name}@self-hosted`);
  if (!entry) throw new Error(name);
  return entry.listing;
}

function alwaysUsed(role: LineageRole, { id, name }: Listing): Listing['components'][number] {
  const source = listed('flux-1-schnell').sources[0]?.id ?? '';
  const known = { source, clause: null, verified: 'primary' as const };
  return { role, name, listingId: id, licenseRef: null, use: 'always', usedWhen: null, ...known };
}
