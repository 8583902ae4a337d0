import { type ReviewDecision } from '../contribution.js';

/** What the use cases behind an asset ask for before it is released. */
export interface ReviewNeeds {
  /** Different people. */
  readonly approvals: 1 | 2;
  /** A human contribution that the record supports. */
  readonly humanContribution: boolean;
  /** Every point of the checklist is confirmed with each approval. */
  readonly checklist: boolean;
}

export interface MadeDecision {
  readonly reviewerId: string;
  readonly decision: ReviewDecision;
}

export const REVIEW_STANDINGS = [
  'in_review',
  'changes_requested',
  'approved',
  'rejected',
  'released',
  'recalled',
] as const;
export type ReviewStanding = (typeof REVIEW_STANDINGS)[number];

/**
 * Where an asset stands. The database decides by the same rules (migration 0030).
 * @param decisions in any order: what counts is who said what, not when
 */
export function reviewStanding(
  decisions: readonly MadeDecision[],
  needs: Pick<ReviewNeeds, 'approvals'>,
  { isReleased, isRecalled }: { readonly isReleased: boolean; readonly isRecalled: boolean },
): ReviewStanding {
  if (isRecalled) return 'recalled';
  if (isReleased) return 'released';
  if (decisions.some(({ decision }) => decision === 'reject')) return 'rejected';
  const approvers = approversOf(decisions);
  const isChangeOpen = decisions.some(
    ({ decision, reviewerId }) => decision === 'request_changes' && !approvers.has(reviewerId),
  );
  if (isChangeOpen) return 'changes_requested';
  return approvers.size >= needs.approvals ? 'approved' : 'in_review';
}

/** Two approvals by one person count once. */
export function approversOf(decisions: readonly MadeDecision[]): Set<string> {
  return new Set(
    decisions.flatMap(({ decision, reviewerId }) => (decision === 'approve' ? [reviewerId] : [])),
  );
}
