import { readClaims } from '../../contributions/application/read-claims.js';
import { type Tx } from '../../database/organization-tx.js';
import { type ListWaivers } from '../../licenses/application/list-waivers.js';
import {
  CLEARANCE_COLUMNS,
  type ClearanceRow,
  type StoredClearance,
  storedClearances,
} from '../../licenses/application/read-clearance.js';
import { publicId } from '../../shared/ids.js';
import {
  type CampaignClaim,
  type CampaignWaiver,
  type Expiry,
  type IndemnityRow,
} from '../domain/campaign.js';
import { CAMPAIGN_ASSETS, type CampaignScope } from './campaign-scope.js';
import { MAX_CAMPAIGN_ASSETS } from './campaign-matrix.js';

const DAY_CHARACTERS = 10;

/**
 * Decisions that count for the live runs of the campaign: of each first one itself, or the last that renews it. For a test
 * key the sandbox plays the models, so nothing of a vendor was used.
 */
export async function clearancesOf(tx: Tx, scope: CampaignScope): Promise<StoredClearance[]> {
  const rows = await tx.query<ClearanceRow>(
    `SELECT last.* FROM (
       SELECT DISTINCT r.clearance_id FROM run r
        WHERE r.organization_id = $1 AND r.project_id = $2 AND r.mode = 'live'
          AND ($3::uuid IS NULL OR r.use_case_id = $3) AND ($4::timestamptz IS NULL OR r.created_at >= $4) AND ($5::timestamptz IS NULL OR r.created_at < $5)
       ) AS first
       CROSS JOIN LATERAL (
         SELECT ${CLEARANCE_COLUMNS} FROM (
           SELECT * FROM clearance WHERE organization_id = $1 AND id = first.clearance_id
           UNION ALL SELECT * FROM clearance WHERE organization_id = $1 AND renews = first.clearance_id) AS decisions
          ORDER BY registry_version DESC, renews IS NOT NULL DESC, created_at DESC, id DESC LIMIT 1
       ) AS last
      ORDER BY last.id`,
    [tx.organizationId, scope.projectId, scope.useCaseId, scope.from, scope.until],
  );
  return storedClearances(tx, rows);
}

/** What has changed under a waiver ends it before its day. */
export async function waiversOf(
  tx: Tx,
  scope: CampaignScope,
  waivers: Pick<ListWaivers, 'ofIds'>,
): Promise<CampaignWaiver[]> {
  const rows = await tx.query<{
    id: string;
    reason: string;
    clearance_id: string | null;
    listing_id: string | null;
    rule_id: string | null;
    created_at: Date;
    expires_at: Date;
  }>(
    `SELECT w.id, w.reason, w.clearance_id, w.listing_id, w.rule_id, w.created_at, w.expires_at FROM waiver w
      WHERE w.organization_id = $1 AND ($4::timestamptz IS NULL OR w.created_at < $4) AND (
        (w.project_id = $2 AND ($3::uuid IS NULL OR w.use_case_id IS NULL OR w.use_case_id = $3))
        OR w.clearance_id IN (SELECT r.clearance_id FROM run r
             WHERE r.organization_id = $1 AND r.project_id = $2 AND ($3::uuid IS NULL OR r.use_case_id = $3)))
      ORDER BY w.expires_at, w.id`,
    [tx.organizationId, scope.projectId, scope.useCaseId, scope.until],
  );
  const listed = await waivers.ofIds(
    tx,
    rows.map(({ id }) => id),
  );
  const inForce = new Set(listed.flatMap(({ id, state }) => (state === 'in-force' ? [id] : [])));
  return rows.map((row) => ({
    id: publicId('waiver', row.id),
    about:
      row.clearance_id === null
        ? `${row.rule_id ?? ''} of ${row.listing_id ?? ''}`
        : publicId('clearance', row.clearance_id),
    reason: row.reason,
    approvedAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    isOpen: inForce.has(row.id),
  }));
}

interface InputRights {
  readonly id: string;
  readonly rights: {
    readonly expiresAt?: string | null;
    readonly releases?: readonly { readonly expiresAt?: string | null }[];
  };
}

