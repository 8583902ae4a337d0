import { type Tx } from '../../database/organization-tx.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { type ListingId } from '../domain/listing.js';

/**
 * A run of one's own that waits is not freed by one's own word on its models, whether that is a correction, another
 * version of the listing, or the text that was missing behind it.
 * @throws ColophonError `four_eyes_required`
 */
export async function requireOtherEyes(
  tx: Tx,
  { principalId }: Principal,
  listingIds: readonly ListingId[],
): Promise<void> {
  const waiting = await tx.query(
    `SELECT 1 FROM clearance c
       JOIN clearance_listing l ON l.organization_id = c.organization_id
        AND l.clearance_id = coalesce(c.basis_id, c.id) AND l.listing_id = ANY($3::text[])
      WHERE c.organization_id = $1 AND c.created_by = $2 AND c.decision = 'review' AND c.project_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM waiver w WHERE w.organization_id = c.organization_id
               AND w.clearance_id = coalesce(c.renews, c.id)) LIMIT 1`,
    [tx.organizationId, principalId, listingIds],
  );
  if (waiting.length === 0) return;
  throw new ColophonError(
    'four_eyes_required',
    'A run that you asked for waits because of this listing: someone other than you says what is true of it.',
  );
}
