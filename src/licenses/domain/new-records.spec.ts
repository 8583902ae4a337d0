import { describe, expect, it } from '@jest/globals';
import { seedListings } from '../registry/seed.js';
import { newEvidenceSchema } from './curation.js';
import { listingSchema, newListingSchema } from './listing.js';

describe('a listing that somebody records', () => {
  const [entry] = seedListings().all;
  const listing = entry?.listing;

  it.each(['\u200b', '\u00ad', '\u202e', '\u2066', '\ufeff', '\u3164', '\ue000', '\u{e0041}'])(
    'has no name with an invisible character (%j), while one that was recorded before is still read',
    (invisible) => {
      const name = `FLUX${invisible}.1`;
      for (const changes of [{ name }, { vendor: name }, { license: { ...listing?.license, name } }]) {
        expect(newListingSchema.safeParse({ ...listing, ...changes }).success).toBe(false);
        expect(listingSchema.safeParse({ ...listing, ...changes }).success).toBe(true);
      }
    },
  );

  it('has no rights in more training images than there are, while one that was recorded before is still read', () => {
    const withRightsIn = (images: number) => ({
      ...listing,
      datasetManifestSha256: 'a'.repeat(64),
      datasetManifest: {
        images: 5,
        rights: [
          { basis: 'owned', images: 2, trainingAllowed: 'yes', expiresAt: null },
          { basis: 'licensed', images, trainingAllowed: 'yes', expiresAt: null },
        ],
        releases: [],
      },
    });
    expect(newListingSchema.safeParse(withRightsIn(3)).success).toBe(true);
    expect(newListingSchema.safeParse(withRightsIn(4)).success).toBe(false);
    expect(listingSchema.safeParse(withRightsIn(4)).success).toBe(true);
  });

  it('of the product has none', () => {
    for (const { listing: one } of seedListings().all)
      expect(newListingSchema.safeParse(one).success).toBe(true);
  });
});

describe('evidence', () => {
  const quoting = (quote: string | null, textSha256: string | null = null) =>
    newEvidenceSchema.safeParse({ title: 'Letter', quote, textSha256, dateRead: '2026-11-25' }).success;

  it('is words, or a text that is kept', () => {
    expect(quoting('You may use it for gain.')).toBe(true);
    expect(quoting(null, 'a'.repeat(64))).toBe(true);
    for (const nothing of [' ', '.', '...', 'yes', '\u200b'.repeat(20), '- - - - - - - - - - - -'])
      expect(quoting(nothing)).toBe(false);
    expect(quoting(null)).toBe(false);
  });
});
