import { type Tx } from '../../database/organization-tx.js';
import { type Decision } from '../domain/finding.js';
import {
  CLEARANCE_COLUMNS,
  type ClearanceRow,
  type StoredClearance,
  storedClearances,
} from './read-clearance.js';

export interface ClearanceQuery {
  /** Newest first: id of the last decision of the page before. */
  readonly before: string | undefined;
  readonly limit: number;
  readonly decision: Decision | undefined;
  /** One of the listings on which it rests. */
  readonly listingId: string | undefined;
  /** UUID; only decisions for runs of this project. */
  readonly projectId: string | undefined;
}

/** Recorded decisions, newest first. */
export async function listClearances(tx: Tx, query: ClearanceQuery): Promise<StoredClearance[]> {
  const rows = await tx.query<ClearanceRow>(
    `SELECT ${CLEARANCE_COLUMNS} FROM clearance c
      WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR decision = $3)
        AND ($4::uuid IS NULL OR project_id = $4)
        AND ($5::text IS NULL OR EXISTS (SELECT 1 FROM clearance_listing l
               WHERE l.organization_id = $1 AND l.clearance_id = coalesce(c.basis_id, c.id) AND l.listing_id = $5))
      ORDER BY id DESC LIMIT $6`,
    [
      tx.organizationId,
      query.before ?? null,
      query.decision ?? null,
      query.projectId ?? null,
      query.listingId ?? null,
      query.limit,
    ],
  );
  return storedClearances(tx, rows);
}
