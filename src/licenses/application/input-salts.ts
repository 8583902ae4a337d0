import { type Tx } from '../../database/organization-tx.js';

/**
 * By the UUID of the decision, base64url: with it the hash of what was decided upon opens the commitment `input` of the
 * entry. Decisions of before there was one have none.
 */
export async function inputSalts(tx: Tx, clearanceIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.query<{ id: string; input_salt: Buffer }>(
    `SELECT id, input_salt FROM clearance
      WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND input_salt IS NOT NULL`,
    [tx.organizationId, clearanceIds],
  );
  return new Map(rows.map(({ id, input_salt: salt }) => [id, salt.toString('base64url')]));
}
