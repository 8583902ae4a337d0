import { type Tx } from '../../database/organization-tx.js';
import { type Work } from '../../licenses/application/work-behind-clearances.js';

/** The runs of each clearance, and their assets with everything that descends from them. */
export async function workBehindClearances(
  tx: Tx,
  clearanceIds: readonly string[],
): Promise<ReadonlyMap<string, Work>> {
  const rows = await tx.query<{ clearance_id: string; run_ids: string[]; asset_ids: string[] }>(
    `WITH RECURSIVE work(clearance_id, asset_id) AS (
       SELECT r.clearance_id, a.id FROM run r
         JOIN asset a ON a.organization_id = r.organization_id AND a.run_id = r.id
        WHERE r.organization_id = $1 AND r.clearance_id = ANY($2::uuid[])
       UNION SELECT w.clearance_id, p.asset_id FROM work w
         JOIN asset_parent p ON p.organization_id = $1 AND p.parent_asset_id = w.asset_id)
     SELECT r.clearance_id, array_agg(r.id ORDER BY r.id) AS run_ids,
            ARRAY(SELECT w.asset_id FROM work w WHERE w.clearance_id = r.clearance_id ORDER BY w.asset_id) AS asset_ids
       FROM run r WHERE r.organization_id = $1 AND r.clearance_id = ANY($2::uuid[]) GROUP BY r.clearance_id`,
    [tx.organizationId, clearanceIds],
  );
  return new Map(
    rows.map((row) => [row.clearance_id, { runIds: row.run_ids, assetIds: row.asset_ids }] as const),
  );
}

/** Whether a run under this clearance has not come to its end. */
export async function isWorkUnfinished(tx: Tx, clearanceId: string): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM run WHERE organization_id = $1 AND clearance_id = $2
        AND state IN ('WAITING_FOR_WAIVER', 'RUNNING', 'NEEDS_RECONCILIATION') LIMIT 1`,
    [tx.organizationId, clearanceId],
  );
  return rows.length > 0;
}

/** Whether a run of a live key rests on this clearance, whatever became of it. */
export async function isWorkLive(tx: Tx, clearanceId: string): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM run WHERE organization_id = $1 AND clearance_id = $2 AND mode = 'live' LIMIT 1`,
    [tx.organizationId, clearanceId],
  );
  return rows.length > 0;
}

/** Whether a run rests on this clearance: none does where its call was refused, or where it was only a question. */
export async function isWorkThere(tx: Tx, clearanceId: string): Promise<boolean> {
  const rows = await tx.query('SELECT 1 FROM run WHERE organization_id = $1 AND clearance_id = $2 LIMIT 1', [
    tx.organizationId,
    clearanceId,
  ]);
  return rows.length > 0;
}
