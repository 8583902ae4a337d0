import { type Tx } from '../../database/organization-tx.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Risk } from '../domain/review/checklist.js';

export interface QueueFilter {
  readonly useCaseId: string | undefined;
  readonly risk: Risk | undefined;
}

/** An asset that somebody wants to be looked at, and that is not settled. */
export interface QueuedAsset {
  readonly assetId: string;
  readonly title: string;
  readonly projectId: string;
  readonly useCaseIds: readonly string[];
  readonly risk: Risk;
  readonly requestedAt: Date;
  readonly approvalsNeeded: number;
  readonly approvals: number;
  readonly changesRequested: boolean;
  /** False for whoever took part in making it, or has decided on it. */
  readonly mayDecide: boolean;
}

export interface QueueCount {
  readonly useCaseId: string | null;
  readonly risk: Risk;
  readonly assets: number;
}

interface Row {
  asset_id: string;
  title: string;
  project_id: string;
  use_case_ids: string[];
  risk: Risk;
  created_at: Date;
  needed: number;
  approvals: number;
  changes_requested: boolean;
  may_decide: boolean;
}

/**
 * Open: neither rejected nor released, and not approved by as many as are needed. `$2` is the mode. Who may decide is
 * asked by the rule of the database that decides it.
 */
const OPEN = `
  FROM review_request q
  JOIN asset a ON a.organization_id = q.organization_id AND a.id = q.asset_id AND a.mode = $2
  CROSS JOIN LATERAL (
    SELECT count(DISTINCT reviewer_id) FILTER (WHERE decision = 'approve')::int AS approvals,
           count(*) FILTER (WHERE decision = 'reject') AS rejections,
           count(*) FILTER (WHERE decision = 'request_changes' AND NOT EXISTS (
             SELECT 1 FROM review f WHERE f.organization_id = r.organization_id AND f.asset_id = r.asset_id
                AND f.reviewer_id = r.reviewer_id AND f.decision = 'approve')) > 0 AS changes_requested
      FROM review r WHERE r.organization_id = q.organization_id AND r.asset_id = q.asset_id) d
  CROSS JOIN LATERAL review_needs(q.organization_id, q.asset_id) n
  CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT u.id), '{}') AS use_case_ids FROM (
      SELECT r.use_case_id AS id FROM review_lineage(q.organization_id, q.asset_id) AS l(id)
        JOIN asset b ON b.organization_id = q.organization_id AND b.id = l.id
        JOIN run r ON r.organization_id = q.organization_id AND r.id = b.run_id
      UNION SELECT q.use_case_id) u WHERE u.id IS NOT NULL) uses
 WHERE q.organization_id = $1 AND d.rejections = 0 AND (d.approvals < n.approvals OR d.changes_requested)
   AND NOT EXISTS (SELECT 1 FROM asset_release l WHERE l.organization_id = q.organization_id AND l.asset_id = q.asset_id)`;

export class ListReviewQueue {
  /** Oldest first. @param after the asset id of the last item of the page before */
  async list(
    tx: Tx,
    { mode, principalId }: Principal,
    filter: QueueFilter,
    page: { readonly after: string | undefined; readonly limit: number },
  ): Promise<QueuedAsset[]> {
    const rows = await tx.query<Row>(
      `SELECT q.asset_id, a.title, a.project_id, uses.use_case_ids, q.risk, q.created_at, n.approvals AS needed,
              d.approvals, d.changes_requested,
              NOT took_part(q.organization_id, q.asset_id, $3) AND NOT EXISTS (
                SELECT 1 FROM review f WHERE f.organization_id = q.organization_id AND f.asset_id = q.asset_id
                   AND f.reviewer_id = $3 AND f.decision <> 'request_changes') AS may_decide
       ${OPEN}
         AND ($4::text IS NULL OR q.risk = $4) AND ($5::uuid IS NULL OR $5 = ANY(uses.use_case_ids))
         AND ($6::uuid IS NULL OR q.asset_id > $6)
       ORDER BY q.asset_id LIMIT $7`,
      [
        ...[tx.organizationId, mode, principalId, filter.risk ?? null, filter.useCaseId ?? null],
        ...[page.after ?? null, page.limit],
      ],
    );
    return rows.map((row) => ({
      assetId: row.asset_id,
      title: row.title,
      projectId: row.project_id,
      useCaseIds: row.use_case_ids,
      risk: row.risk,
      requestedAt: row.created_at,
      approvalsNeeded: row.needed,
      approvals: row.approvals,
      changesRequested: row.changes_requested,
      mayDecide: row.may_decide,
    }));
  }

  /** How much waits, by use case and risk. An asset of several use cases counts in each. */
  async counts(tx: Tx, { mode }: Principal): Promise<QueueCount[]> {
    const rows = await tx.query<{ use_case_id: string | null; risk: Risk; assets: number }>(
      `SELECT u.id AS use_case_id, o.risk, count(*)::int AS assets
         FROM (SELECT q.risk, uses.use_case_ids ${OPEN}) o
         LEFT JOIN LATERAL unnest(o.use_case_ids) AS u(id) ON true
        GROUP BY u.id, o.risk ORDER BY u.id NULLS LAST, o.risk LIMIT 1000`,
      [tx.organizationId, mode],
    );
    return rows.map((row) => ({ useCaseId: row.use_case_id, risk: row.risk, assets: row.assets }));
  }
}
