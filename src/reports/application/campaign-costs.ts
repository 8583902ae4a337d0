import { type Tx } from '../../database/organization-tx.js';
import { type StepsOfListing } from '../domain/campaign-spending.js';
import { type CampaignScope } from './campaign-scope.js';

/** Of steps that people do. No listing has this id: those of listings name a channel. */
const NO_LISTING = 'none';

/** How often steps were made with each listing, how they ended, and what is settled. */
export async function stepsOfCampaign(tx: Tx, scope: CampaignScope): Promise<StepsOfListing[]> {
  const rows = await tx.query<{
    listing_id: string;
    mode: 'live' | 'test';
    succeeded: boolean;
    basis: string | null;
    steps: number;
    settled: string;
    open_steps: number;
    open: string;
  }>(
    `SELECT s.listing_id, r.mode, s.state = 'SUCCEEDED' AS succeeded, m.basis, count(*)::int AS steps,
            coalesce(sum(m.amount_micro_usd), 0)::bigint AS settled,
            count(*) FILTER (WHERE ${OPEN_STEP})::int AS open_steps,
            coalesce(sum(s.reserved_micro_usd) FILTER (WHERE ${OPEN_STEP}), 0)::bigint AS open
       FROM step_run s JOIN run r ON r.organization_id = s.organization_id AND r.id = s.run_id
       LEFT JOIN money_movement m
         ON m.organization_id = s.organization_id AND m.step_run_id = s.id AND m.kind = 'settlement'
       LEFT JOIN money_movement e
         ON e.organization_id = s.organization_id AND e.step_run_id = s.id AND e.kind <> 'reservation'
      WHERE s.organization_id = $1 AND r.project_id = $2 AND ($3::uuid IS NULL OR r.use_case_id = $3)
        AND ($4::timestamptz IS NULL OR r.created_at >= $4) AND ($5::timestamptz IS NULL OR r.created_at < $5)
      GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
    [tx.organizationId, scope.projectId, scope.useCaseId, scope.from, scope.until],
  );
  return rows.map(({ listing_id: listingId, mode, succeeded, basis, steps, settled, open_steps, open }) => ({
    listingId: listingId === NO_LISTING ? null : listingId,
    ...{ mode, succeeded, basis, steps },
    settledMicroUsd: BigInt(settled),
    openSteps: open_steps,
    openMicroUsd: BigInt(open),
  }));
}

/** Begun, and neither paid nor given back. */
const OPEN_STEP = `e.kind IS NULL AND s.reserved_micro_usd > 0`;
