import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { canonicalJson } from '../../shared/canonical-json.js';
import { recordedResult } from '../testing/recorded-result.js';
import { ENGINE_VERSION } from './engine-version.js';
import { listingSchema, type Listing } from './listing.js';
import { indexListing } from './listing-index.js';
import { type ListingArchive, replay } from './replay.js';

/** Written once by engine 2.1.0 and never again: input, the listings it names, and what was decided. */
const recordedSchema = z.array(
  z.strictObject({
    input: z.looseObject({}),
    listings: z.array(listingSchema),
    result: z.looseObject({ decision: z.enum(['allow', 'review', 'deny']) }),
  }),
);
const recorded = recordedSchema.parse(
  JSON.parse(readFileSync(new URL('../testing/recorded-decisions-2.1.0.json', import.meta.url), 'utf8')),
);

function archiveOf(listings: readonly Listing[]): ListingArchive {
  const byHash = new Map(listings.map((listing) => [indexListing(listing).sha256, listing]));
  return { find: (_id, sha256) => byHash.get(sha256) };
}

describe('a stored decision', () => {
  it('was recorded for each answer', () => {
    expect(new Set(recorded.map(({ result }) => result.decision)).size).toBe(3);
  });

  // When this fails the rules have changed: raise ENGINE_VERSION, and record anew beside the old file.
  it.each(recorded)(
    'is decided the same again, years later: $result.decision',
    ({ input, listings, result }) => {
      expect(
        JSON.parse(canonicalJson(recordedResult(replay(input, archiveOf(listings)))).toString()),
      ).toEqual(result);
    },
  );

  it('is not decided by rules that did not exist then', () => {
    const [first] = recorded;
    expect(() => replay({ ...first?.input, engineVersion: '1.0.0' }, archiveOf([]))).toThrow(
      `decided by engine 1.0.0; this is engine ${ENGINE_VERSION}`,
    );
  });

  it('is not decided with terms that have changed since', () => {
    const [first] = recorded;
    if (!first) throw new Error('nothing recorded');
    const changed = first.listings.map((listing) => ({ ...listing, name: 'changed' }));
    const lying: ListingArchive = { find: (id) => changed.find((listing) => listing.id === id) };
    expect(() => replay(first.input, lying)).toThrow('does not have the hash');
    expect(() => replay(first.input, archiveOf([]))).toThrow('the archive has no listing');
  });

  it('refuses what is no stored input', () => {
    expect(() => replay({ v: 1 }, archiveOf([]))).toThrow(z.ZodError);
  });
});
