import { type Tx } from '../../../database/organization-tx.js';
import { ColophonError } from '../../../shared/errors.js';
import { type GatewayPlace } from '../domain/gateway-call.js';

/** More names would be no help. */
const MAX_NAMED = 50;

/**
 * The id (UUID) of the use case to which an address leads.
 * @throws ColophonError `not_found`, which says whether the project is unknown or the use case, and which there are. It
 *   tells of the caller's own organization alone: a project of another one is as unknown as none.
 */
export async function useCaseOfPlace(tx: Tx, { projectId, useCase }: GatewayPlace): Promise<string> {
  // One statement, because the transaction of a call sends its statements at once with its commit.
  const [row] = await tx.query<{ use_case: string | null; names: string[] | null }>(
    `SELECT u.id AS use_case,
            CASE WHEN u.id IS NULL THEN ARRAY(
              SELECT name FROM use_case o WHERE o.organization_id = p.organization_id AND o.project_id = p.id
               ORDER BY name LIMIT $4) END AS names
       FROM project p
       LEFT JOIN use_case u ON u.organization_id = p.organization_id AND u.project_id = p.id AND u.name = $3
      WHERE p.organization_id = $1 AND p.id = $2`,
    [tx.organizationId, projectId, useCase, MAX_NAMED + 1],
  );
  if (row === undefined) throw unknownProject();
  if (row.use_case === null) throw unknownUseCase(row.names ?? []);
  return row.use_case;
}

export function unknownProject(): ColophonError {
  return new ColophonError(
    'not_found',
    'The address names a project that does not exist in the organization of this API key.',
  );
}

function unknownUseCase(found: readonly string[]): ColophonError {
  const names = found.slice(0, MAX_NAMED);
  const more = found.length > MAX_NAMED ? ', ...' : '';
  const which = names.length === 0 ? 'It has none yet.' : `It has: ${names.join(', ')}${more}.`;
  return new ColophonError(
    'not_found',
    `The project has no use case with the name that the address gives. ${which}`,
    { extensions: { knownUseCases: names } },
  );
}
