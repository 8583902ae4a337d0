import { type Tx } from '../../database/organization-tx.js';

/** The license decisions on which the asset and everything it descends from rest. */
export async function clearancesBehind(tx: Tx, assetIds: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ clearance_id: string }>(
    `SELECT DISTINCT r.clearance_id FROM asset a
       JOIN run r ON r.organization_id = a.organization_id AND r.id = a.run_id
      WHERE a.organization_id = $1 AND a.id = ANY($2::uuid[])`,
    [tx.organizationId, assetIds],
  );
  return rows.map((row) => row.clearance_id);
}
