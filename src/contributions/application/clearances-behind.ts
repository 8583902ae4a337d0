import { type Tx } from '../../database/organization-tx.js';

/** The license decisions on which the asset and everything it descends from rest. */
export async function clearancesBehind(tx: Tx, assetIds: readonly string[]): Promise<string[]> {
  return [...new Set((await clearancesOf(tx, assetIds)).values())];
}

/** The license decision under which each asset was made; those that no run made are absent. */
export async function clearancesOf(
  tx: Tx,
  assetIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.query<{ id: string; clearance_id: string }>(
    `SELECT a.id, r.clearance_id FROM asset a
       JOIN run r ON r.organization_id = a.organization_id AND r.id = a.run_id
      WHERE a.organization_id = $1 AND a.id = ANY($2::uuid[])`,
    [tx.organizationId, assetIds],
  );
  return new Map(rows.map((row) => [row.id, row.clearance_id]));
}
