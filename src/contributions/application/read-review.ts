import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type Tx } from '../../database/organization-tx.js';
import { ReviewEntity } from '../adapters/contribution.entity.js';
import { type RecallReason } from '../domain/contribution.js';
import { type Risk } from '../domain/review/checklist.js';
import { type ReviewNeeds, type ReviewStanding, reviewStanding } from '../domain/review/review-standing.js';

export interface AssetRelease {
  readonly releasedAt: Date;
  readonly releasedBy: string;
  readonly reviewId: string;
  readonly entryId: string;
}

export interface AssetRecall {
  readonly reason: RecallReason;
  readonly recalledAt: Date;
  readonly recalledBy: string;
  readonly sealedText: string;
  readonly entryId: string;
}

export interface ReviewRequestRow {
  readonly requestedBy: string;
  readonly risk: Risk;
  readonly createdAt: Date;
  readonly entryId: string;
}

/** Everything that was decided about one asset, without the words. */
export interface AssetReview {
  readonly standing: ReviewStanding;
  readonly needs: ReviewNeeds;
  readonly request: ReviewRequestRow | undefined;
  /** Oldest first. */
  readonly decisions: readonly ReviewEntity[];
  readonly release: AssetRelease | undefined;
  readonly recall: AssetRecall | undefined;
}

/** A comment, or the words of a decision, in clear; `undefined` after an erasure. */
export interface SaidInReview {
  readonly id: string;
  readonly kind: 'comment' | 'decision' | 'recall';
  readonly by: string;
  readonly at: Date;
  readonly text: string | undefined;
  readonly entryId: string;
}

/** @returns the strictest of what the use cases behind the asset ask for today */
export async function reviewNeeds(tx: Tx, assetId: string): Promise<ReviewNeeds> {
  const [row] = await tx.query<{ approvals: number; human_contribution: boolean; checklist: boolean }>(
    'SELECT approvals, human_contribution, checklist FROM review_needs($1, $2)',
    [tx.organizationId, assetId],
  );
  if (row === undefined) throw new Error('the needs of a review have one row');
  return {
    approvals: row.approvals === 2 ? 2 : 1,
    humanContribution: row.human_contribution,
    checklist: row.checklist,
  };
}

export class ReadReview {
  constructor(private readonly vault: SubjectVault) {}

  /** Of an asset that exists. */
  async of(tx: Tx, assetId: string): Promise<AssetReview> {
    const decisions = await tx.manager.find(ReviewEntity, {
      where: { organizationId: tx.organizationId, assetId },
      order: { createdAt: 'ASC', id: 'ASC' },
    });
    const needs = await reviewNeeds(tx, assetId);
    const release = await releaseOf(tx, assetId);
    const recall = await recallOf(tx, assetId);
    const request = await requestOf(tx, assetId);
    const outcome = { isReleased: release !== undefined, isRecalled: recall !== undefined };
    return {
      standing: reviewStanding(decisions, needs, outcome),
      ...{ needs, request, decisions, release, recall },
    };
  }

  /** What people said about it, oldest first. Whoever is shown it is to be in the log first. */
  async said(tx: Tx, assetId: string): Promise<SaidInReview[]> {
    const rows = await tx.query<{
      id: string;
      kind: SaidInReview['kind'];
      by: string;
      at: Date;
      sealed: string;
      entry_id: string;
    }>(
      `SELECT id, 'comment' AS kind, author_id AS by, created_at AS at, sealed_text AS sealed, entry_id
         FROM review_comment WHERE organization_id = $1 AND asset_id = $2
       UNION ALL SELECT id, 'decision', reviewer_id, created_at, sealed_comment, entry_id
         FROM review WHERE organization_id = $1 AND asset_id = $2
       UNION ALL SELECT asset_id, 'recall', recalled_by, recalled_at, sealed_text, entry_id
         FROM asset_recall WHERE organization_id = $1 AND asset_id = $2
       ORDER BY at, id LIMIT 1000`,
      [tx.organizationId, assetId],
    );
    const said: SaidInReview[] = [];
    for (const { id, kind, by, at, sealed, entry_id: entryId } of rows)
      said.push({ id, kind, by, at, entryId, text: await this.vault.decrypt(tx, by, sealed) });
    return said;
  }
}

export async function releaseOf(tx: Tx, assetId: string): Promise<AssetRelease | undefined> {
  const [row] = await tx.query<{
    released_at: Date;
    released_by: string;
    review_id: string;
    entry_id: string;
  }>(
    `SELECT released_at, released_by, review_id, entry_id FROM asset_release
      WHERE organization_id = $1 AND asset_id = $2`,
    [tx.organizationId, assetId],
  );
  return (
    row && {
      releasedAt: row.released_at,
      releasedBy: row.released_by,
      reviewId: row.review_id,
      entryId: row.entry_id,
    }
  );
}

export async function recallOf(tx: Tx, assetId: string): Promise<AssetRecall | undefined> {
  const [row] = await tx.query<{
    reason: RecallReason;
    recalled_at: Date;
    recalled_by: string;
    sealed_text: string;
    entry_id: string;
  }>(
    `SELECT reason, recalled_at, recalled_by, sealed_text, entry_id FROM asset_recall
      WHERE organization_id = $1 AND asset_id = $2`,
    [tx.organizationId, assetId],
  );
  return (
    row && {
      reason: row.reason,
      recalledAt: row.recalled_at,
      recalledBy: row.recalled_by,
      sealedText: row.sealed_text,
      entryId: row.entry_id,
    }
  );
}

async function requestOf(tx: Tx, assetId: string): Promise<ReviewRequestRow | undefined> {
  const [row] = await tx.query<{ requested_by: string; risk: Risk; created_at: Date; entry_id: string }>(
    `SELECT requested_by, risk, created_at, entry_id FROM review_request WHERE organization_id = $1 AND asset_id = $2`,
    [tx.organizationId, assetId],
  );
  return (
    row && { requestedBy: row.requested_by, risk: row.risk, createdAt: row.created_at, entryId: row.entry_id }
  );
}
