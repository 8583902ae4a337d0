import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideOn, facts, lineage, strictness, STRICTNESS } from '../testing/arbitraries.js';
import { openFacts, ownListing } from '../testing/own-listings.js';
import { type LineageRole, type Listing } from './listing.js';
import { indexListings } from './listing-index.js';
import { type RunFacts } from './run-facts.js';
import { PURPOSES } from './terms.js';
import { withoutUnprovenFacts } from './unproven-facts.js';

/** How strictly a listing is decided about that is used alone, in its own role unless another one is said. */
function strictnessOf(
  listing: Listing,
  under: RunFacts,
  role: LineageRole = listing.roles[0] ?? 'generator',
) {
  const components = [{ listingId: listing.id, role, stepKey: 'a' }];
  return STRICTNESS[decideOn({ components, inputs: [] }, under, indexListings([listing])).decision];
}

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
});
