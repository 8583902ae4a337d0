import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';

export interface UseCase {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
}

/** @throws ColophonError `not_found` */
export async function findUseCase(tx: Tx, id: string): Promise<UseCase> {
  const [row] = await tx.query<{ project_id: string; name: string }>(
    'SELECT project_id, name FROM use_case WHERE organization_id = $1 AND id = $2',
    [tx.organizationId, id],
  );
  if (!row) throw new ColophonError('not_found', 'There is no use case with this id.');
  return { id, projectId: row.project_id, name: row.name };
}
