import { z } from 'zod';
import { decide, type DecisionResult } from './engine.js';
import { ENGINE_VERSION, isEngineVersion } from './engine-version.js';
import { lineageSchema } from './lineage.js';
import { type Listing, type ListingId } from './listing.js';
import { type ListingIndex, indexListing } from './listing-index.js';
import { runFactsSchema } from './run-facts.js';

/** Where every version of a listing is kept under its hash. The registry implements it. */
export interface ListingArchive {
  find(id: ListingId, sha256: string): Listing | undefined;
}

const storedInputSchema = z.strictObject({
  v: z.literal(2),
  engineVersion: z.string(),
  lineage: lineageSchema,
  facts: runFactsSchema,
  listings: z.array(z.tuple([z.string(), z.string().nullable()])).max(5000),
  registrySha256: z.string(),
});

/**
 * Decides again from a stored input, with the terms as they were then. The result equals the recorded one except that
 * no alternatives are proposed: those depended on the whole registry of that day.
 * @throws RangeError when the decision was made by rules that this program does not have (use the release that has them), or when
 *   the archive lacks a listing or holds another one under its hash.
 * @throws z.ZodError when it is no stored input.
 */
export function replay(stored: unknown, archive: ListingArchive): DecisionResult {
  const { engineVersion, lineage, facts, listings, registrySha256 } = storedInputSchema.parse(stored);
  if (!isEngineVersion(engineVersion)) {
    throw new RangeError(`decided by engine ${engineVersion}; this is engine ${ENGINE_VERSION}`);
  }
  const byId = new Map(
    listings.flatMap(([id, sha256]) =>
      sha256 === null ? [] : [[id, recorded(archive, id, sha256)] as const],
    ),
  );
  const index: ListingIndex = { get: (id) => byId.get(id), all: [], sha256: registrySha256 };
  return decide({ lineage, facts, listings: index, engineVersion });
}

function recorded(archive: ListingArchive, id: ListingId, sha256: string) {
  const listing = archive.find(id, sha256);
  if (!listing) throw new RangeError(`the archive has no listing ${id} with the hash ${sha256}`);
  const entry = indexListing(listing);
  if (entry.sha256 !== sha256)
    throw new RangeError(`the archived listing ${id} does not have the hash ${sha256}`);
  return entry;
}
