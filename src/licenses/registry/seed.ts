import { z } from 'zod';
import { listingSchema, type Listing } from '../domain/listing.js';
import { indexListings, type ListingIndex } from '../domain/listing-index.js';
import listings from './listings.json' with { type: 'json' };

/** Day on which the facts of the seed were last checked against their sources. */
export const SEED_READ_ON = '2026-11-22';

let seed: ListingIndex | undefined;

/**
 * The listings that come with the product, validated. A registry that cannot be trusted is not used at all.
 * @throws z.ZodError naming the listing and the field, when the file was damaged.
 */
export function parseSeed(content: unknown): readonly Listing[] {
  return z.array(listingSchema).min(1).max(10_000).parse(content);
}

/** The seed with its index; parsed and hashed once per process (about 250 kB). */
export function seedListings(): ListingIndex {
  seed ??= indexListings(parseSeed(listings));
  return seed;
}
