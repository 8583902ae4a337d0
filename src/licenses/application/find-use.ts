import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';

/**
 * The use case of a project by its name; null when none is named.
 * @throws ColophonError `not_found`
 */
export async function useCaseOf(tx: Tx, projectId: string, name: string | undefined): Promise<string | null> {
  const [row] = await tx.query<{ project: string; use_case: string | null }>(
    `SELECT p.id AS project, u.id AS use_case FROM project p
       LEFT JOIN use_case u ON u.organization_id = p.organization_id AND u.project_id = p.id AND u.name = $3
      WHERE p.organization_id = $1 AND p.id = $2`,
    [tx.organizationId, projectId, name ?? null],
  );
  if (!row || (name !== undefined && row.use_case === null))
    throw new ColophonError('not_found', 'There is no such project, or it has no such use case.');
  return row.use_case;
}
