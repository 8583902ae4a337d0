import { type Tx } from '../../database/organization-tx.js';
import { type DecisionInput } from '../domain/decision-input.js';
import { type IndexedListing, indexListing, type ListingIndex } from '../domain/listing-index.js';
import { type Listing, listingSchema } from '../domain/listing.js';

/** Listings of the archive by their hash; those that it lacks are absent. */
export async function archivedListings(
  tx: Tx,
  hashes: readonly string[],
): Promise<ReadonlyMap<string, Listing>> {
  const rows = await tx.query<{ sha256: string; listing: Buffer }>(
    'SELECT sha256, listing FROM listing_archive WHERE organization_id = $1 AND sha256 = ANY($2::text[])',
    [tx.organizationId, [...new Set(hashes)]],
  );
  return new Map(
    rows.map(
      ({ sha256, listing }) => [sha256, listingSchema.parse(JSON.parse(listing.toString('utf8')))] as const,
    ),
  );
}

/**
 * The listings of a stored decision as they were then, and no others.
 * @throws RangeError when the archive lacks one, or holds another one under its hash
 */
export async function archivedIndex(
  tx: Tx,
  { listings, registrySha256 }: Pick<DecisionInput, 'listings' | 'registrySha256'>,
): Promise<ListingIndex> {
  const archive = await archivedListings(
    tx,
    listings.flatMap(([, sha256]) => sha256 ?? []),
  );
  const entries = listings.flatMap(([id, sha256]): [string, IndexedListing][] => {
    if (sha256 === null) return [];
    const listing = archive.get(sha256);
    const entry = listing === undefined ? undefined : indexListing(listing);
    if (entry?.sha256 !== sha256)
      throw new RangeError(`the archive has no listing ${id} with the hash ${sha256}`);
    return [[id, entry]];
  });
  const byId = new Map(entries);
  return { get: (id) => byId.get(id), all: [], sha256: registrySha256 };
}
