import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { canonicalJson } from '../../shared/canonical-json.js';
import { recordedResult } from '../testing/recorded-result.js';
import { ENGINE_VERSION, ENGINE_VERSIONS } from './engine-version.js';
import { listingSchema, type Listing } from './listing.js';
import { indexListing } from './listing-index.js';
import { type ListingArchive, replay } from './replay.js';

/** Written once by each version of the rules and never again: input, the listings it names, and what was decided. */
const recordedSchema = z.array(
  z.strictObject({
    input: z.looseObject({}),
    listings: z.array(listingSchema),
    result: z.looseObject({ decision: z.enum(['allow', 'review', 'deny']) }),
  }),
);
const recorded = ENGINE_VERSIONS.flatMap((version) => {
  const file = new URL(`../testing/recorded-decisions-${version}.json`, import.meta.url);
  return recordedSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
});

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

  it('of each version names it, and old ones are decided by the rules of their day', () => {
    expect(new Set(recorded.map(({ input }) => input.engineVersion))).toEqual(new Set(ENGINE_VERSIONS));
    const ofPeople = recorded.filter(({ input }) => JSON.stringify(input).includes('"showsPeople":"yes"'));
    expect(ofPeople.length).toBeGreaterThan(0);
    for (const { input, listings } of ofPeople) {
      const then = replay({ ...input, engineVersion: '2.1.0' }, archiveOf(listings));
      const now = replay({ ...input, engineVersion: ENGINE_VERSION }, archiveOf(listings));
      expect([then.decision, now.decision]).toEqual(['allow', 'review']);
    }
  });

  it('is not decided by rules that this program does not have', () => {
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