/** Files that were brought in and lie behind files of the campaign. */
export async function inputRightsOf(tx: Tx, scope: CampaignScope): Promise<InputRights[]> {
  return tx.query<InputRights>(
    `${CAMPAIGN_ASSETS}, ancestor AS (
       SELECT id FROM member
       UNION
       SELECT p.parent_asset_id FROM asset_parent p JOIN ancestor a ON a.id = p.asset_id WHERE p.organization_id = $1
     )
     SELECT a.id, a.rights FROM asset a JOIN ancestor m ON m.id = a.id
      WHERE a.organization_id = $1 AND a.rights IS NOT NULL ORDER BY a.id LIMIT ${MAX_CAMPAIGN_ASSETS}`,
    [tx.organizationId, scope.projectId, scope.useCaseId],
  );
}

/** On files of the campaign and on what lies behind them, oldest first. */
export async function claimsOf(tx: Tx, scope: CampaignScope): Promise<CampaignClaim[]> {
  const claimed = await tx.query<{ asset_id: string }>(
    `${CAMPAIGN_ASSETS}, ancestor AS (
       SELECT id FROM member
       UNION
       SELECT p.parent_asset_id FROM asset_parent p JOIN ancestor a ON a.id = p.asset_id WHERE p.organization_id = $1
     )
     SELECT DISTINCT c.asset_id FROM asset_claim c JOIN ancestor a ON a.id = c.asset_id WHERE c.organization_id = $1`,
    [tx.organizationId, scope.projectId, scope.useCaseId],
  );
  const claims = await readClaims(
    tx,
    claimed.map(({ asset_id }) => asset_id),
  );
  return claims.map(({ id, assetId, kind, receivedOn, respondBy, standing, createdAt }) => ({
    id: publicId('claim', id),
    assetId: publicId('asset', assetId),
    kind,
    receivedOn,
    respondBy,
    recordedAt: createdAt.toISOString(),
    state: standing,
  }));
}

export function expiriesOf(
  clearances: readonly StoredClearance[],
  waivers: readonly CampaignWaiver[],
  inputs: readonly InputRights[],
  claims: readonly CampaignClaim[],
  now: Date,
): Expiry[] {
  const today = now.toISOString().slice(0, DAY_CHARACTERS);
  const found: Omit<Expiry, 'isPast'>[] = [
    ...waivers.map(({ id, expiresAt, about }) => ({
      on: expiresAt.slice(0, DAY_CHARACTERS),
      what: 'waiver' as const,
      text: `Exception for ${about}`,
      subject: id,
    })),
    ...inputs.flatMap(({ id, rights }) =>
      [rights.expiresAt, ...(rights.releases ?? []).map(({ expiresAt }) => expiresAt)].flatMap((on, i) =>
        on == null
          ? []
          : [
              {
                on,
                what: 'input_rights' as const,
                text: i === 0 ? 'Right in a file that was brought in' : 'Release of a person or property',
                subject: publicId('asset', id),
              },
            ],
      ),
    ),
    ...claims.flatMap(({ id, respondBy, state }) =>
      respondBy === undefined || state !== 'open'
        ? []
        : [{ on: respondBy, what: 'claim' as const, text: 'Answer to a claim is due', subject: id }],
    ),
    ...clearances.flatMap(({ id, input: { facts } }) =>
      facts.campaignEnd === null
        ? []
        : [
            {
              on: facts.campaignEnd,
              what: 'campaign' as const,
              text: 'Last day for which the licenses were decided',
              subject: publicId('clearance', id),
            },
          ],
    ),
  ];
  return found
    .map((each) => ({ ...each, isPast: each.on !== 'unknown' && each.on < today }))
    .sort((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0));
}

/** The worst answer of all runs counts: an indemnity that one run lost is not intact for the campaign. */
const WORST = ['lost', 'unknown', 'none', 'intact'] as const;

export function indemnityOf(clearances: readonly StoredClearance[]): IndemnityRow[] {
  const rows = new Map<string, IndemnityRow>();
  for (const { indemnity } of clearances) {
    for (const { listingId, result, lostBecause, open } of indemnity) {
      const known = rows.get(listingId);
      const worst = WORST.find((each) => each === known?.result || each === result) ?? result;
      rows.set(listingId, {
        listingId,
        result: worst,
        runs: (known?.runs ?? 0) + 1,
        lostBecause: [...new Set([...(known?.lostBecause ?? []), ...lostBecause])].sort(),
        open: [...new Set([...(known?.open ?? []), ...open])].sort(),
      });
    }
  }
  return [...rows.values()].sort((a, b) => (a.listingId < b.listingId ? -1 : 1));
}
