import { publicId } from '../../shared/ids.js';
import { type ReviewEntity } from '../adapters/contribution.entity.js';
import { type QueueCount, type QueuedAsset } from '../application/list-review-queue.js';
import { type AssetReview, type SaidInReview } from '../application/read-review.js';
import { type ReviewSettings } from '../application/review-settings.js';
import { type ChecklistItem, checklistSha256, riskOf } from '../domain/review/checklist.js';

/** What was decided, and what is to be looked at. The words of people are sealed and not in here. */
export function reviewStateView(assetId: string, review: AssetReview, checklist: readonly ChecklistItem[]) {
  const { standing, needs, request, decisions, release, recall } = review;
  return {
    assetId: publicId('asset', assetId),
    standing,
    needs,
    risk: riskOf(checklist),
    checklist: { sha256: checklistSha256(checklist), items: checklist },
    request: request
      ? {
          requestedBy: publicId('principal', request.requestedBy),
          risk: request.risk,
          requestedAt: request.createdAt.toISOString(),
        }
      : null,
    decisions: decisions.map(decisionView),
    release: release
      ? {
          releasedBy: publicId('principal', release.releasedBy),
          releasedAt: release.releasedAt.toISOString(),
        }
      : null,
    recall: recall
      ? {
          reason: recall.reason,
          recalledBy: publicId('principal', recall.recalledBy),
          recalledAt: recall.recalledAt.toISOString(),
        }
      : null,
  };
}

function decisionView(row: ReviewEntity) {
  return {
    id: publicId('review', row.id),
    reviewerId: publicId('principal', row.reviewerId),
    decision: row.decision,
    sha256: row.sha256,
    checklist:
      row.checklistSha256 === null
        ? null
        : { sha256: row.checklistSha256, items: row.checklistItems, confirmed: row.checklistConfirmed },
    entryId: publicId('entry', row.entryId),
    createdAt: row.createdAt.toISOString(),
  };
}

/** Text is data: show it escaped. */
export function saidView({ id, kind, by, at, text, entryId }: SaidInReview) {
  const ids = { comment: 'reviewComment', decision: 'review', recall: 'asset' } as const;
  return {
    id: publicId(ids[kind], id),
    kind,
    by: publicId('principal', by),
    at: at.toISOString(),
    text: text ?? null,
    entryId: publicId('entry', entryId),
  };
}

export function queuedView(item: QueuedAsset) {
  return {
    assetId: publicId('asset', item.assetId),
    title: item.title,
    projectId: publicId('project', item.projectId),
    useCaseIds: item.useCaseIds.map((id) => publicId('useCase', id)),
    risk: item.risk,
    requestedAt: item.requestedAt.toISOString(),
    approvalsNeeded: item.approvalsNeeded,
    approvals: item.approvals,
    changesRequested: item.changesRequested,
    mayDecide: item.mayDecide,
  };
}

export function countView({ useCaseId, risk, assets }: QueueCount) {
  return { useCaseId: useCaseId === null ? null : publicId('useCase', useCaseId), risk, assets };
}

export function settingsView({ needs, version, setAt }: ReviewSettings) {
  return { ...needs, version, setAt: setAt?.toISOString() ?? null };
}
