import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seedListings } from '../../registry/seed.js';
import { type RunFactsInput, runFactsSchema } from '../run-facts.js';
import { decide } from '../engine.js';
import { ENGINE_VERSIONS } from '../engine-version.js';
import { type Listing } from '../listing.js';
import { indexListings, type ListingIndex } from '../listing-index.js';
import { FIELDS_OF_USE, PURPOSES } from '../terms.js';

const IDS = [
  'flux-1-schnell@self-hosted',
  'flux-1-dev@self-hosted',
  'hidream-i1@self-hosted',
  'hunyuan-image-3.0@self-hosted',
  'gpt-image-1@openai',
  'qwen-image@self-hosted',
  'wan-2.2@self-hosted',
];

/** Listings that nothing was ever decided with. */
function fresh(change: (listing: Listing) => Listing = (listing) => listing): ListingIndex {
  const seed = seedListings();
  const listings = IDS.map((id) => seed.get(id)?.listing);
  return indexListings(listings.flatMap((one) => (one ? [change(structuredClone(one))] : [])));
}

function decideOn(listings: ListingIndex, ids: readonly string[], facts: RunFactsInput, at: number) {
  const components = ids.map((listingId, step) => ({
    listingId,
    role: 'generator' as const,
    stepKey: `s${step}`,
  }));
  const engineVersion = ENGINE_VERSIONS[at % ENGINE_VERSIONS.length] ?? '2.3.0';
  const lineage = { components, inputs: [] };
  return decide({ lineage, facts: runFactsSchema.parse(facts), listings, engineVersion });
}

const FACTS: RunFactsInput = {
  purpose: 'commercial',
  audienceCountries: ['US'],
  organizationRevenueUsd: 1,
};

describe('what is kept of a listing between decisions', () => {
  it('changes no later decision, whatever was decided before and by which rules', () => {
    const facts = fc.record({
      purpose: fc.constantFrom(...PURPOSES),
      audienceCountries: fc.constantFrom('worldwide' as const, ['US'], ['DE'], ['KR', 'JP']),
      organizationRevenueUsd: fc.constantFrom('unknown' as const, 1, 50_000_000),
      fieldsOfUse: fc.constantFrom('unknown' as const, [FIELDS_OF_USE[0]], ['online-advertising' as const]),
    });
    const question = fc.tuple(fc.subarray(IDS, { minLength: 1 }), facts, fc.nat(ENGINE_VERSIONS.length - 1));
    fc.assert(
      fc.property(fc.array(question, { minLength: 2, maxLength: 4 }), (questions) => {
        const kept = fresh();
        for (const [ids, stated, at] of questions)
          expect(decideOn(kept, ids, stated, at)).toEqual(decideOn(fresh(), ids, stated, at));
      }),
      { numRuns: 10 },
    );
  });

  it('goes with the listing: a changed one of the same id is asked anew', () => {
    const id = 'flux-1-schnell@self-hosted';
    const before = decideOn(fresh(), [id], FACTS, 2);
    const ended = fresh((listing) => ({ ...listing, license: { ...listing.license, status: 'ended' } }));
    const after = decideOn(ended, [id], FACTS, 2);
    expect([before.decision, after.decision]).toEqual(['allow', 'deny']);
    expect(decideOn(fresh(), [id], FACTS, 2)).toEqual(before);
  });

  it('cannot be changed by whoever holds the listing, or what was found with it', () => {
    const index = fresh();
    const [entry] = index.all;
    const { findings, obligations } = decideOn(index, IDS, FACTS, 2);
    const parts: readonly unknown[] = [
      entry?.listing,
      entry?.listing.license,
      entry?.listing.terms,
      entry?.listing.terms[0],
      findings.find(({ ruleId }) => ruleId === 'training-data')?.fact.value,
      findings.find(({ term }) => term !== null)?.term?.source,
      obligations.find(({ term }) => term !== null)?.term,
    ];
    expect(parts.map((part) => [typeof part, Object.isFrozen(part)])).toEqual(
      parts.map(() => ['object', true]),
    );
  });
});
