import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { type Principal } from '../domain/principal.js';

/** What a program cannot do in a person's place, whatever roles its key has, and what is said when it tries. */
const REFUSALS = {
  'human-work': 'This key belongs to a service; human work is recorded by people.',
  decision: 'This key belongs to a service; this is decided by people.',
} as const;

/** A program has no authorship, and is no second pair of eyes. @throws ColophonError `forbidden` */
export async function requirePerson(
  tx: Tx,
  { principalId }: Pick<Principal, 'principalId'>,
  to: keyof typeof REFUSALS,
): Promise<void> {
  const [row] = await tx.query<{ kind: string }>(
    'SELECT kind FROM principal WHERE organization_id = $1 AND id = $2',
    [tx.organizationId, principalId],
  );
  if (row?.kind !== 'user') throw new ColophonError('forbidden', REFUSALS[to]);
}
