import { type Tx } from '../../database/organization-tx.js';

/**
 * Which of these people (UUIDs) may not act any more. What they left running for the organization ends with them: their
 * schedules, and the links by which somebody outside reads.
 */
export async function disabledAmong(tx: Tx, principalIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ id: string }>(
    'SELECT id FROM principal WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND disabled_at IS NOT NULL',
    [tx.organizationId, [...new Set(principalIds)]],
  );
  return new Set(rows.map(({ id }) => id));
}

export async function isDisabled(tx: Tx, principalId: string): Promise<boolean> {
  return (await disabledAmong(tx, [principalId])).has(principalId);
}
