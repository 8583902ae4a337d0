import { type Tx } from '../../database/organization-tx.js';
import { type ListingId } from '../domain/listing.js';
import { type RegistryState } from '../domain/registry-state.js';
import { type Basis, reopened } from '../domain/reopened.js';
import { type BasisRow, toBasis } from './clearance-standing.js';

/** What a change of the registry opens again. UUIDs, sorted. */
export interface Affected {
  /** Last decisions that rested on what has changed. */
  readonly clearances: readonly string[];
  /** Waivers that were in force until now. */
  readonly waivers: readonly string[];
}

/**
 * Decisions that held before a change of these listings and do not hold after it, and the waivers that end with it.
 * Every decision that is recorded at this moment waits, or was committed before: none is missed.
 */
export async function affectedBy(
  tx: Tx,
  listingIds: readonly ListingId[],
  before: RegistryState,
  after: RegistryState,
  now: Date,
): Promise<Affected> {
  if (listingIds.length === 0) return { clearances: [], waivers: [] };
  const rows = await tx.query<BasisRow & { clearance_id: string; registry_version: string }>(
    `SELECT c.id AS clearance_id, c.registry_version, l.listing_id, l.decisive_sha256, l.license_key, l.license_text_sha256
       FROM clearance_listing l
       JOIN clearance c ON c.organization_id = l.organization_id AND coalesce(c.basis_id, c.id) = l.clearance_id
      WHERE l.organization_id = $1 AND l.listing_id = ANY($2::text[])
        AND NOT EXISTS (SELECT 1 FROM clearance n WHERE n.organization_id = $1
               AND n.renews = coalesce(c.renews, c.id) AND (n.registry_version, n.created_at) > (c.registry_version, c.created_at))
      ORDER BY c.id`,
    [tx.organizationId, listingIds],
  );
  const open = (basis: Basis, since: number, registry: RegistryState) =>
    reopened([basis], since, registry).length > 0;
  const clearances = new Set<string>();
  for (const row of rows) {
    const [basis, since] = [toBasis(row), Number(row.registry_version)];
    if (!open(basis, since, before) && open(basis, since, after)) clearances.add(row.clearance_id);
  }
  return { clearances: [...clearances], waivers: await waiversOf(tx, [...clearances], listingIds, now) };
}

async function waiversOf(
  tx: Tx,
  clearanceIds: readonly string[],
  listingIds: readonly ListingId[],
  now: Date,
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM waiver WHERE organization_id = $1 AND expires_at > $4
        AND (coalesce(decided_clearance_id, clearance_id) = ANY($2::uuid[]) OR (scope = 'finding' AND listing_id = ANY($3::text[])))
      ORDER BY id`,
    [tx.organizationId, clearanceIds, listingIds, now],
  );
  return rows.map(({ id }) => id);
}
