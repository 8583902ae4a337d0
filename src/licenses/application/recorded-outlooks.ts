import { type Tx } from '../../database/organization-tx.js';
import { sha256Hex } from '../../shared/bytes.js';
import { frozen } from '../../shared/frozen.js';
import { basisSha256, type BasisPart } from '../domain/decision-basis.js';
import { type ListingId } from '../domain/listing.js';
import { type RecordedOutlook } from '../domain/listing-outlook.js';

export type RecordedOutlooks = ReadonlyMap<ListingId, RecordedOutlook>;

/** Of one basis some 100 kB each. */
const MAX_KEPT = 64;
/** By `<organization> <decision>`, in the order of their last use. What a decision rests on never changes. */
const kept = new Map<string, RecordedOutlooks>();

interface Row {
  basis_id: string;
  basis_sha256: string | null;
  listing_id: string | null;
  sha256: string;
  decisive_sha256: string;
  outlook_sha256: string | null;
  outlook: Buffer | null;
}

/**
 * What the listings said on which decisions rest, by the first decision (UUID) of each basis.
 * @throws RangeError when a part is not there, or is not what was recorded: then nothing is known of the decision
 */
export async function recordedOutlooks(
  tx: Tx,
  basisIds: readonly string[],
): Promise<ReadonlyMap<string, RecordedOutlooks>> {
  const found = new Map<string, RecordedOutlooks>();
  for (const id of new Set(basisIds)) {
    const known = kept.get(keyOf(tx, id));
    if (known !== undefined) found.set(id, known);
  }
  const missing = [...new Set(basisIds)].filter((id) => !found.has(id));
  if (missing.length === 0) return found;
  const rows = await tx.query<Row>(
    `SELECT c.id AS basis_id, c.basis_sha256, l.listing_id, l.sha256, l.decisive_sha256, l.outlook_sha256, o.outlook
       FROM clearance c
       LEFT JOIN clearance_listing l ON l.organization_id = c.organization_id AND l.clearance_id = c.id
       LEFT JOIN outlook_archive o ON o.organization_id = l.organization_id AND o.sha256 = l.outlook_sha256
      WHERE c.organization_id = $1 AND c.id = ANY($2::uuid[])`,
    [tx.organizationId, missing],
  );
  for (const id of missing) {
    const outlooks = checked(
      id,
      rows.filter(({ basis_id }) => basis_id === id),
    );
    found.set(id, outlooks);
    keep(keyOf(tx, id), outlooks);
  }
  return found;
}

/** Each outlook has the hash under which it was stored, and all together that of the basis. */
function checked(basisId: string, rows: readonly Row[]): RecordedOutlooks {
  const parts: BasisPart[] = [];
  const outlooks = new Map<ListingId, RecordedOutlook>();
  for (const { listing_id, sha256, decisive_sha256, outlook_sha256, outlook } of rows) {
    // A basis of unknown listings alone has no rows.
    if (listing_id === null) continue;
    if (outlook === null || outlook_sha256 === null || sha256Hex(outlook) !== outlook_sha256)
      throw new RangeError(`what ${listing_id} said for clearance ${basisId} is not as it was recorded`);
    const part = { listingId: listing_id, sha256, decisiveSha256: decisive_sha256 };
    parts.push({ ...part, outlookSha256: outlook_sha256 });
    outlooks.set(listing_id, frozen(JSON.parse(outlook.toString('utf8')) as RecordedOutlook));
  }
  if (rows[0]?.basis_sha256 !== basisSha256(parts))
    throw new RangeError(`what clearance ${basisId} rests on is not as it was recorded`);
  return outlooks;
}

function keyOf({ organizationId }: Tx, basisId: string): string {
  return `${organizationId} ${basisId}`;
}

function keep(key: string, outlooks: RecordedOutlooks): void {
  kept.delete(key);
  kept.set(key, outlooks);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
}
