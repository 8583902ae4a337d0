import { describe, expect, it } from '@jest/globals';
import { indexFor, variant } from '../testing/case.js';
import { ENGINE_VERSION } from './engine-version.js';
import { foundLater } from './later-day.js';
import { lineageSchema } from './lineage.js';
import { type Listing } from './listing.js';
import { runFactsSchema } from './run-facts.js';

const MODEL = 'flux-1-schnell';
const { license } = variant(MODEL, 'bought', {});
const until = (changes: Partial<Listing['license']>) =>
  variant(MODEL, 'bought', { license: { ...license, ...changes } });
const BOUGHT = until({ endsOn: '2026-12-15', outputsSurviveEnd: 'yes' });
const PICTURE = {
  rightsBasis: 'owned',
  allowedUses: ['commercial'],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: '2026-12-15',
  showsPeople: 'no',
};

/** Decided for the first of December, sent on `today`. */
function rulesOn(
  today: string,
  listing: Listing | null,
  inputs: object[] = [],
  generatedOn: string | null = '2026-12-01',
) {
  const listingId = listing?.id ?? `${MODEL}@self-hosted`;
  const lineage = lineageSchema.parse({
    components: [{ listingId, role: 'generator', stepKey: 'a' }],
    inputs,
  });
  const facts = runFactsSchema.parse({
    purpose: 'commercial',
    audienceCountries: ['US'],
    organizationRevenueUsd: 1,
    campaignEnd: '2026-12-10',
    generatedOn,
  });
  const listings = indexFor({ listings: listing === null ? [] : [listing] });
  return foundLater({ lineage, facts, engineVersion: ENGINE_VERSION }, listings, today).map(
    ({ ruleId, severity }) => `${ruleId} ${severity}`,
  );
}

describe('what stands against models that run later than was decided about', () => {
  it('is a license that has ended, from the day after its last one', () => {
    expect(rulesOn('2026-12-15', BOUGHT)).toEqual([]);
    expect(rulesOn('2026-12-16', BOUGHT)).toEqual(['license-status deny']);
  });

  it('is a right in an input that has ended', () => {
    expect(rulesOn('2026-12-15', null, [PICTURE])).toEqual([]);
    expect(rulesOn('2026-12-16', null, [PICTURE])).toEqual(['input-expiry deny']);
  });

  it('is a text that came into force since', () => {
    const superseded = until({
      status: 'superseded',
      statusReason: 'A later text.',
      supersededOn: '2026-12-05',
    });
    expect(rulesOn('2026-12-04', superseded)).toEqual([]);
    expect(rulesOn('2026-12-05', superseded)).toEqual(['license-status review']);
  });

  it('is nothing for a decision about no day, or about a later one', () => {
    expect(rulesOn('2027-12-01', BOUGHT, [], null)).toEqual([]);
    expect(rulesOn('2026-11-30', BOUGHT)).toEqual([]);
  });
});
