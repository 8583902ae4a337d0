import { type ShowObligationsToday } from '../../assets/application/show-obligations-today.js';
import { reviewNeedsOf } from '../../contributions/application/review-needs-of.js';
import { type MadeDecision, reviewStanding } from '../../contributions/domain/review/review-standing.js';
import { type Tx } from '../../database/organization-tx.js';
import { type ObligationToday, owedToday } from '../../licenses/application/owed-today.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type CampaignAsset, type CampaignAssetState, type MatrixCell } from '../domain/campaign.js';
import { CAMPAIGN_ASSETS, type CampaignScope } from './campaign-scope.js';

/** More are no report that a person reads: ask for a shorter time, or for one use case. */
export const MAX_CAMPAIGN_ASSETS = 5_000;

/** What is owed for so many is worked out at once: about fifteen statements, and their license decisions in memory. */
const FILES_AT_ONCE = 100;

interface AssetRow {
  readonly id: string;
  readonly title: string;
  readonly media_type: string;
  readonly titled_by: string | null;
  readonly mode: 'live' | 'test';
  readonly sha256: string;
  readonly created_at: Date;
  readonly released_at: Date | null;
  readonly recalled_at: Date | null;
  readonly is_finished: boolean;
}

/** A finished file of the campaign, and when what happened to it. The id is a UUID. */
export interface CampaignFile {
  readonly id: string;
  readonly createdAt: Date;
  readonly releasedAt: Date | undefined;
  readonly recalledAt: Date | undefined;
  /** Who sent the file, and with it its title: erased with the person. */
  readonly titledBy: string | undefined;
  readonly asset: CampaignAsset;
}

export interface CampaignMatrix {
  readonly files: readonly CampaignFile[];
  readonly intermediate: number;
  readonly cells: readonly MatrixCell[];
}

/**
 * Files x markets x obligations, and how each of them stands.
 * @param progress told the share of the files that are done, 0 to 1
 * @throws ColophonError `payload_too_large`
 */
export async function collectMatrix(
  tx: Tx,
  scope: CampaignScope,
  today: Pick<ShowObligationsToday, 'ofMany'>,
  progress: (share: number) => Promise<void>,
): Promise<CampaignMatrix> {
  const { rows, intermediate } = await finishedAssets(tx, scope);
  const states = await statesOf(tx, rows);
  const cells: MatrixCell[] = [];
  const files: CampaignFile[] = [];
  for (let done = 0; done < rows.length; done += FILES_AT_ONCE) {
    const some = rows.slice(done, done + FILES_AT_ONCE);
    const owed = await today.ofMany(
      tx,
      some.map(({ id }) => id),
    );
    for (const row of some) {
      const found = owed.get(row.id);
      if (found !== undefined)
        cells.push(...owedToday(row.id, found.list, found.today).map((one) => cellOf(row.id, one)));
      files.push(fileOf(row, states.get(row.id) ?? 'not_reviewed', found !== undefined));
    }
    await progress(files.length / rows.length);
  }
  return { files, intermediate, cells };
}

async function finishedAssets(
  tx: Tx,
  scope: CampaignScope,
): Promise<{ rows: AssetRow[]; intermediate: number }> {
  const found = await tx.query<AssetRow>(
    `${CAMPAIGN_ASSETS}
     SELECT a.id, a.title, a.media_type, a.mode, a.sha256, a.created_at,
            CASE WHEN a.origin <> 'step' THEN a.created_by END AS titled_by, l.released_at, c.recalled_at,
            (l.released_at IS NOT NULL OR NOT EXISTS (
               SELECT 1 FROM asset_parent p WHERE p.organization_id = $1 AND p.parent_asset_id = a.id)) AS is_finished
       FROM asset a JOIN member m ON m.id = a.id
       LEFT JOIN asset_release l ON l.organization_id = a.organization_id AND l.asset_id = a.id
       LEFT JOIN asset_recall c ON c.organization_id = a.organization_id AND c.asset_id = a.id
      WHERE a.organization_id = $1 AND a.origin <> 'upload'
        AND ($4::timestamptz IS NULL OR a.created_at >= $4) AND ($5::timestamptz IS NULL OR a.created_at < $5)
      ORDER BY a.created_at, a.id LIMIT ${4 * MAX_CAMPAIGN_ASSETS}`,
    [tx.organizationId, scope.projectId, scope.useCaseId, scope.from, scope.until],
  );
  const rows = found.filter(({ is_finished }) => is_finished);
  if (rows.length > MAX_CAMPAIGN_ASSETS || found.length === 4 * MAX_CAMPAIGN_ASSETS) {
    throw new ColophonError(
      'payload_too_large',
      `A report holds at most ${MAX_CAMPAIGN_ASSETS} files. Ask for a shorter time or for one use case.`,
    );
  }
  return { rows, intermediate: found.length - rows.length };
}

/** By the rules by which the file itself is released: what several people said, and what its use cases ask for today. */
async function statesOf(tx: Tx, rows: readonly AssetRow[]): Promise<Map<string, CampaignAssetState>> {
  const ids = rows.map(({ id }) => id);
  const reviews = await tx.query<{
    asset_id: string;
    reviewer_id: string;
    decision: 'approve' | 'reject' | 'request_changes';
  }>(
    `SELECT asset_id, reviewer_id, decision FROM review
      WHERE organization_id = $1 AND asset_id = ANY($2::uuid[]) ORDER BY created_at, id`,
    [tx.organizationId, ids],
  );
  const byAsset = new Map<string, MadeDecision[]>();
  for (const { asset_id, reviewer_id: reviewerId, decision } of reviews)
    byAsset.set(asset_id, [...(byAsset.get(asset_id) ?? []), { reviewerId, decision }]);
  const needs = await reviewNeedsOf(tx, [...byAsset.keys()]);
  return new Map(
    rows.map(({ id, released_at, recalled_at }): [string, CampaignAssetState] => {
      const decisions = byAsset.get(id) ?? [];
      const outcome = { isReleased: released_at !== null, isRecalled: recalled_at !== null };
      const standing = reviewStanding(decisions, needs.get(id) ?? { approvals: 1 }, outcome);
      return [id, standing === 'in_review' && decisions.length === 0 ? 'not_reviewed' : standing];
    }),
  );
}

function fileOf(row: AssetRow, state: CampaignAssetState, obligationsKnown: boolean): CampaignFile {
  return {
    id: row.id,
    createdAt: row.created_at,
    releasedAt: row.released_at ?? undefined,
    recalledAt: row.recalled_at ?? undefined,
    titledBy: row.titled_by ?? undefined,
    asset: viewOf(row, state, obligationsKnown),
  };
}

function viewOf(row: AssetRow, state: CampaignAssetState, obligationsKnown: boolean): CampaignAsset {
  return {
    id: publicId('asset', row.id),
    title: row.title,
    mediaType: row.media_type,
    mode: row.mode,
    sha256: row.sha256,
    createdAt: row.created_at.toISOString(),
    state,
    releasedAt: row.released_at?.toISOString(),
    recalledAt: row.recalled_at?.toISOString(),
    obligationsKnown,
  };
}

function cellOf(assetId: string, { id, since, obligation, state }: ObligationToday): MatrixCell {
  return {
    assetId: publicId('asset', assetId),
    market: obligation.where,
    kind: obligation.kind,
    source: obligation.source,
    applies: obligation.applies,
    state,
    since,
    blocking: obligation.blocking,
    obligationId: publicId('obligation', id),
    text: obligation.text,
    notVerified: obligation.notVerified,
  };
}
