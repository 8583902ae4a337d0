import { type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type Tx } from '../../database/organization-tx.js';
import { type Finding } from '../../licenses/domain/finding.js';
import { readClearance } from '../../licenses/application/read-clearance.js';
import { openFindings } from '../../licenses/application/waivers-in-force.js';

/** A waiver by which a run behind a file went ahead. UUIDs. */
export interface RunWaiver {
  readonly id: string;
  readonly runId: string;
  readonly reason: string;
  readonly approvedBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** Null where all that the decision of the run left open is accepted. */
  readonly finding: { readonly ruleId: string; readonly listingId: string } | null;
}

interface Row {
  id: string;
  run_id: string;
  clearance_id: string;
  scope: 'clearance' | 'finding';
  reason: string;
  approved_by: string;
  created_at: Date;
  expires_at: Date;
  rule_id: string | null;
  listing_id: string | null;
}

/**
 * For the decision of a run; or for single findings wherever its project meets them, if they were approved before the run
 * made its first file of the chain, and together accept all that the decision left open. By time.
 */
export async function waiversOfRuns(tx: Tx, lineage: readonly AssetWithParents[]): Promise<RunWaiver[]> {
  const madeAt = new Map<string, Date>();
  for (const { runId, createdAt } of lineage) {
    const known = runId === undefined ? undefined : madeAt.get(runId);
    if (runId !== undefined && (known === undefined || createdAt < known)) madeAt.set(runId, createdAt);
  }
  const rows = await tx.query<Row>(
    `SELECT w.id, r.id AS run_id, r.clearance_id, w.scope, w.reason, w.approved_by, w.created_at, w.expires_at,
            w.rule_id, w.listing_id
       FROM run r JOIN unnest($2::uuid[], $3::timestamptz[]) AS made (run_id, at) ON made.run_id = r.id
       JOIN waiver w ON w.organization_id = r.organization_id AND (w.clearance_id = r.clearance_id OR (
            w.scope = 'finding' AND w.project_id = r.project_id
        AND (w.use_case_id IS NULL OR w.use_case_id = r.use_case_id)
        AND w.approved_by <> r.created_by AND w.created_at <= made.at AND w.expires_at > r.created_at))
      WHERE r.organization_id = $1 ORDER BY r.id, w.created_at, w.id`,
    [tx.organizationId, [...madeAt.keys()], [...madeAt.values()]],
  );
  const found: RunWaiver[] = [];
  for (const runId of new Set(rows.map(({ run_id }) => run_id))) {
    const ofRun = rows.filter(({ run_id }) => run_id === runId);
    found.push(...ofRun.filter(({ scope }) => scope === 'clearance').map(toWaiver));
    const ofFindings = ofRun.filter(({ scope }) => scope === 'finding');
    const [first] = ofFindings;
    if (first === undefined) continue;
    const { findings } = await readClearance(tx, first.clearance_id);
    found.push(...acceptedTogether(ofFindings, openFindings(findings)).map(toWaiver));
  }
  return found;
}

function acceptedTogether(waivers: readonly Row[], open: readonly Finding[]): readonly Row[] {
  const isFor = ({ rule_id, listing_id }: Row, { ruleId, listingId }: Finding): boolean =>
    rule_id === ruleId && listing_id === listingId;
  const isWhole = open.every((finding) => waivers.some((waiver) => isFor(waiver, finding)));
  return isWhole ? waivers.filter((waiver) => open.some((finding) => isFor(waiver, finding))) : [];
}

function toWaiver(row: Row): RunWaiver {
  const { rule_id: ruleId, listing_id: listingId } = row;
  return {
    id: row.id,
    runId: row.run_id,
    reason: row.reason,
    approvedBy: row.approved_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    finding: ruleId === null || listingId === null ? null : { ruleId, listingId },
  };
}
