import { type Tx } from '../../database/organization-tx.js';
import { type ReviewNeeds } from '../domain/review/review-standing.js';

/** The strictest of what the use cases behind each of the assets ask for today. */
export async function reviewNeedsOf(
  tx: Tx,
  assetIds: readonly string[],
): Promise<Map<string, Pick<ReviewNeeds, 'approvals'>>> {
  const rows = await tx.query<{ asset_id: string; approvals: number }>(
    `SELECT a.id AS asset_id, n.approvals
       FROM unnest($2::uuid[]) AS a(id) CROSS JOIN LATERAL review_needs($1, a.id) n`,
    [tx.organizationId, assetIds],
  );
  return new Map(rows.map(({ asset_id, approvals }) => [asset_id, { approvals: approvals === 2 ? 2 : 1 }]));
}
