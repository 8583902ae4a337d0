import { type Tx } from '../../database/organization-tx.js';
import { type CampaignReport } from '../domain/campaign.js';
import { type CampaignScope } from './campaign-scope.js';

/** Which models were used how often, and what it cost. */
export async function spentOf(
  tx: Tx,
  scope: CampaignScope,
): Promise<Pick<CampaignReport, 'models' | 'costs'>> {
  const rows = await tx.query<{
    listing_id: string;
    succeeded: string;
    settled: string;
    settled_steps: string;
    open: string;
    open_steps: string;
    bases: Record<string, number> | null;
  }>(
    `SELECT s.listing_id, count(*) FILTER (WHERE s.state = 'SUCCEEDED') AS succeeded,
            coalesce(sum(m.amount_micro_usd), 0)::bigint AS settled, count(m.basis) AS settled_steps,
            coalesce(sum(s.reserved_micro_usd) FILTER (WHERE ${OPEN_STEP}), 0)::bigint AS open,
            count(*) FILTER (WHERE ${OPEN_STEP}) AS open_steps,
            (SELECT jsonb_object_agg(basis, n) FROM (
               SELECT m2.basis, count(*) AS n FROM money_movement m2 JOIN step_run s2
                   ON s2.organization_id = m2.organization_id AND s2.id = m2.step_run_id
                 JOIN run r2 ON r2.organization_id = s2.organization_id AND r2.id = s2.run_id
                WHERE m2.organization_id = $1 AND m2.kind = 'settlement' AND s2.listing_id = s.listing_id
                  AND r2.project_id = $2 AND ($3::uuid IS NULL OR r2.use_case_id = $3)
                  AND ($4::timestamptz IS NULL OR r2.created_at >= $4)
                  AND ($5::timestamptz IS NULL OR r2.created_at < $5)
                GROUP BY m2.basis) b) AS bases
       FROM step_run s JOIN run r ON r.organization_id = s.organization_id AND r.id = s.run_id
       LEFT JOIN money_movement m
         ON m.organization_id = s.organization_id AND m.step_run_id = s.id AND m.kind = 'settlement'
       LEFT JOIN money_movement e
         ON e.organization_id = s.organization_id AND e.step_run_id = s.id AND e.kind <> 'reservation'
      WHERE s.organization_id = $1 AND r.project_id = $2 AND ($3::uuid IS NULL OR r.use_case_id = $3)
        AND ($4::timestamptz IS NULL OR r.created_at >= $4) AND ($5::timestamptz IS NULL OR r.created_at < $5)
      GROUP BY s.listing_id ORDER BY s.listing_id`,
    [tx.organizationId, scope.projectId, scope.useCaseId, scope.from, scope.until],
  );
  const sum = (of: (row: (typeof rows)[number]) => string): bigint =>
    rows.reduce((total, row) => total + BigInt(of(row)), 0n);
  const steps = Number(sum(({ succeeded }) => succeeded));
  const basis: Record<string, number> = {};
  for (const { bases } of rows)
    for (const [name, number] of Object.entries(bases ?? {})) basis[name] = (basis[name] ?? 0) + number;
  return {
    models: rows
      .filter(({ succeeded }) => succeeded !== '0')
      .map((row) => ({
        listingId: row.listing_id,
        steps: Number(row.succeeded),
        shareBasisPoints: Math.round((10_000 * Number(row.succeeded)) / steps),
        settledMicroUsd: row.settled,
      }))
      .sort((a, b) => b.steps - a.steps || (a.listingId < b.listingId ? -1 : 1)),
    costs: {
      settledMicroUsd: sum(({ settled }) => settled).toString(),
      openMicroUsd: sum(({ open }) => open).toString(),
      settledSteps: Number(sum(({ settled_steps }) => settled_steps)),
      openSteps: Number(sum(({ open_steps }) => open_steps)),
      basis,
    },
  };
}

/** Begun, and neither paid nor given back. */
const OPEN_STEP = `e.kind IS NULL AND s.reserved_micro_usd > 0`;
