import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { type PolicyKind, type PolicyScopeKind } from '../domain/policies/policy.js';

/** One version as it was recorded. UUIDs. */
export interface ListedPolicy {
  readonly id: string;
  readonly kind: PolicyKind;
  readonly scope: PolicyScopeKind;
  readonly projectId: string | null;
  readonly useCaseId: string | null;
  readonly version: number;
  readonly sha256: string;
  /** Policies, or terms. */
  readonly items: number;
  readonly inForce: boolean;
  readonly createdBy: string;
  readonly createdAt: Date;
}

const COLUMNS = `p.id, p.kind, p.scope, p.project_id AS "projectId", p.use_case_id AS "useCaseId", p.version, p.sha256, p.items,
  NOT EXISTS (SELECT 1 FROM policy_version n WHERE n.organization_id = p.organization_id
    AND n.scope_id = p.scope_id AND n.kind = p.kind AND n.version > p.version) AS "inForce",
  p.created_by AS "createdBy", p.created_at AS "createdAt"`;

/** Newest first, at most `limit + 1`: the extra one only tells that there is more. */
export async function listPolicies(
  tx: Tx,
  { before, limit, history }: { before: string | undefined; limit: number; history: boolean },
): Promise<ListedPolicy[]> {
  return tx.query<ListedPolicy>(
    `SELECT * FROM (SELECT ${COLUMNS} FROM policy_version p
                     WHERE p.organization_id = $1 AND ($2::uuid IS NULL OR p.id < $2)) AS listed
      WHERE $3 OR "inForce" ORDER BY id DESC LIMIT $4`,
    [tx.organizationId, before ?? null, history, limit + 1],
  );
}

/** One version with its bytes. @throws ColophonError `not_found` */
export async function readPolicy(tx: Tx, id: string): Promise<ListedPolicy & { bytes: Buffer }> {
  const [row] = await tx.query<ListedPolicy & { bytes: Buffer }>(
    `SELECT ${COLUMNS}, t.bytes FROM policy_version p
       JOIN policy_text t ON t.organization_id = p.organization_id AND t.sha256 = p.sha256
      WHERE p.organization_id = $1 AND p.id = $2`,
    [tx.organizationId, id],
  );
  if (!row) throw new ColophonError('not_found', 'There is no policy with this id.');
  return row;
}
